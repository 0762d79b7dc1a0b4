"""Tokenizers of Hugging Face directories: tokenizer.json through the package tokenizers, which defines its meaning."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tokenizers import Tokenizer

from inference.errors import InputError
from inference.silence import silenced
from inference.tokens.fields import Fields, typed


class HuggingFaceTokenizer:
    """A tokenizer by tokenizer.json, and what tokenizer_config.json says of its beginning and end."""

    def __init__(self, fields: Fields) -> None:
        self.content = typed(fields, "tokenizer.json", str)
        self.tokenizer = _built(self.content)
        added = self.tokenizer.get_added_tokens_decoder()
        self.numbers = dict(self.tokenizer.get_vocab())
        self.control = tuple(token.content for token in added.values() if token.special)
        self.begin, self.finish = self._added(configuration(fields))

    def _added(self, config: dict[str, Any]) -> tuple[list[int], list[int]]:
        """What the post-processor puts before and after a text, or the configuration's keys."""
        with panics("the model's tokenizer cannot take a letter"):
            found = self.tokenizer.encode("a")
        ids, mask = list(found.ids), list(found.special_tokens_mask)
        begin, finish = 0, len(ids)
        while begin < len(ids) and mask[begin]:
            begin += 1
        while finish > begin and mask[finish - 1]:
            finish -= 1
        self.letter = ids[begin:finish]
        sides = {"bos": ids[:begin], "eos": ids[finish:]}
        for name in sides:
            wanted = config.get(f"add_{name}_token")
            token = self.numbers.get(token_text(config.get(f"{name}_token")))
            if wanted is False or (wanted is True and not sides[name]):
                sides[name] = [token] if wanted and token is not None else []
        return sides["bos"], sides["eos"]

    def token(self, number: int) -> str:
        """A token's text."""
        return str(self.tokenizer.id_to_token(number))

    def encode(self, text: str, mark: str) -> list[int]:
        """Tokens of a text; what ``mark`` parts is not one special token, the mark itself is no text."""
        with panics("the model's tokenizer cannot take the prompt"):
            tokenizer = self._unmarked(mark) if mark else self.tokenizer
            return list(tokenizer.encode(text, add_special_tokens=False).ids)

    def _unmarked(self, mark: str) -> Any:
        """The same, but that it passes over a mark, once special tokens are found."""
        content = json.loads(self.content)
        for token in content.get("added_tokens", []):
            token["normalized"] = token.get("normalized", True) and not token.get("special")
        before = [content["normalizer"]] if content.get("normalizer") else []
        removed = {"type": "Replace", "pattern": {"String": mark}, "content": ""}
        return _built(json.dumps(content | {"normalizer": {"type": "Sequence", "normalizers": [removed, *before]}}))

    def decode(self, ids: Sequence[int]) -> str:
        """The text of tokens that follow others; bytes that are no UTF-8 become U+FFFD.

        What stands first may lose its space in a decoder: here that is a letter before them.
        """
        with panics("the model's tokenizer cannot write the tokens"):
            before, whole = (
                str(self.tokenizer.decode([*self.letter, *each], skip_special_tokens=False)) for each in ([], ids)
            )
        return whole[len(before) :]


def configuration(fields: Fields) -> dict[str, Any]:
    """tokenizer_config.json; {} where there is none.

    Raises:
        InputError: it is no JSON object.
    """
    try:
        config = json.loads(typed(fields, "tokenizer_config.json", str, "{}"))
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        raise InputError("tokenizer_config.json is not a JSON object")
    return config


def token_text(said: Any) -> str:
    """What tokenizer_config.json calls a token: a text, or an object with one."""
    said = said.get("content") if isinstance(said, dict) else said
    return said if isinstance(said, str) else ""


def _built(content: str) -> Any:
    with panics("tokenizer.json is not a tokenizer"):
        tokenizer = Tokenizer.from_str(content)
    # A prompt is neither cut nor filled up.
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


@contextmanager
def panics(what: str) -> Iterator[None]:
    """Failures of the tokenizers package as one line.

    It raises Exception itself. Its panics are no Exception, and say so on standard error before they are raised.
    """
    try:
        with silenced():
            yield
    except (InputError, KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # noqa: BLE001 a panic is one
        raise InputError(f"{what}: {' '.join(str(error).split())}") from None
