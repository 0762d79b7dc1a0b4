"""Where the commands get computations from, and the traces of their runs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from verification.commands.progress import progress, working
from verification.computation import Computation
from verification.encoding.schema import LONGEST_NAME
from verification.errors import InputError
from verification.manifest import Described
from verification.task import MILLION, Task
from verification.tile_store import Store
from verification.trace import Trace, record

Backend = Literal["wgpu", "dawn", "numpy"]
LARGEST_TEMPERATURE = 100
LARGEST_GUIDANCE, MOST_STEPS = 100, 1000


@dataclass(frozen=True, slots=True)
class PictureAsked:
    """How a prompt is to be drawn; None: as is usual."""

    negative_prompt: str | None = None
    guidance: int | None = None
    """Millionths."""
    steps: int | None = None
    size: int | None = None

    @property
    def given(self) -> list[str]:
        """The options that were given."""
        options = ("negative_prompt", "guidance", "steps", "size")
        return [f"--{name.replace('_', '-')}" for name in options if getattr(self, name) is not None]


def picture_asked(
    negative_prompt: str | None, guidance: float | None, steps: int | None, size: int | None
) -> PictureAsked:
    """Of options.

    Raises:
        InputError: a guidance or steps that no task can have.
    """
    weighs = None if guidance is None else _millionths("--guidance", guidance, 0, LARGEST_GUIDANCE)
    if steps is not None and not 1 <= steps <= MOST_STEPS:
        raise InputError(f"--steps {steps} is not allowed; 1 to {MOST_STEPS}")
    return PictureAsked(negative_prompt, weighs, steps, size)


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

    def picture(self, model: str, asked: PictureAsked) -> dict[str, Any]:
        """The keys ``task.PICTURE`` of a task; none of a model that does not draw prompts.

        Raises:
            InputError: something is asked for that the model does not have.
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
    asked: PictureAsked | None = None,
) -> Task:
    """The task that options describe; its computation refuses the rest.

    Raises:
        InputError: no prompt, or a seed, temperature, top-k or top-p that no task can have.
    """
    if not 1 <= len(model) <= LONGEST_NAME:
        raise InputError(
            f"--model {model!r:.40} is not allowed; 1 to {LONGEST_NAME} characters, so that a task can name it"
        )
    if not 0 <= seed < 2**64:
        raise InputError(f"--seed {seed} is not allowed; 0 to 2^64 - 1")
    millionths = _millionths("--temperature", temperature, 0, LARGEST_TEMPERATURE)
    share = _millionths("--top-p", top_p, 1 / MILLION, 1)
    if top_k is not None and not 1 <= top_k <= 2**20:
        raise InputError(f"--top-k {top_k} is not allowed; 1 to 2^20")
    with working(f"reading the model {model}"):
        tokens = tuple(source.prompt(model, prompt, drawn))
        picture = source.picture(model, asked or PictureAsked())
        return Task(
            model,
            tokens,
            limit if drawn is None and not picture else 1,
            millionths,
            seed,
            top_k,
            share if share < MILLION else None,
            **picture,
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
