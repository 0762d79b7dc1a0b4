"""Tokens of 200 texts by every name and kind of tokenizer, equal to llama.cpp's (through the package xllamacpp).

Vocabularies: a small one that merges across every boundary, made here; where they are installed, the SentencePiece
model of the package mistral-common (Apache License 2.0) and the byte pairs of the package llama-models (Llama's
community licences).
"""

import json
import random
import urllib.request
from base64 import b64decode
from importlib.util import find_spec
from pathlib import Path

import gguf
import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from inference.files.gguf_header import read_header
from inference.tokens.bpe import LETTERS as BYTE_LETTERS
from inference.tokens.pre_tokenizers import NAMES
from inference.tokens.template import letters, unused
from inference.tokens.text import Text

pytestmark = pytest.mark.slow

LINES = [
    "It's 12345 o'clock, they'LL say: \"we've 3.14159 apples\"!!  \n\n   def f(x):\n\t\treturn x**2 + 1000000 # b\r\n",
    "L'été à Zürich — naïve café №5; 价格是123元。 今天天气很好。 Привет, мир! 2024-05-06T07:08:09Z   \n \n\n  ok",
    "<b>bold</b> foo_bar::baz(1,22,333,4444)... I'm she'd WE'RE don't 😀😀 👨\u200d👩 e\u0301 ½ ² ٣٤٥ a1\u00a0x\u3000y",
    "aaaa bbbb  cccc   dddd    eeee\n\n\nffff\t gggg \n hhhh ???!!! --- +++ $$$ ^^^ ~~~ ``` ||| 1 22 333 4444 55555",
]
LETTERS = (
    "abc XYZ étñÄß中文日本かなカナ한국Привет123٣٤½²Ⅷ  \t\n\n\r'\".,!?~$+<=>^|`_-/*()[]{}#@&%;:\\"
    "…。，、“”’—\u00a0\u3000\u2003\x85\u0301\u0327ｱ😀👨\u200dσΣğşIİ"
)
WORDS = """'s 'LL don't we've IT'S 12345 1234567 12 3.14 def __init__ HTTPServer camelCase ПРИВЕТ naïve 日本語
    テスト a1b2 ~~~ += !!! ... </s> <b> e\u0301 ÀÉÎ 1,000,000 $5 100% x^2 a|b `q` 😀😀 ﬁ Ǆ ʼn IMGIMGABZ <sentinel:12>
    <|bos|> <|eos|> """


@pytest.fixture(scope="module")
def texts():
    draw = random.Random(5)

    def word():
        return (
            draw.choice(WORDS.split()) if draw.random() < 0.5 else "".join(draw.choices(LETTERS, k=draw.randint(1, 4)))
        )

    return LINES + [draw.choice(["", " ", "  "]).join(word() for _ in range(draw.randint(1, 11))) for _ in range(196)]


@pytest.fixture(scope="module")
def merged():
    """Tokens and merges that cross the boundaries of words."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    trainer = trainers.BpeTrainer(
        vocab_size=1500,
        special_tokens=["<|bos|>", "<|eos|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
        max_token_length=6,
    )
    tokenizer.train_from_iterator([line[i : i + 40] for line in LINES * 4 for i in range(0, len(line), 7)], trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return sorted(model["vocab"], key=model["vocab"].get), [" ".join(pair) for pair in model["merges"]]


@pytest.fixture(scope="module")
def mistral():
    """Texts, scores and types of a real vocabulary of 32,000 tokens."""
    found = find_spec("mistral_common")
    if found is None:
        pytest.skip("the package mistral-common is not installed")
    content = (Path(found.submodule_search_locations[0]) / "data/tokenizer.model.v1").read_bytes()
    pieces = [dict(fields(piece)) for number, piece in fields(content) if number == 1]
    return (
        [each[1].decode() for each in pieces],
        [each.get(2, 0.0) for each in pieces],
        [each.get(3, 1) for each in pieces],
    )


def fields(message):
    """Fields of a message of Protocol Buffers."""

    def number(at):
        value = shift = 0
        while True:
            value |= (message[at] & 127) << shift
            at, shift = at + 1, shift + 7
            if message[at - 1] < 128:
                return value, at

    at = 0
    while at < len(message):
        key, at = number(at)
        if key & 7 == 0:
            value, at = number(at)
        elif key & 7 == 2:
            size, at = number(at)
            value, at = message[at : at + size], at + size
        else:
            size = 4 if key & 7 == 5 else 8
            value = np.frombuffer(message[at : at + size], f"<f{size}")[0].item()
            at += size
        yield key >> 3, value


def write(path, kind, tokens, types, *, merges=None, scores=None, bos=0, eos=1, **keys):
    """A model of one small layer with a tokenizer."""
    writer = gguf.GGUFWriter(path, "llama")
    for name, value in {"block_count": 1, "embedding_length": 32, "head_count": 1, "context_length": 512}.items():
        getattr(writer, f"add_{name}")(value)
    writer.add_head_count_kv(1)
    writer.add_feed_forward_length(32)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(1e4)
    writer.add_tokenizer_model(kind)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    if merges is not None:
        writer.add_token_merges(merges)
    if scores is not None:
        writer.add_token_scores(scores)
    writer.add_bos_token_id(bos)
    writer.add_eos_token_id(eos)
    writer.add_unk_token_id(2 if kind == "t5" else 0)
    for name, value in keys.items():
        (writer.add_string if isinstance(value, str) else writer.add_bool)(f"tokenizer.ggml.{name}", value)
    parts = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    for name in parts:
        writer.add_tensor(f"blk.0.{name}.weight", np.ones((32, 32), np.float32))
    for name in ("blk.0.attn_norm", "blk.0.ffn_norm", "output_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(32, np.float32))
    writer.add_tensor("token_embd.weight", np.ones((len(tokens), 32), np.float32))
    for step in ("header", "kv_data", "tensors"):
        getattr(writer, f"write_{step}_to_file")()
    writer.close()
    return path


def compare(path, texts):
    """Letters as letters, special tokens as special tokens, both with the file's beginning and end."""
    xllamacpp = pytest.importorskip("xllamacpp")
    settings = xllamacpp.CommonParams()
    settings.model.path, settings.n_ctx, settings.n_gpu_layers = str(path), 256, 0
    settings.verbosity, settings.warmup, settings.cpuparams.n_threads = -1, False, 1
    server = xllamacpp.Server(settings)
    keys = {name: value for name, value in read_header(path)[0].items() if name.startswith("tokenizer.")}
    text = Text(keys, len(keys["tokenizer.ggml.tokens"]))
    tokenizer = text.tokenizer
    for each in texts:
        for special in (False, True):
            asked = json.dumps({"content": each, "add_special": True, "parse_special": special}).encode()
            request = urllib.request.Request(f"{server.listening_address}/tokenize", asked)
            request.add_header("Content-Type", "application/json")
            with urllib.request.urlopen(request) as answer:
                theirs = json.load(answer)["tokens"]
            mark = "" if special else unused(each)
            marked = each if special else letters(each, tokenizer.control, mark)
            ours = [*tokenizer.begin, *tokenizer.encode(marked, mark), *tokenizer.finish]
            assert ours == theirs, (each, special, text.decode(theirs))


