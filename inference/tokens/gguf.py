"""Tokenizers of GGUF files: special tokens are found first, what lies between is left to the file's kind."""

from collections.abc import Callable, Sequence
from typing import Protocol

from inference.errors import InputError
from inference.tokens.bpe import BytePairs
from inference.tokens.fields import Fields, typed
from inference.tokens.sentencepiece import SentencePiece
from inference.tokens.unigram import Unigram
from inference.tokens.vocabulary import BYTE, CONTROL, UNKNOWN, USER_DEFINED, Vocabulary, vocabulary

KINDS: dict[str, Callable[[Fields, Vocabulary], "Kind"]] = {
    "gpt2": BytePairs,
    "gemma4": BytePairs,
    "llama": SentencePiece,
    "t5": Unigram,
}


class Kind(Protocol):
    """How text without special tokens is read."""

    begun: bool
    """Whether a text begins with a token where the file does not say."""

    def encode(self, text: str, first: bool) -> list[int]: ...

    def piece(self, token: int) -> bytes: ...


class GgufTokenizer:
    """A tokenizer by the keys of a GGUF file."""

    def __init__(self, fields: Fields) -> None:
        kind = fields["tokenizer.ggml.model"]
        if not isinstance(kind, str) or kind not in KINDS:
            raise InputError(f"the file's tokenizer is {kind!r}; {', '.join(KINDS)} are supported")
        self.vocabulary = vocabulary(fields)
        self.kind = KINDS[kind](fields, self.vocabulary)
        self.control = self.vocabulary.of_type(CONTROL, UNKNOWN)
        special = self.vocabulary.of_type(CONTROL, UNKNOWN, USER_DEFINED)
        # The longest first, wherever in the text they stand.
        self.special = sorted(special, key=lambda text: -len(text.encode()))
        self.begin = self._added(fields, "bos", self.kind.begun, 1 if kind == "llama" else 11)
        self.finish = self._added(fields, "eos", kind == "t5", {"llama": 2, "t5": 1}.get(kind, 11))

    def _added(self, fields: Fields, name: str, usual: bool, number: int) -> list[int]:
        if not typed(fields, f"tokenizer.ggml.add_{name}_token", bool, usual):
            return []
        token = typed(fields, f"tokenizer.ggml.{name}_token_id", int, number)
        if not 0 <= token < len(self.vocabulary.texts):
            raise InputError(f"the tokenizer adds the token {token}, which it does not have")
        return [token]

    def token(self, number: int) -> str:
        """A token's text."""
        return self.vocabulary.texts[number]

    def encode(self, text: str, mark: str) -> list[int]:
        """Tokens of a text; what ``mark`` parts is not one special token, the mark itself is no text."""
        parts: list[str | int] = [text]
        for special in (each for each in self.special if each in text):
            parts = [piece for part in parts for piece in self._around(part, special, mark)]
        ids: list[int] = []
        first = True
        for part in parts:
            if isinstance(part, int):
                ids.append(part)
                first = True
            elif words := part.replace(mark, "") if mark else part:
                ids += self.kind.encode(words, first)
                first = False
        return ids

    def _around(self, part: str | int, special: str, mark: str) -> list[str | int]:
        if isinstance(part, int):
            return [part]
        number = self.vocabulary.numbers[special]
        found: list[str | int] = []
        for between in part.split(special):
            if mark and found and isinstance(before := found[-2], str) and before.endswith(mark):
                found[-2:] = [before + special + between]  # a token of one letter
            else:
                found += [between, number]
        return [each for each in found[:-1] if each != ""]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of tokens; bytes that are no UTF-8 become U+FFFD."""
        return b"".join(self._bytes(token) for token in ids).decode(errors="replace")

    def _bytes(self, token: int) -> bytes:
        if not 0 <= token < len(self.vocabulary.texts):
            return b""  # a row of the embedding that fills it up
        text, type_ = self.vocabulary.texts[token], self.vocabulary.types[token]
        if type_ in (CONTROL, UNKNOWN, USER_DEFINED):
            return text.encode()
        if type_ == BYTE and len(text) == 6:
            try:
                return bytes([int(text[3:5], 16)])
            except ValueError:
                pass
        return self.kind.piece(token)
