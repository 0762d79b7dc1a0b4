"""A stop that compiled loops can look at."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from auction.market import Int
from auction.search import Stop

NEVER_RAISED: Int = np.zeros(1, dtype=np.int64)


@contextmanager
def flag_of(stop: Stop) -> Iterator[Int]:
    """An array of one number, 0 until the deadline or an interrupt, then 1; loops without the GIL see it change."""
    flag = np.zeros(1, dtype=np.int64)
    stop.on_interrupt(lambda: flag.fill(1))
    timer = None
    if (remaining := stop.remaining()) is not None:
        timer = threading.Timer(remaining, flag.fill, (1,))
        timer.daemon = True
        timer.start()
    try:
        yield flag
    finally:
        if timer is not None:
            timer.cancel()
