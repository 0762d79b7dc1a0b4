r"""CLIP's tokenizer, as the package transformers has it: lower case, words split by kind, bytes merged to a word's end.

A text is put in NFC, its white space made single, every letter made small; what a vocabulary has no token for is the
token for what is unknown. The tokens that begin and end a text are found before, as they stand.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache

import regex

from inference.errors import InputError
from inference.tokens.bpe import LETTERS, REMEMBERED
from inference.tokens.merging import merge

PLAIN = r"'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+"
WORDS = regex.compile(rf"<\|startoftext\|>|<\|endoftext\|>|{PLAIN}")
PARTS = regex.compile(PLAIN)
END_OF_WORD = "</w>"


class ClipTokenizer:
    """Tokens by their texts, merges in order ("a b"), and the texts of those that begin, end and fill a prompt.

    Raises:
        InputError: a merge that is not of two tokens, or tokens that are missing.
    """

    def __init__(
        self,
        vocabulary: Mapping[str, int],
        merges: Sequence[str],
        *,
        begin: str = "<|startoftext|>",
        end: str = "<|endoftext|>",
        unknown: str = "<|endoftext|>",
        filling: str = "<|endoftext|>",
    ) -> None:
        for text in (begin, end, unknown, filling):
            if text not in vocabulary:
                raise InputError(f"the tokenizer's vocabulary has no token {text!r:.40}")
        self.vocabulary = vocabulary
        self.begin, self.end, self.unknown, self.filling = (vocabulary[each] for each in (begin, end, unknown, filling))
        pairs = [tuple(words.split(" ")) for words in merges]
        if wrong := [pair for pair in pairs if len(pair) != 2 or "".join(pair) not in vocabulary]:
            raise InputError(f"the tokenizer's merge {' '.join(wrong[0])!r:.40} is not of two tokens into one")
        self.ranks = {pair: rank for rank, pair in reversed([*enumerate(pairs)])}
        special = sorted({begin, end, unknown, filling}, key=len, reverse=True)
        self.special = regex.compile(f"({'|'.join(map(regex.escape, special))})")
        self.word = lru_cache(REMEMBERED)(self._word)

    def encode(self, text: str) -> list[int]:
        """Tokens of a text, without those that begin and end it.

        Raises:
            InputError: text that is not UTF-8.
        """
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InputError(f"the prompt is not UTF-8: {text[error.start : error.end]!a} stands in it") from None
        found = []
        for at, part in enumerate(self.special.split(text)):
            found += [self.vocabulary[part]] if at % 2 else self._plain(part)
        return found

    def padded(self, text: str, places: int) -> list[int]:
        """A prompt: begun, cut, ended and filled up to so many tokens."""
        ids = [self.begin, *self.encode(text)[: places - 2], self.end]
        return ids + [self.filling] * (places - len(ids))

    def _plain(self, text: str) -> list[int]:
        single = regex.sub(r"\s+", " ", unicodedata.normalize("NFC", text))
        small = "".join(letter.lower() for letter in single)  # a sigma at a word's end is as any other
        return [token for word in WORDS.findall(small) for part in PARTS.findall(word) for token in self.word(part)]

    def _word(self, word: str) -> list[int]:
        letters = [LETTERS[byte] for byte in word.encode()]
        letters[-1] += END_OF_WORD
        parts = merge(letters, lambda left, right: self.ranks.get((left, right)))
        return [self.vocabulary.get(part, self.unknown) for part in parts]
