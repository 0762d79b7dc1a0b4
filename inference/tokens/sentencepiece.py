"""SentencePiece as GGUF files of the kind llama have it: neighbours merge into the token of the highest score."""

from inference.errors import InputError
from inference.tokens.fields import Fields, listed, typed
from inference.tokens.merging import merge
from inference.tokens.vocabulary import Vocabulary


class SentencePiece:
    """The letters of a text merged without words, ▁ for a space; letters without a token become bytes."""

    begun = True

    def __init__(self, fields: Fields, vocabulary: Vocabulary) -> None:
        scores = listed(fields, "tokenizer.ggml.scores", float, [0.0] * len(vocabulary.texts))
        if len(scores) < len(vocabulary.texts):
            raise InputError(f"the tokenizer has {len(scores)} scores for {len(vocabulary.texts)} tokens")
        self.prefix = " " if typed(fields, "tokenizer.ggml.add_space_prefix", bool, True) else ""
        self.vocabulary, self.words = vocabulary, vocabulary.words()
        self.ranks = {text: -scores[token] for text, token in self.words.items()}

    def encode(self, text: str, first: bool) -> list[int]:
        """Tokens of a text without special ones; ``first``: nothing or a special token stands before it."""
        letters = ((self.prefix if first else "") + text).replace(" ", "▁")
        parts = merge(letters, lambda left, right: self.ranks.get(left + right))
        return [token for part in parts for token in self._tokens(part)]

    def _tokens(self, part: str) -> list[int]:
        if part in self.words:
            return [self.words[part]]
        pieces = [f"<0x{byte:02X}>" for byte in part.encode()]
        if missing := [piece for piece in pieces if piece not in self.words]:
            raise InputError(f"the model's vocabulary has no token for {missing[0]}")
        return [self.words[piece] for piece in pieces]

    def piece(self, token: int) -> bytes:
        """What a token that is neither control nor byte stands for."""
        return self.vocabulary.texts[token].replace("▁", " ").encode()
