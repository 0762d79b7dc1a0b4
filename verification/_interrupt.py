"""Ctrl-C while the modules of a command line are still imported: exit code 130, and no traceback of an import."""

import os
import signal
import sys
from types import FrameType

INTERRUPTED = 130


def _exit(number: int, frame: FrameType | None) -> None:
    os._exit(INTERRUPTED)


def raise_again() -> None:
    """From here on it is a KeyboardInterrupt, as everywhere else."""
    if signal.getsignal(signal.SIGINT) is _exit:
        signal.signal(signal.SIGINT, signal.default_int_handler)


# What ``python -m`` calls itself until it has imported the package; a background job may have been told to ignore it.
if sys.argv[:1] == ["-m"] and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, _exit)
