"""Libraries of other languages that write to standard error themselves: what they say there is not shown."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

ONE = RLock()


@contextmanager
def silenced() -> Iterator[None]:
    """Nothing reaches standard error; what is raised goes on."""
    with ONE:
        sys.stderr.flush()
        kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nothing)
