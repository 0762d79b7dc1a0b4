"""Models as they run, kept between runs: what was derived once of a file is loaded the next time.

A kept model is named by its files (path, size, time of change), the arithmetic and the text of this package: another of
any of them is derived anew. What has not been read for longest goes first.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

from inference.errors import InputError
from inference.files import cache, model_file
from inference.files.gguf_file import SHARD
from inference.model import Model

MOST = 2**33
"""Bytes that are kept."""
READ = ("*.gguf", "*.safetensors", "*.json", "*.jinja")


def derived(
    path: Path, arithmetic: str, make: Callable[[], tuple[Model, dict[str, Any]]]
) -> tuple[Model, dict[str, Any]]:
    """A model and its tokenizer, from what is kept or, where that is nothing, from ``make``, to be kept.

    Raises:
        InputError: see ``make``.
    """
    try:
        name = _name(path, arithmetic)
        kept = cache.folder("models") / f"{name}{model_file.SUFFIX}"
    except (OSError, ValueError):  # no file: whoever reads it says so
        return make()
    if kept.exists():
        with suppress(InputError):  # damaged: made anew
            found = model_file.load(kept)
            kept.touch()
            return found
    made = make()
    with suppress(InputError, OSError):  # a disk that is full, or may not be written, keeps nothing
        if _name(path, arithmetic) == name:
            _keep(kept, *made)
    return made


def _name(path: Path, arithmetic: str) -> str:
    """What a kept model is called."""
    parts = {path, *(each for pattern in READ for each in path.glob(pattern))}
    if SHARD.fullmatch(path.name):
        parts |= set(path.parent.glob("*.gguf"))
    states = [(str(each.resolve()), each.stat()) for each in sorted(parts)]
    said = [[name, state.st_size, state.st_mtime_ns] for name, state in states]
    return sha256(json.dumps([_code(), arithmetic, said]).encode()).hexdigest()


@lru_cache(1)
def _code() -> str:
    """The digest of this package's text: what derives models may have changed with it."""
    texts = sorted(Path(str(files("inference"))).rglob("*.py"))
    return sha256(b"".join(sha256(text.read_bytes()).digest() for text in texts)).hexdigest()


def _keep(to: Path, model: Model, tokenizer: dict[str, Any]) -> None:
    size = sum(constant.nbytes for constant in model.constants.values())
    if size > MOST:
        return
    to.parent.mkdir(parents=True, exist_ok=True)
    oldest = sorted(to.parent.glob(f"*{model_file.SUFFIX}"), key=lambda each: each.stat().st_mtime)
    total = sum(each.stat().st_size for each in oldest)
    while oldest and total + size > MOST:
        total -= oldest[0].stat().st_size
        oldest.pop(0).unlink()
    model_file.save(to, model, tokenizer)
