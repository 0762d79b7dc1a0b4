"""Native code that prints whatever it is told: HiGHS says on standard output that it repairs a solution."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silenced() -> Iterator[None]:
    """Standard output goes nowhere, of the whole process: what else prints there meanwhile is lost too."""
    flush = ctypes.CDLL(None).fflush  # what C's buffer holds would come out later
    flush(None)
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        flush(None)
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
