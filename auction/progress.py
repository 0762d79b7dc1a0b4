"""Incumbents and bounds over time: what a solver knew of the optimum, and when."""

from collections.abc import Callable
from typing import NamedTuple

CLOSE = 0.01  # of the time passed: of several points within it the last is kept


class Progress(NamedTuple):
    """What was known of the optimum by some time."""

    seconds: float  # of solving
    welfare: int | None  # of the best allocation by then, micro-tokens; None before the first
    bound: int | None  # the least by then, micro-tokens; None before the first

    @property
    def gap(self) -> float | None:
        """(bound - welfare) / bound; 0 when both are 0; None before there is one of each."""
        if self.bound is None or self.welfare is None:
            return None
        return (self.bound - self.welfare) / self.bound if self.bound else 0.0


History = tuple[Progress, ...]  # seconds and welfare rise, bounds fall
Callback = Callable[[Progress], object]


def further(last: Progress | None, seconds: float, welfare: int | None, bound: int | None) -> Progress | None:
    """What is known after something more was found; None where that is no better than what was known."""
    before = last or Progress(0.0, None, None)
    better = welfare is not None and (before.welfare is None or welfare > before.welfare)
    tighter = bound is not None and (before.bound is None or bound < before.bound)
    if not (better or tighter):
        return None
    return Progress(seconds, welfare if better else before.welfare, bound if tighter else before.bound)


def settled(history: list[Progress], end: Progress) -> History:
    """The history of what ended so: without what the solver itself does not hold to any more."""
    held = [
        Progress(
            at.seconds,
            at.welfare if at.welfare is None or end.welfare is None or at.welfare <= end.welfare else None,
            at.bound if at.bound is None or end.bound is None or at.bound >= end.bound else None,
        )
        for at in history
        if at.seconds <= end.seconds
    ]
    return tuple(held) if held and held[-1][1:] == end[1:] else (*held, end)


def add(history: list[Progress], new: Progress) -> None:
    """Append it, without the last where the one before that is hardly older: histories grow as the log of time."""
    if len(history) > 1 and new.seconds - history[-2].seconds < CLOSE * new.seconds:
        history.pop()
    history.append(new)
