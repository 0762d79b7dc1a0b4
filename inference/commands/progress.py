"""What a command does before it has anything to show: a line on standard error.

On a terminal it is gone when that is done; elsewhere it stays, and is written only once something takes long.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

from rich.console import Console
from rich.text import Text

from inference.commands.terminal import printable

PATIENCE = 2.0  # seconds


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show what is being done; nothing may be printed meanwhile."""
    console, said = Console(stderr=True), f"{printable(what)} ..."
    if console.is_terminal:
        with console.status(Text(said)):
            yield
        return
    line = Timer(PATIENCE, lambda: print(said, file=sys.stderr, flush=True))
    line.daemon = True
    line.start()
    try:
        yield
    finally:
        line.cancel()
