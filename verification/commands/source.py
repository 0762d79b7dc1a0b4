"""Where the commands get computations from, and the traces of their runs."""

from pathlib import Path
from typing import Literal, Protocol

from verification.commands.progress import progress, working
from verification.computation import Computation
from verification.errors import InputError
from verification.manifest import Described
from verification.task import MILLION, Task
from verification.tile_store import Store
from verification.trace import Trace, record

Backend = Literal["wgpu", "dawn", "numpy"]
LARGEST_TEMPERATURE = 100


class Source(Protocol):
    """What runs models."""

    @property
    def prompt_chunk(self) -> int:
        """Positions of a prompt in one pass, at most."""

    def prompt(self, model: str, text: str | None, drawn: int | None) -> list[int]:
        """What a task gives a model: the tokens of a text, or the class of the picture that is to be drawn.

        Raises:
            InputError: the one that the model wants is not given, or the other one is.
        """

    def model(self, name: str) -> Described:
        """A model with its constants."""

    def computation(self, task: Task, backend: Backend, adapter: str | None) -> Computation:
        """The task's computation on a backend."""

    def stored(self, task: Task, store: Store) -> Computation:
        """The task's computation on a store's model, of which steps are computed and nothing is run."""

    def substitute(self, task: Task, adversary: str, backend: Backend, adapter: str | None) -> Computation:
        """Another computation of the same schedule: what one of ``corrupt_trace.SUBSTITUTES`` runs instead."""


def task_of(
    source: Source,
    model: str,
    prompt: str | None,
    limit: int,
    temperature: float,
    seed: int,
    top_k: int | None = None,
    top_p: float = 1.0,
    drawn: int | None = None,
) -> Task:
    """The task that options describe; its computation refuses the rest.

    Raises:
        InputError: no prompt, or a seed, temperature, top-k or top-p that no task can have.
    """
    if not 0 <= seed < 2**64:
        raise InputError(f"--seed {seed} is not allowed; 0 to 2^64 - 1")
    millionths = _millionths("--temperature", temperature, 0, LARGEST_TEMPERATURE)
    share = _millionths("--top-p", top_p, 1 / MILLION, 1)
    if top_k is not None and not 1 <= top_k <= 2**20:
        raise InputError(f"--top-k {top_k} is not allowed; 1 to 2^20")
    with working(f"reading the model {model}"):
        return Task(
            model,
            tuple(source.prompt(model, prompt, drawn)),
            limit if drawn is None else 1,
            millionths,
            seed,
            top_k,
            share if share < MILLION else None,
        )


def _millionths(option: str, value: float, low: float, high: float) -> int:
    if not low <= value <= high or (millionths := round(value * MILLION)) / MILLION != value:
        raise InputError(f"{option} {value} is not allowed; whole millionths from {low:g} to {high} are")
    return millionths


def prepared(source: Source, task: Task, backend: Backend, adapter: str | None) -> Computation:
    """The task's computation, its model loaded on the backend."""
    with working(f"preparing the model {task.model} on {backend}"):
        return source.computation(task, backend, adapter)


def stored(source: Source, task: Task, folder: Path) -> Computation:
    """The task's computation, of whose model only the tiles that steps read are loaded.

    Raises:
        InputError: the folder is no store.
    """
    if not (folder / "manifest").is_file():
        raise InputError(f"--tiles {folder}: a folder of a model's tiles is expected, as `tiles` writes one")
    with working(f"opening the model's store {folder}"):
        return source.stored(task, Store(folder))


def recorded(computation: Computation, what: str, *, keep_all: bool = False) -> Trace:
    """A run committed to, with a progress bar."""
    nodes = len(computation.nodes)
    with progress(what) as advance:
        return record(computation, lambda node, output: advance(node + 1, nodes), keep_all=keep_all)
