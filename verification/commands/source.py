"""Where the commands get computations from, and the traces of their runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, Protocol

from rich.console import Console
from rich.progress import Progress

from verification.computation import Computation
from verification.errors import InputError
from verification.task import MILLION, Task
from verification.trace import Trace, record

Backend = Literal["wgpu", "dawn", "numpy"]
LARGEST_TEMPERATURE = 100


class Source(Protocol):
    """What runs models."""

    @property
    def prompt_chunk(self) -> int:
        """Positions of a prompt in one pass, at most."""

    def tokens(self, model: str, prompt: str) -> list[int]:
        """A prompt as tokens."""

    def computation(self, task: Task, backend: Backend, adapter: str | None) -> Computation:
        """The task's computation on a backend."""

    def substitute(self, task: Task, adversary: str, backend: Backend, adapter: str | None) -> Computation:
        """Another computation of the same schedule: what one of ``corrupt_trace.SUBSTITUTES`` runs instead."""


def task_of(source: Source, model: str, prompt: str | None, limit: int, temperature: float, seed: int) -> Task:
    """The task that options describe; its computation refuses the rest.

    Raises:
        InputError: no prompt, or a seed or temperature that no task can have.
    """
    if prompt is None:
        raise InputError("give a --prompt")
    if not 0 <= seed < 2**64:
        raise InputError(f"seed {seed} is not allowed; 0 to 2^64 - 1")
    if (
        not 0 <= temperature <= LARGEST_TEMPERATURE
        or (millionths := round(temperature * MILLION)) / MILLION != temperature
    ):
        raise InputError(f"temperature {temperature} is not allowed; whole millionths from 0 to 100 are")
    return Task(model, tuple(source.tokens(model, prompt)), limit, millionths, seed)


def recorded(computation: Computation, what: str, *, keep_all: bool = False) -> Trace:
    """A run committed to, with a progress bar."""
    with _progress(what, len(computation.nodes)) as advance:
        return record(computation, lambda node, output: advance(node), keep_all=keep_all)


@contextmanager
def _progress(what: str, nodes: int) -> Iterator[Callable[[int], None]]:
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(what, total=nodes)
        yield lambda node: progress.update(bar, completed=node + 1)
