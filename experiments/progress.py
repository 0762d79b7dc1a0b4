"""Progress of an experiment on standard error."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from rich.progress import track as rich_track

from auction.commands.terminal import stderr

T = TypeVar("T")


def track(items: Sequence[T], what: str) -> Iterable[T]:
    """The items, with a progress bar while they are worked through."""
    return rich_track(items, description=what, console=stderr, transient=True, disable=not stderr.is_terminal)
