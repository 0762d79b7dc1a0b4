"""The tokens of a GGUF file by text, number and type."""

from dataclasses import dataclass

from inference.errors import InputError
from inference.tokens.fields import Fields, listed

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)
"""GGUF's types of tokens."""
ENDS = frozenset(
    [
        "<|eot_id|>",
        "<|im_end|>",
        "<|end|>",
        "<|return|>",
        "<|call|>",
        "<|flush|>",
        "<|calls|>",
        "<end_of_turn>",
        "<|endoftext|>",
        "</s>",
        "<|eom_id|>",
        "<EOT>",
        "_<EOT>",
        "[EOT]",
        "[EOS]",
        "<|end_of_text|>",
        "<end_of_utterance>",
        "<eos>",
        "<turn|>",
        "<|tool_response>",
        "<｜end▁of▁sentence｜>",
        "[e~[",
        "<|fim_pad|>",
        "<fim-pad>",
        "<fim_pad>",
        "<PAD>",
        "[PAD]",
        "<|fim_repo|>",
        "<|repo_name|>",
        "<fim-repo>",
        "<REPO>",
        "<reponame>",
        "<|file_sep|>",
    ]
)
"""Texts of tokens after which a text is over, whatever a file's keys say: llama.cpp's list."""
SHOWN = frozenset({"<|channel|>", "<|message|>", "<|start|>", "<|constrain|>"})
"""Control tokens that are part of an answer: user-defined, whatever the file says."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Tokens by number."""

    texts: tuple[str, ...]
    types: tuple[int, ...]
    numbers: dict[str, int]

    def words(self) -> dict[str, int]:
        """The tokens that letters may merge into: a text that spells a control token is no control token."""
        return {text: token for text, token in self.numbers.items() if self.types[token] != CONTROL}

    def of_type(self, *types: int) -> tuple[str, ...]:
        """Texts of the tokens of some types."""
        return tuple(text for text, type_ in zip(self.texts, self.types, strict=True) if type_ in types)


def vocabulary(fields: Fields) -> Vocabulary:
    """The tokens of a GGUF file.

    Raises:
        InputError: keys that are missing or of another type, a token that is there twice or is not UTF-8.
    """
    texts = [text or f"[EMPTY_{i}]" for i, text in enumerate(listed(fields, "tokenizer.ggml.tokens", str))]
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        raise InputError("the tokenizer's key tokenizer.ggml.tokens is not UTF-8") from None
    types = listed(fields, "tokenizer.ggml.token_type", int, [])
    types += [NORMAL] * (len(texts) - len(types))
    numbers: dict[str, int] = {}
    for token, text in enumerate(texts):
        if numbers.setdefault(text, token) != token:
            raise InputError(f"the tokenizer's tokens {numbers[text]} and {token} are both {text!r:.40}")
        if text in SHOWN:
            types[token] = USER_DEFINED
        elif text in ENDS:
            types[token] = CONTROL
    return Vocabulary(tuple(texts), tuple(types[: len(texts)]), numbers)
