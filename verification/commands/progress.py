"""What a command does while nobody sees it: a line on standard error that is gone when it is done.

Where standard error is no terminal, a line that stays, once something takes long.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from verification.terminal import printable

PATIENCE = 2.0  # seconds
Advance = Callable[[int, int | None], None]
"""Is told how much is done, and of how much where that is known."""


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show what is being done, and for how long."""
    with _shown(what):
        yield


@contextmanager
def progress(what: str) -> Iterator[Advance]:
    """Show what is being done, how far it is, and for how long."""
    with _shown(what, BarColumn(), MofNCompleteColumn()) as shown:
        yield lambda done, total: shown.update(shown.task_ids[0], completed=done, total=total)


@contextmanager
def _shown(what: str, *columns: ProgressColumn) -> Iterator[Progress]:
    console = Console(stderr=True)
    around = SpinnerColumn(), TextColumn("{task.description}", markup=False), *columns, TimeElapsedColumn()
    line = Timer(PATIENCE, lambda: print(f"{printable(what)} ...", file=sys.stderr, flush=True))
    line.daemon = True
    if not console.is_terminal:
        line.start()
    # Standard output is not led through the console: it may be a file.
    with Progress(
        *around, console=console, transient=True, redirect_stdout=False, disable=not console.is_terminal
    ) as shown:
        shown.add_task(printable(what), total=None)
        try:
            yield shown
        finally:
            line.cancel()
