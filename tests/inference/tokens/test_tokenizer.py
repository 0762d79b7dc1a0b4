"""Tokenizers from files: what they say is done or refused in one line, whatever the package makes of it."""

import json

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors

from inference.tokens.text import Text

LETTERS = {letter: index for index, letter in enumerate("abc")} | {"ab": 3}
GGUF = {
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.tokens": list(LETTERS),
    "tokenizer.ggml.merges": ["a b"],
    "tokenizer.ggml.token_type": [1, 1, 1, 1],
}


@pytest.fixture(scope="module")
def saved():
    """A byte-pair tokenizer as tokenizer.json says it."""
    tokenizer = Tokenizer(models.BPE(LETTERS, [("a", "b")]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return json.loads(tokenizer.to_str())


def test_a_tokenizer_is_built_from_either_file(saved):
    for fields in (GGUF, {"tokenizer.json": json.dumps(saved)}):
        assert Text(fields, 4).encode("abc") == [3, 2]


def test_a_prompt_is_neither_cut_nor_filled_up(saved):
    cut = {"direction": "Right", "max_length": 1, "strategy": "LongestFirst", "stride": 0}
    fill = {"strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": None}
    fill |= {"pad_id": 0, "pad_type_id": 0, "pad_token": "a"}
    text = Text({"tokenizer.json": json.dumps(saved | {"truncation": cut, "padding": fill})}, 4)
    assert text.encode("abcc") == [3, 2, 2]


@pytest.mark.parametrize(
    "changes",
    [
        {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}},  # a panic
        {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "BAAAAAAAAAAAAAAA"}},  # one when it encodes
        {"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [["a", "b"]]}},
        {"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [], "unk_token": "z"}},
        {"added_tokens": [{"id": -1, "content": "x"}]},
        {"model": None},
    ],
)
def test_a_tokenizer_that_cannot_be_or_panics_is_refused_quietly(saved, refusal, capfd, changes):
    fields = {"tokenizer.json": json.dumps(saved | changes)}
    message = refusal(lambda: Text(fields, 4).encode("abc z"))
    assert "tokenizer" in message
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tokenizer.ggml.tokens": None}, "tokenizer.ggml.tokens is not of type list, or is missing"),
        ({"tokenizer.ggml.merges": None}, "tokenizer.ggml.merges is not of type list, or is missing"),
        ({"tokenizer.ggml.merges": [5]}, "tokenizer.ggml.merges holds other than str"),
        ({"tokenizer.ggml.merges": ["ab"]}, "is not of two tokens"),
        ({"tokenizer.ggml.tokens": "abc"}, "tokenizer.ggml.tokens is not of type list"),
        ({"tokenizer.ggml.token_type": ["1"]}, "tokenizer.ggml.token_type holds other than int"),
        ({"tokenizer.ggml.model": ["gpt2"]}, "gpt2, gemma4, llama, t5 are supported"),
        ({"tokenizer.ggml.pre": 5}, "tokenizer.ggml.pre is not of type str"),
        ({"tokenizer.chat_template": 5}, "tokenizer.chat_template is not of type str"),
        ({"tokenizer.json": 5}, "tokenizer.json is not of type str"),
    ],
)
def test_keys_that_are_missing_or_of_another_type_are_refused(refusal, changes, said):
    fields = {name: value for name, value in (GGUF | changes).items() if value is not None}
    assert said in refusal(Text, fields, 4)


@pytest.mark.parametrize("fields", [{}, GGUF])
def test_a_prompt_of_stray_bytes_is_refused(refusal, fields):
    prompt = b"\xff caf\xe9".decode(errors="surrogateescape")
    assert "the prompt is not UTF-8" in refusal(Text(fields, 256).encode, prompt)


def test_a_model_without_a_tokenizer_reads_the_bytes_that_it_knows(refusal):
    assert Text({}, ord("a") + 1).encode("a") == [ord("a")]
    assert "knows bytes below 97, not 97" in refusal(Text({}, ord("a")).encode, "a")


@pytest.mark.parametrize("template", ["{{ 1 // 0 }}", "{{ x.y.z }}", "{% for %}", "{{ messages[7]['role'] }}"])
def test_a_template_that_fails_is_refused(refusal, template):
    text = Text({"tokenizer.chat_template": template}, 256)
    assert "cannot be filled in" in refusal(text.chat, "hi")


@pytest.fixture(scope="module")
def directory(saved):
    """A directory whose tokenizer begins and ends texts by its post-processor."""
    tokenizer = Tokenizer(models.BPE(LETTERS | {"<s>": 4, "</s>": 5, "<": 6, "s": 7, ">": 8, "/": 9}, [("a", "b")]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(each, special=True, normalized=True) for each in ("<s>", "</s>")])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 4), ("</s>", 5)]
    )
    config = {"bos_token": "<s>", "eos_token": {"content": "</s>"}}
    return {"tokenizer.json": tokenizer.to_str(), "tokenizer_config.json": json.dumps(config)}


def test_a_directory_s_texts_begin_and_end_by_its_post_processor_once(directory):
    text = Text(directory, 10)
    assert text.encode("abc") == text.encode("<s>abc</s>") == [4, 3, 2, 5]
    for key, ids in (("add_bos_token", [3, 2, 5]), ("add_eos_token", [4, 3, 2])):
        config = json.dumps({"bos_token": "<s>", "eos_token": "</s>", key: False})
        assert Text(directory | {"tokenizer_config.json": config}, 10).encode("abc") == ids


@pytest.mark.parametrize(
    "where",
    [
        {"chat_template.jinja": "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}"},
        {"tokenizer_config.json": [{"name": "tools", "template": "-"}, {"name": "default", "template": "+"}]},
    ],
)
def test_a_directory_s_template_is_in_either_file(directory, where):
    if said := where.get("tokenizer_config.json"):
        config = json.loads(directory["tokenizer_config.json"]) | {"chat_template": said}
        assert Text(directory | {"tokenizer_config.json": json.dumps(config)}, 10).chat("a") == "+"
        return
    text = Text(directory | where, 10)
    rendered = text.chat("a</s>")
    assert rendered == "<s>a</s></s>"
    assert text.encode(rendered) == [4, 0, 6, 9, 7, 8, 5]  # the message's letters, the template's tokens


def test_the_first_token_of_a_continuation_keeps_its_space():
    tokenizer = Tokenizer(models.BPE({"▁": 0, "a": 1, "▁a": 2, "b": 3}, [("▁", "a")]))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
    text = Text({"tokenizer.json": tokenizer.to_str()}, 4)
    assert text.encode("b a") == [0, 3, 2] and text.decode([2, 3]) == " ab" and text.decode([3, 2]) == "b a"
