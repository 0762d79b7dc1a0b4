"""Progress of an experiment on standard error, and its independent pieces in several processes."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

from auction.commands.terminal import shown
from auction.workers import completed

T = TypeVar("T")
R = TypeVar("R")


def track(items: Sequence[T], what: str) -> Iterable[T]:
    """The items, with a progress bar while they are worked through; the work of a pool shows none."""
    return shown(items, len(items), what)


def parallel(function: Callable[[T], R], items: Iterable[T], what: str) -> list[R]:
    """``function`` of every item, in order, on all processors: for pieces that are independent and measure no time.

    As ``auction.workers.completed``, on whose scheduler it runs where there is one.

    Raises:
        MemoryError: a piece's process was killed, again and again.
    """
    items = list(items)
    found: dict[int, R] = {}
    pieces = completed(partial(_numbered, function), enumerate(items), processes=1 if len(items) < 2 else None)
    for (number, _), result in shown(pieces, len(items), what):
        if result is None:
            raise MemoryError(f"{what}: piece {number} of {len(items)} was killed; too little memory?")
        found[number] = result[0]
    return [found[number] for number in range(len(items))]


def _numbered(function: Callable[[T], R], numbered: tuple[int, T]) -> tuple[R]:
    return (function(numbered[1]),)
