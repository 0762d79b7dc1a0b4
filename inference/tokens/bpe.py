"""Byte-pair encoding as GGUF files have it (gpt2 and gemma4): words, in each of which neighbours are merged by rank."""

from functools import lru_cache

from inference.errors import InputError
from inference.tokens.fields import Fields, listed, typed
from inference.tokens.merging import merge
from inference.tokens.pre_tokenizers import pre_tokenizer
from inference.tokens.vocabulary import Vocabulary

PRINTED = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
"""Bytes that stand for themselves in a token's text."""
LETTERS = {byte: chr(byte) for byte in PRINTED}
LETTERS |= {byte: chr(256 + i) for i, byte in enumerate(sorted(set(range(256)) - set(PRINTED)))}
BYTES = {letter: byte for byte, letter in LETTERS.items()}
REMEMBERED = 2**16
"""Words."""


class BytePairs:
    """Words by a pre-tokenizer, their bytes merged; or, in files of the kind gemma4, their letters."""

    def __init__(self, fields: Fields, vocabulary: Vocabulary) -> None:
        gemma = fields["tokenizer.ggml.model"] == "gemma4"
        name = "gemma4" if gemma else typed(fields, "tokenizer.ggml.pre", str, "default")
        self.before = pre_tokenizer(name)
        self.begun = self.before.begun
        self.ranks = _ranks(listed(fields, "tokenizer.ggml.merges", str))
        self.vocabulary, self.words = vocabulary, vocabulary.words()
        self.word = lru_cache(REMEMBERED)(self._word)

    def encode(self, text: str, first: bool) -> list[int]:
        """Tokens of a text without special ones."""
        if self.before.spaces:
            text = text.replace(" ", "▁")
        return [token for word in self.before.split(text) for token in self.word(word)]

    def _word(self, word: str) -> list[int]:
        letters = word if self.before.spaces else "".join(LETTERS[byte] for byte in word.encode())
        if (self.before.whole_words or (self.before.spaces and not word.strip("\n"))) and letters in self.words:
            return [self.words[letters]]
        parts = merge(letters, lambda left, right: self.ranks.get((left, right)))
        return [token for part in parts for token in self._tokens(part)]

    def _tokens(self, part: str) -> list[int]:
        if part in self.words:
            return [self.words[part]]
        pieces = [f"<0x{byte:02X}>" for byte in part.encode()] if self.before.spaces else list(part)
        if missing := [piece for piece in pieces if piece not in self.words]:
            raise InputError(f"the model's vocabulary has no token for {missing[0]!r}")
        return [self.words[piece] for piece in pieces]

    def piece(self, token: int) -> bytes:
        """What a token that is neither control nor byte stands for."""
        text = self.vocabulary.texts[token]
        if self.before.spaces:
            return text.replace("▁", " ").encode()
        return b"".join(bytes([BYTES[letter]]) if letter in BYTES else letter.encode() for letter in text)


def _ranks(merges: list[str]) -> dict[tuple[str, str], int]:
    """Pairs by their order; of a pair that comes twice the first counts."""
    ranks: dict[tuple[str, str], int] = {}
    for rank, words in enumerate(merges):
        left, space, right = words[1:].partition(" ")
        if not space:
            raise InputError(f"the tokenizer's merge {words!r:.40} is not of two tokens")
        ranks.setdefault((words[:1] + left, right), rank)
    return ranks
