"""What the command lines share: one line for bad input, exit codes, progress, and a standard output kept clean."""

import ctypes
import io
import json
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import typer
from numba.core.event import Listener, install_listener
from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, track
from rich.table import Table

from auction._interrupt import INTERRUPTED, raise_again
from auction.errors import InputError
from distribute_lab.help import flowing

BAD_INPUT = 2
NONE = "–"  # in a table: there is no such number
T = TypeVar("T")
PATIENCE = 2.0  # seconds after which a line says what is being done, where no terminal shows it

# Names and texts of files are shown as they are: brackets and colons are no markup.
stdout = Console(markup=False, emoji=False, highlight=False)
stderr = Console(stderr=True, markup=False, emoji=False, highlight=False)


def printable(text: str) -> str:
    """Text from a file or an argument with what a terminal would obey (escape codes, new lines) written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class _Compiling(Listener):
    """Says why nothing seems to happen: what numba compiles it keeps, so this is once an installation."""

    said = False

    def on_start(self, event: Any) -> None:
        if not self.said:
            stderr.print("compiling for this machine on first use, once: a few minutes")
            self.said = True

    def on_end(self, event: Any) -> None: ...


def run(app: typer.Typer) -> None:
    """Run a command line: exit code 2 and one line on bad input, 130 when interrupted."""
    raise_again()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # what the console's encoding lacks
    try:
        with install_listener("numba:compile", _Compiling()):
            sys.exit(flowing(app)(standalone_mode=False))
    except InputError as error:
        fail(*error.lines)
    except typer.TyperException as error:
        if message := getattr(error, "format_message", error.__str__)():
            fail(message)
        sys.exit(BAD_INPUT)  # without a command: its help was shown
    except OSError as error:
        if error.filename is None:
            raise
        fail(f"{error.filename}: {error.strerror}")
    except MemoryError:
        fail("not enough memory for a problem of this size")
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(INTERRUPTED)


def fail(*messages: str) -> None:
    """Print a line for each message and exit with code 2."""
    for message in messages:
        print("error: " + printable(" ".join(message.split())), file=sys.stderr)
    sys.exit(BAD_INPUT)


def key_values(pairs: list[str]) -> dict[str, str]:
    """``key=value`` arguments as a dictionary.

    Raises:
        InputError: no ``=``, or a key given twice.
    """
    options: dict[str, str] = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator or not key:
            raise InputError(f"option {pair!r} is not allowed; key=value")
        if key in options:
            raise InputError(f"option {key!r} is given twice")
        options[key] = value
    return options


@contextmanager
def working(what: str) -> Iterator[Callable[[str], None]]:
    """A spinner and a clock on standard error while something runs; gives what says something else in its place.

    Where standard error is no terminal, it is a line, once it takes long.
    """
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    progress = Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal)
    with announced(what), progress:
        task = progress.add_task(printable(what))
        yield lambda now: progress.update(task, description=printable(now))


def shown(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """So many items, with a bar on standard error, as they come; the work of a pool shows none."""
    if multiprocessing.parent_process() is not None:
        yield from items
        return
    with announced(f"{what}: {total}"):
        yield from track(items, what, total, console=stderr, transient=True, disable=not stderr.is_terminal)


@contextmanager
def announced(what: str) -> Iterator[None]:
    """A line on standard error, where it is no terminal, once something runs for longer than ``PATIENCE``."""
    line = threading.Timer(PATIENCE, lambda: print(f"{printable(what)} ...", file=sys.stderr, flush=True))
    line.daemon = True
    if not stderr.is_terminal:
        line.start()
    try:
        yield
    finally:
        line.cancel()


@contextmanager
def clean_stdout() -> Iterator[None]:
    """Send what libraries written in C print to standard error: SCIP announces an interrupt with printf."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        ctypes.CDLL(None).fflush(None)  # what C buffered must leave before the descriptor changes back
        os.dup2(kept, 1)
        os.close(kept)


def print_named(name: str, *paragraphs: str) -> None:
    """A name, whole, on a line of its own: it can be copied whatever the width; below it what there is to say."""
    print(name)
    for paragraph in filter(None, paragraphs):
        stdout.print(Padding(paragraph, (0, 0, 0, 4)))


def table_of(name: str, *numbers: str, caption: str | None = None) -> Table:
    """A table of few strokes: names, which are never cut off, then numbers."""
    table = Table(box=box.SIMPLE_HEAD, collapse_padding=True, pad_edge=False, caption=caption)
    table.add_column(name, overflow="fold", min_width=19)
    for column in numbers:
        table.add_column(column, justify="right", overflow="fold")
    return table


def print_json(value: Any) -> None:
    """JSON on standard output."""
    print(json.dumps(value, allow_nan=False))
