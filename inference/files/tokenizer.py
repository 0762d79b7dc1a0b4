"""Text to tokens and back, through the tokenizers package."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

from inference.errors import InputError

CONTROL = 3  # GGUF's token type of <|im_start|> and its like
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


class Text:
    """A model's tokenizer, from what its file says of it; a model without one reads and writes bytes."""

    def __init__(self, fields: dict[str, Any], vocabulary: int) -> None:
        self.tokenizer = _tokenizer(fields)
        self.template: str | None = _typed(fields, "tokenizer.chat_template", str, None)
        self.vocabulary = vocabulary

    def encode(self, text: str) -> list[int]:
        """Ids of a text, taken raw.

        Raises:
            InputError: text that is not UTF-8, bytes beyond the vocabulary of a model without a tokenizer.
        """
        try:
            ids = list(text.encode())
        except UnicodeEncodeError as error:
            raise InputError(f"the prompt is not UTF-8: {text[error.start : error.end]!a} stands in it") from None
        if self.tokenizer is not None:
            with _panics("the model's tokenizer cannot take the prompt"):
                return list(self.tokenizer.encode(text, add_special_tokens=False).ids)
        if ids and max(ids) >= self.vocabulary:
            raise InputError(f"the model has no tokenizer and knows bytes below {self.vocabulary}, not {max(ids)}")
        return ids

    def decode(self, ids: list[int]) -> str:
        """The text of tokens; bytes that are no UTF-8 become U+FFFD."""
        if self.tokenizer is not None:
            with _panics("the model's tokenizer cannot write the tokens"):
                return str(self.tokenizer.decode(ids, skip_special_tokens=False))
        return bytes(token % 256 for token in ids).decode(errors="replace")

    def chat(self, message: str) -> str:
        """A message in the model's chat template, ready to be answered.

        Raises:
            InputError: the model has none, or it cannot be filled in.
        """
        if self.template is None:
            raise InputError("the model has no chat template; leave --chat out")
        return self.conversation([{"role": "user", "content": message}])

    def conversation(self, messages: list[dict[str, str]]) -> str:
        """Messages {role, content} in the model's chat template, or as lines "role: content", ready to be answered.

        Raises:
            InputError: the template cannot be filled in.
        """
        if self.template is None:
            return "".join(f"{each['role']}: {each['content']}\n" for each in messages) + "assistant: "
        from jinja2 import TemplateError
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        try:
            template = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True).from_string(self.template)
            return template.render(messages=messages, add_generation_prompt=True, bos_token="", eos_token="")
        except (TemplateError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise InputError(f"the model's chat template cannot be filled in: {error}") from None


PANICS = Lock()


@contextmanager
def _panics(what: str) -> Iterator[None]:
    """Failures of the tokenizers package as one line.

    It raises Exception itself. Its panics are no Exception, and say so on standard error before they are raised.
    """
    with PANICS:
        sys.stderr.flush()
        kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 2)
        try:
            yield
        except (InputError, KeyboardInterrupt, SystemExit, MemoryError):
            raise
        except BaseException as error:  # noqa: BLE001 a panic is one
            raise InputError(f"{what}: {' '.join(str(error).split())}") from None
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nothing)


def _tokenizer(fields: dict[str, Any]) -> Any:
    if "tokenizer.json" in fields:
        with _panics("tokenizer.json is not a tokenizer"):
            tokenizer = Tokenizer.from_str(_typed(fields, "tokenizer.json", str))
        # A prompt is neither cut nor filled up.
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer
    if "tokenizer.ggml.model" not in fields:
        return None
    kind, split = fields["tokenizer.ggml.model"], fields.get("tokenizer.ggml.pre", "default")
    if kind != "gpt2":
        raise InputError(f"the file's tokenizer is {kind!r}; gpt2 (byte-level BPE) is supported")
    tokens, merges = _list(fields, "tokenizer.ggml.tokens", str), _list(fields, "tokenizer.ggml.merges", str)
    with _panics("the file's tokenizer cannot be built"):
        pairs = [tuple(merge.split(" ", 1)) for merge in merges]
        tokenizer = Tokenizer(models.BPE({token: index for index, token in enumerate(tokens)}, pairs))
        tokenizer.pre_tokenizer = _pre_tokenizer(split)
        tokenizer.decoder = decoders.ByteLevel()
        types = _list(fields, "tokenizer.ggml.token_type", int, [])
        special = [token for token, type_ in zip(tokens, types, strict=False) if type_ == CONTROL]
        tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return tokenizer


def _typed(fields: dict[str, Any], name: str, kind: type, *default: Any) -> Any:
    value = fields.get(name, *default)
    if value not in default and type(value) is not kind:
        raise InputError(f"the tokenizer's key {name} is not of type {kind.__name__}, or is missing")
    return value


def _list(fields: dict[str, Any], name: str, kind: type, *default: Any) -> list[Any]:
    values: list[Any] = _typed(fields, name, list, *default)
    if any(type(value) is not kind for value in values):
        raise InputError(f"the tokenizer's key {name} holds other than {kind.__name__}")
    return values


def _pre_tokenizer(name: str) -> Any:
    """The splits that GGUF files name."""
    bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    if name == "llama-bpe":
        return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3), "isolated"), bytes_])
    if name in ("default", "gpt-2"):
        return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(GPT2), "isolated"), bytes_])
    if name in ("smollm", "refact", "starcoder", "command-r"):
        digits = pre_tokenizers.Digits(individual_digits=True)
        return pre_tokenizers.Sequence([digits, pre_tokenizers.Split(Regex(GPT2), "isolated"), bytes_])
    raise InputError(f"the file's tokenizer splits by {name!r}; smollm, llama-bpe, default and gpt-2 are supported")
