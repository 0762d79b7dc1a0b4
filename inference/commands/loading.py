"""What a command runs: a model from disk on a backend, and a prompt read by its tokenizer."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference import generate as runs
from inference import models
from inference.commands.backends import opened
from inference.commands.progress import working
from inference.errors import InputError
from inference.files import model_file
from inference.model import Model
from inference.models.llama import check, model
from inference.planning import fitting
from inference.tokens.text import Text


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
    with working(f"loading {name}"):
        return _load(name, arithmetic, backend, adapter, ids)


def _load(name: str, arithmetic: Any, backend: str, adapter: str | None, ids: Callable[[Text], list[int]]) -> Loaded:
    if name.endswith(model_file.SUFFIX):
        built, fields = model_file.load(Path(name))
        if built.arithmetic != arithmetic:
            raise InputError(f"{name} is in {built.arithmetic} arithmetic; --arithmetic {built.arithmetic} runs it")
        check(built)
        text = Text(fields, built.measures["vocabulary"])
        tokens = ids(text)
    else:
        fitting.check(name, backend, adapter)
        llama = models.find(name)
        text = Text(llama.tokenizer, llama.vocabulary)
        tokens = ids(text)
        built = model(Path(name).name, llama, arithmetic)
    ready, found = opened(built, backend, adapter)
    return Loaded(built, text, ready, found, tokens)


def prompt_ids(prompt: str | None, tokens: str | None, chat: bool) -> Callable[[Text], list[int]]:
    """How a prompt or a list of ids becomes tokens."""
    if (prompt is None) == (tokens is None):
        raise InputError("give either --prompt or --tokens")
    if tokens is not None:
        try:
            ids = [int(token) for token in tokens.split(",")]
        except ValueError:
            raise InputError(f"--tokens {tokens!r} is not allowed; ids with commas between: 1,2,3") from None
        return lambda text: ids
    assert prompt is not None
    return lambda text: text.encode(text.chat(prompt) if chat else prompt)
