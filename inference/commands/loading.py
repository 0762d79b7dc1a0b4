"""What a command runs: a model from disk on a backend, and a prompt read by its tokenizer."""

import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference import generate as runs
from inference import models
from inference.commands.backends import opened
from inference.commands.progress import working
from inference.commands.terminal import printable
from inference.errors import InputError
from inference.files import model_file
from inference.files.derived import derived
from inference.model import Model
from inference.models.llama import check, model
from inference.planning import fitting
from inference.tokens.text import Text

LONGEST_TEXT = 2**26
"""Bytes; far more than a context."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a command runs."""

    model: Model
    text: Text
    backend: runs.Backend
    adapter: str
    ids: list[int]


def load(name: str, arithmetic: Any, backend: str, adapter: str | None, ids: Callable[[Text], list[int]]) -> Loaded:
    """A model on a backend, its prompt read first: bad input shows before the long work."""
    brought: list[str] = []
    with working(f"loading {name}"):
        loaded = _load(name, arithmetic, backend, adapter, ids, brought)
    if brought:
        print(f"{printable(name)}: weights of {', '.join(brought)} were brought to 8 bits", file=sys.stderr)
    return loaded


def _load(
    name: str,
    arithmetic: Any,
    backend: str,
    adapter: str | None,
    ids: Callable[[Text], list[int]],
    brought: list[str],
) -> Loaded:
    if name.endswith(model_file.SUFFIX):
        built, fields = model_file.load(Path(name))
        if built.arithmetic != arithmetic:
            raise InputError(f"{name} is in {built.arithmetic} arithmetic; --arithmetic {built.arithmetic} runs it")
        check(built)
        text = Text(fields, built.measures["vocabulary"])
        tokens = ids(text)
    elif name == "tiny":
        read = models.find(name)
        text = Text(read.tokenizer, read.vocabulary)
        tokens = ids(text)
        built = model(name, read, arithmetic)
    else:

        def make() -> tuple[Model, dict[str, Any]]:
            fitting.check(name, backend, adapter)
            read = models.find(name)
            ids(Text(read.tokenizer, read.vocabulary))
            brought.extend(read.brought)
            return model(Path(name).name, read, arithmetic), read.tokenizer

        built, fields = derived(models.path_of(name), arithmetic, make)
        text = Text(fields, built.measures["vocabulary"])
        tokens = ids(text)
    ready, found = opened(built, backend, adapter)
    return Loaded(built, text, ready, found, tokens)


def prompt_ids(
    prompt: str | None, tokens: str | None, chat: bool, file: Path | None = None
) -> Callable[[Text], list[int]]:
    """How a prompt, the content of a file or a list of ids becomes tokens.

    Raises:
        InputError: none of them or several are given, there is nothing in it, or it cannot be read.
    """
    if [prompt, tokens, file].count(None) != 2:
        raise InputError("give one of --prompt, --tokens and --prompt-file")
    if tokens is not None:
        try:
            ids = [int(token) for token in tokens.split(",")]
        except ValueError:
            raise InputError(f"--tokens {tokens!r} is not allowed; ids with commas between: 1,2,3") from None
        return lambda text: ids
    said = prompt if file is None else read(file)
    if not said:
        raise InputError("the prompt is empty; at least one token is needed")
    return lambda text: text.encode(text.chat(said) if chat else said)


def read(file: Path) -> str:
    """A text in UTF-8, a pipe's too; -: standard input."""
    try:
        with nullcontext(sys.stdin.buffer) if str(file) == "-" else file.open("rb") as opened:
            content = opened.read(LONGEST_TEXT + 1)
        if len(content) > LONGEST_TEXT:
            raise InputError(f"{file}: more than {LONGEST_TEXT} bytes")
        return content.decode()
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not UTF-8: {error.reason} at byte {error.start}") from None