@pytest.mark.parametrize("name", sorted(name for name in NAMES if NAMES[name] != "gemma4"))
def test_every_pre_tokenizer(tmp_path, merged, texts, name):
    tokens, merges = merged
    types = [3 if token.startswith("<|") else 1 for token in tokens]
    types[-1] = types[-2] = 4  # user-defined
    compare(write(tmp_path / "model.gguf", "gpt2", tokens, types, merges=merges, pre=name), texts)


@pytest.mark.parametrize("prefix", [True, False])
def test_sentencepiece(tmp_path, mistral, texts, prefix):
    tokens, scores, types = mistral
    keys = {"scores": scores, "bos": 1, "eos": 2, "add_space_prefix": prefix, "add_eos_token": True}
    compare(write(tmp_path / "model.gguf", "llama", tokens, types, **keys), texts)


@pytest.mark.parametrize("kind", ["gemma4", "sarvam-moe", "granite-embed-multi-311m"])
def test_bytes_as_sentencepiece_has_them_in_merges(tmp_path, mistral, texts, kind):
    tokens, scores, types = mistral
    known = {token: score for token, score, type_ in zip(tokens, scores, types, strict=True) if type_ == 1}
    merges = [
        f"{token[:at]} {token[at:]}"
        for token in sorted(known, key=lambda token: -known[token])
        for at in range(1, len(token))
        if token[:at] in known and token[at:] in known
    ]
    model, more = ("gemma4", {}) if kind == "gemma4" else ("gpt2", {"pre": kind})
    path = write(tmp_path / "model.gguf", model, tokens, types, merges=merges, bos=1, eos=2, **more)
    compare(path, texts)


@pytest.mark.parametrize(
    "keys", [{}, {"add_space_prefix": True}, {"add_space_prefix": True, "remove_extra_whitespaces": True}]
)
def test_unigram(tmp_path, mistral, texts, keys):
    draw = random.Random(3)
    tokens = ["<pad>", "</s>", "<unk>", *dict.fromkeys(mistral[0][259:9000]), "<tag>"]
    scores = [0.0] * 3 + [-1 - 12 * draw.random() for _ in tokens[3:]]
    types = [3, 3, 2] + [1] * (len(tokens) - 4) + [4]
    compare(write(tmp_path / "model.gguf", "t5", tokens, types, scores=scores, **keys), texts)


@pytest.mark.parametrize(("version", "name"), [(3, "llama-bpe"), (4, "llama4")])
def test_llamas_own_vocabularies(tmp_path, texts, version, name):
    """Llama 3 has words that are tokens without merges."""
    found = find_spec("llama_models")
    if found is None:
        pytest.skip("the package llama-models is not installed")
    lines = (Path(found.submodule_search_locations[0]) / f"llama{version}/tokenizer.model").read_bytes().splitlines()
    ranks = {b64decode(text): int(rank) for text, rank in (line.split() for line in lines if line)}
    pairs = [pair for token in ranks if (pair := halves(token, ranks))]
    assert (len(pairs) < len(ranks) - 256) == (version == 3)  # words that no merges lead to

    def written(token):
        return "".join(BYTE_LETTERS[byte] for byte in token)

    special = ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"]
    tokens, merges = [*map(written, ranks), *special], [" ".join(map(written, pair)) for pair in pairs]
    keys = {"merges": merges, "bos": len(ranks), "eos": len(ranks) + 1, "pre": name}
    path = write(tmp_path / "model.gguf", "gpt2", tokens, [1] * len(ranks) + [3] * 3, **keys)
    compare(path, [*texts, " vi\u1ec7c foto\u011fraf probl\u00e9my g\u00fczel \u010de\u0161tina<|eot_id|>"])


def halves(token, ranks):
    """The pair that merges into a token once all pairs of lower ranks have merged; none where more is left."""
    parts = [token[i : i + 1] for i in range(len(token))]
    while len(parts) > 2:
        at = min(range(len(parts) - 1), key=lambda i: ranks.get(parts[i] + parts[i + 1], 2**32))
        if ranks.get(parts[at] + parts[at + 1], 2**32) >= ranks[token]:
            return None
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return tuple(parts) if len(parts) == 2 else None
