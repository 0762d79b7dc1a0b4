"""Tokens that end a text: keys, names, configurations, and what a template writes after an answer."""

import json

import pytest

from inference.tokens.ends import ends

TOKENS = ["a", "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|turn|>", "<|end|>", "<|return|>"]
GGUF = {"tokenizer.ggml.tokens": TOKENS, "tokenizer.ggml.token_type": [1, 3, 3, 3, 3, 1, 3]}
TURNS = "{% for each in messages %}<|im_start|>{{ each.content }}\n<|turn|>{% endfor %}"


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ({}, [1, 3, 5, 6]),
        ({"tokenizer.ggml.eos_token_id": 0}, [0, 1, 3, 5, 6]),
        ({"tokenizer.ggml.eot_token_id": 2, "tokenizer.ggml.eom_token_id": 2}, [1, 2, 3, 5, 6]),
        ({"tokenizer.chat_template": TURNS}, [1, 3, 4, 5, 6]),
        ({"tokenizer.chat_template": "{{ messages[0].content }}<|turn|>"}, [1, 3, 5, 6]),
        ({"tokenizer.chat_template": "{{ raise_exception('no') }}"}, [1, 3, 5, 6]),
        ({"tokenizer.ggml.tokens": [*TOKENS, "<|call|>"]}, [1, 3, 6, 7]),
    ],
)
def test_ends_of_a_gguf_file(keys, found):
    assert sorted(ends(GGUF | keys)) == found


def test_ends_of_a_directory():
    added = [{"id": 10 + i, "content": text, "special": text != "a"} for i, text in enumerate(TOKENS)]
    fields = {"tokenizer.json": json.dumps({"added_tokens": added})}
    assert sorted(ends(fields)) == [11, 13, 15, 16]
    assert sorted(ends(fields | {"chat_template.jinja": TURNS})) == [11, 13, 14, 15, 16]
    config = {"eos_token": {"content": "<|im_start|>"}}
    assert sorted(ends(fields | {"tokenizer_config.json": json.dumps(config)})) == [11, 12, 13, 15, 16]
    assert ends({"tokenizer.json": "{}"}) == ends({"tokenizer.json": "[]"}) == ends({}) == ()
