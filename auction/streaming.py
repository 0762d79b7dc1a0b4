"""Cells of a sweep, which stream to Parquet as they finish: an interrupted sweep goes on where it stopped."""

import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from auction.errors import InputError
from auction.workers import completed

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")
SUFFIX = ".parquet"


def begin(folder: Path, *, resume: bool) -> None:
    """Make the folder of a sweep's cells; what an earlier one left there goes, unless it is resumed.

    Raises:
        InputError: it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
        for path in () if resume else folder.glob(f"*{SUFFIX}"):
            path.unlink()
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror or error})") from None


def streamed(
    function: Callable[[T], "pd.DataFrame"],
    cells: Iterable[T],
    described: Callable[[T], Any],
    folder: Path | None,
    *,
    alone: bool = False,
    processes: int | None = None,
) -> Iterator[tuple[int, "pd.DataFrame | None"]]:
    """The number of each cell and its frame as soon as that is there; None where its process was killed.

    A frame is written below the folder before it is yielded, as a whole or not at all, and one that lies there already
    is not made again. One of which a row was ``interrupted`` is not kept.

    Args:
        function, alone, processes: as ``workers.completed`` has them.
        described: all that a cell's frame depends on, as JSON.
        folder: where cells are kept; None to keep none.
    """
    cells = list(cells)
    paths = {n: folder / f"{_digest(described(cell))}{SUFFIX}" for n, cell in enumerate(cells)} if folder else {}
    waiting = []
    for number, cell in enumerate(cells):
        kept = _kept(paths[number]) if number in paths else None
        if kept is None:
            waiting.append((number, cell))
        else:
            yield number, kept
    work = partial(_numbered, function)
    for (number, _), frame in completed(work, waiting, alone=alone, processes=processes):
        if frame is not None and number in paths and not (frame["status"] == "interrupted").any():
            temporary = paths[number].with_suffix(f".{secrets.token_hex(8)}.tmp")
            frame.to_parquet(temporary, index=False)
            temporary.replace(paths[number])
        yield number, frame


def _kept(path: Path) -> "pd.DataFrame | None":
    """The frame that lies there, or None where there is none or a damaged one, which is made again."""
    import pandas as pd
    from pyarrow.lib import ArrowException

    try:
        return pd.read_parquet(path)
    except (OSError, ArrowException):
        return None


def _numbered(function: Callable[[T], "pd.DataFrame"], numbered: tuple[int, T]) -> "pd.DataFrame":
    return function(numbered[1])


def _digest(description: Any) -> str:
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()[:32]
