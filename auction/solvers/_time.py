"""Shares of the time that a stop leaves, and a stop that compiled loops can look at."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from auction.market import Int
from auction.search import Stop

GRACE = 0.5  # seconds past the limit, or after an interrupt, for an allocation at the last prices
NEVER_RAISED: Int = np.zeros(1, dtype=np.int64)


@contextmanager
def flag_of(stop: Stop) -> Iterator[Int]:
    """An array of one number, 0 until the deadline or an interrupt, then 1; loops without the GIL see it change."""
    flag = np.zeros(1, dtype=np.int64)
    stop.on_interrupt(lambda: flag.fill(1))
    over = threading.Event()

    def watch() -> None:
        while (remaining := stop.remaining()) is not None and not over.wait(min(remaining, threading.TIMEOUT_MAX)):
            if stop.now:  # the deadline moves while anything is compiled
                flag.fill(1)
                return

    if stop.remaining() is not None:
        threading.Thread(target=watch, daemon=True).start()
    try:
        yield flag
    finally:
        over.set()


def half_of(stop: Stop) -> Stop:
    """A stop when half of the time that remains is over."""
    remaining = stop.remaining()
    half = Stop(None if remaining is None else remaining / 2, outer=stop)
    stop.on_interrupt(half.interrupt)
    return half


def with_grace(stop: Stop) -> Stop:
    """A stop that comes GRACE seconds after the limit, or from now where it is time already."""
    if stop.now:
        return Stop(GRACE, outer=stop)
    remaining = stop.remaining()
    later = Stop(None if remaining is None else remaining + GRACE, outer=stop)
    stop.on_interrupt(later.interrupt)
    return later
