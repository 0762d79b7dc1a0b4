"""Ctrl-C while modules are imported: no traceback of an import, no module half made, no interrupt that is lost."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 130


def _exit(number: int, frame: FrameType | None) -> None:
    os._exit(INTERRUPTED)


def raise_again() -> None:
    """From here on it is a KeyboardInterrupt, as everywhere else."""
    if signal.getsignal(signal.SIGINT) is _exit:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def held() -> Iterator[None]:
    """Raise an interrupt at the end of the block: native code that imports Python's swallows it."""
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield
        return
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if came:
            raise KeyboardInterrupt


# What ``python -m`` calls itself until it has imported the package; a background job may have been told to ignore it.
if sys.argv[:1] == ["-m"] and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, _exit)
