"""Unigram as GGUF files of the kind t5 have it: of all ways to write a text in tokens the likeliest (Viterbi)."""

import math
import struct

from inference.errors import InputError
from inference.tokens.fields import Fields, listed, typed
from inference.tokens.vocabulary import NORMAL, UNUSED, USER_DEFINED, Vocabulary

PENALTY = 10.0
"""Of a letter that no token has, below the least score there is."""


class Unigram:
    """The likeliest tokens of a text that is brought to a normal form first, ▁ for a space."""

    begun = False

    def __init__(self, fields: Fields, vocabulary: Vocabulary) -> None:
        scores = listed(fields, "tokenizer.ggml.scores", float, [0.0] * len(vocabulary.texts))
        if len(scores) < len(vocabulary.texts):
            raise InputError(f"the tokenizer has {len(scores)} scores for {len(vocabulary.texts)} tokens")
        self.prefix = "▁" if typed(fields, "tokenizer.ggml.add_space_prefix", bool, False) else ""
        self.merged = typed(fields, "tokenizer.ggml.remove_extra_whitespaces", bool, False)
        self.normal = CharacterMap(fields.get("tokenizer.ggml.precompiled_charsmap", []))
        self.unknown = typed(fields, "tokenizer.ggml.unknown_token_id", int, 2)
        self.vocabulary = vocabulary
        self.defined = vocabulary.of_type(USER_DEFINED)
        numbers = vocabulary.numbers
        self.scores = {
            text: 0.0 if vocabulary.types[numbers[text]] == USER_DEFINED else scores[numbers[text]]
            for text in vocabulary.of_type(NORMAL, USER_DEFINED, UNUSED)
        }
        self.longest = max(map(len, self.scores), default=1)
        least = min((scores[numbers[text]] for text in vocabulary.of_type(NORMAL)), default=0.0)
        self.penalty = least - PENALTY

    def encode(self, text: str, first: bool) -> list[int]:
        """Tokens of a text without special ones; letters that no token has are one unknown token."""
        text = self.normalised(text)
        best = [0.0] + [-math.inf] * len(text)
        starts, tokens = [0] * (len(text) + 1), [self.unknown] * (len(text) + 1)

        def offer(start: int, end: int, score: float, token: int) -> None:
            if best[start] + score > best[end]:
                best[end], starts[end], tokens[end] = best[start] + score, start, token

        for start in range(len(text)):
            for end in range(start + 1, min(start + self.longest, len(text)) + 1):
                if (score := self.scores.get(text[start:end])) is not None:
                    offer(start, end, score, self.vocabulary.numbers[text[start:end]])
            if text[start] not in self.scores:
                offer(start, start + 1, self.penalty, self.unknown)
        found: list[int] = []
        end = len(text)
        while end:
            if not (found and found[-1] == tokens[end] == self.unknown):
                found.append(tokens[end])
            end = starts[end]
        return found[::-1]

    def normalised(self, text: str) -> str:
        """A text as its tokens spell it: letters mapped, spaces as ▁, one before the first word and between words."""
        out: list[str] = []
        in_word, begun, at = False, False, 0
        while at < len(text):
            letters, taken = self._next(text, at)
            at += taken
            for letter in letters:
                if letter == " ":
                    in_word = False
                    if not self.merged:
                        out.append("▁")
                    continue
                if not in_word:
                    in_word = True
                    if (self.prefix and not begun) or self.merged:
                        out.append("▁")
                        begun = True
                out.append(letter)
        return "".join(out)

    def _next(self, text: str, at: int) -> tuple[str, int]:
        defined = max((each for each in self.defined if text.startswith(each, at)), key=len, default="")
        return (defined, len(defined)) if defined else self.normal.replaced(text, at)

    def piece(self, token: int) -> bytes:
        """What a token that is neither control nor byte stands for."""
        return self.vocabulary.texts[token].replace("▁", " ").encode()


class CharacterMap:
    """SentencePiece's normal form: an XOR-compressed double array of prefixes, and the texts that replace them.

    A unit is 32 bits: 0 to 7 the byte that leads to it, 8 whether a text ends there, 9 whether its base is shifted by 8
    more, 10 to 30 its base; a unit with bit 31 is an offset into the texts, each of which ends in a zero byte.
    """

    def __init__(self, packed: object) -> None:
        self.units: tuple[int, ...] = ()
        self.texts = b""
        if not packed:
            return
        try:
            content = bytes(each % 256 for each in packed)  # type: ignore[attr-defined]
            [size] = struct.unpack_from("<I", content)
            self.units = struct.unpack_from(f"<{size // 4}I", content, 4)
            self.texts = content[4 + size :]
        except (TypeError, ValueError, struct.error):
            raise InputError("the tokenizer's key tokenizer.ggml.precompiled_charsmap is damaged") from None

    def replaced(self, text: str, at: int) -> tuple[str, int]:
        """What stands for the longest prefix that is replaced, or the next letter, and how many letters that takes."""
        if not self.units:
            return text[at], 1
        found, taken, node = text[at], 1, self._base(0)
        for end in range(at, len(text)):
            for byte in text[end].encode():
                node ^= byte
                if byte == 0 or self._unit(node) & 0x800000FF != byte:
                    return found, taken
                leaf, node = self._unit(node) & 256, node ^ self._base(node)
            if leaf:
                offset = self._unit(node) & 0x7FFFFFFF
                found, taken = (
                    self.texts[offset : self.texts.find(b"\0", offset)].decode(errors="replace"),
                    end + 1 - at,
                )
        return found, taken

    def _unit(self, node: int) -> int:
        if node >= len(self.units):
            raise InputError("the tokenizer's key tokenizer.ggml.precompiled_charsmap is damaged")
        return self.units[node]

    def _base(self, node: int) -> int:
        unit = self._unit(node)
        return (unit >> 10) << ((unit & 512) >> 6)
