"""Runs that were recorded: requests that orders draw from, each with its right trace, and wrong ones as cheats make.

A request is run once, however often it is ordered: what is measured is the market, not the model. Its size is that of a
row of a trace of real requests, which says how long cards of the catalogue take; a picture's that of the reference
request of Stable Diffusion XL, whose catalogued work is what its plan counts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from typing import Any

import numpy as np

from auction.data import hardware, traces
from auction.data.hardware import MODELS
from auction.market import Int
from experiments.marketplace.models import Known, Language, Shape, SmallNumbers, asked_among, request_of
from experiments.marketplace.pictures import Pictures
from inference.errors import InputError
from verification.adversaries.corrupt_trace import ADVERSARIES, flipped_bit, substituted
from verification.computation import Computation
from verification.encoding.canonical import digest
from verification.manifest import layouts
from verification.numbers import PASSES
from verification.task import Task
from verification.trace import Trace, record

OLDER_WEIGHTS, FEWER_LAYERS = "older weights", "fewer layers"
VARIANTS = 4
"""Of each kind of wrong trace of a request."""
REQUESTS = {"numbers": 96, "tiny": 12, "pictures": 4}
"""That are recorded of a model, by the name of its kind."""


Traded = SmallNumbers | Language | Pictures


class Remembered:
    """A model of which each run is made once, for whoever asks: a referee's is the parties'."""

    def __init__(self, model: Traded) -> None:
        self.model, self.name, self.digest = model, model.name, model.digest
        # Nobody is sent kernels here: were theirs in the leases, each edit of a kernel would draw other audits.
        self.layouts = digest(layouts(model.digest, {}))
        self.memory, self.macs = model.memory, model.macs
        self._made: dict[tuple[str, str], Computation] = {}
        self.right: dict[str, Trace] = {}
        """By input."""
        self.wrong: dict[tuple[str, str, int], Trace] = {}
        """By input, way and variant."""

    def words(self, request: Mapping[str, Any], raw: bytes) -> int:
        """See ``models.Known``."""
        return self.model.words(request, raw)

    def shape(self, request: Mapping[str, Any], raw: bytes) -> Shape:
        """See ``models.Known``."""
        return self.model.shape(request, raw)

    def computation(self, request: Mapping[str, Any], raw: bytes) -> Computation:
        """See ``models.Known``."""
        key = request["input"], request["seed"]
        if key not in self._made:
            self._made[key] = self.model.computation(request, raw)
        return self._made[key]


@dataclass(eq=False)
class Run:
    """A request that can be ordered."""

    model: Remembered
    request: dict[str, Any]
    raw: bytes
    """Its input."""
    row: Int
    """(2,) of the trace: prompt and generated tokens, or images and steps."""
    work: float
    """Reference requests that it is worth."""

    @property
    def computation(self) -> Computation:
        return self.model.computation(self.request, self.raw)

    @property
    def right(self) -> Trace:
        """Its trace."""
        key = self.request["input"]
        if key not in self.model.right:
            self.model.right[key] = record(self.computation)
        return self.model.right[key]

    @property
    def root(self) -> str:
        return self.right.tree.root.hex()

    def wrong(self, how: str, variant: int) -> Trace:
        """Another trace than the right one, made in a way of ``WAYS``."""
        variant %= VARIANTS
        key = self.request["input"], how, variant
        if key not in self.model.wrong:
            generator = np.random.default_rng([variant, *self.right.tree.root[:8]])
            try:
                made = WAYS[how](self, generator)
            except InputError:  # followed, the fault takes a later node beyond its bounds
                made = self.right
            if made.tree.root == self.right.tree.root:  # or nothing shows it
                made = flipped_bit(self.right.copy(), generator)
            self.model.wrong[key] = made
        return self.model.wrong[key]


def _older_weights(run: Run, generator: np.random.Generator) -> Trace:
    return substituted(run.computation, record(_cheaper(run, "coarser-weights"), keep_all=True))


def _fewer_layers(run: Run, generator: np.random.Generator) -> Trace:
    return substituted(run.computation, record(_cheaper(run, "fewer-layers"), keep_all=True))


def _cheaper(run: Run, how: str) -> Computation:
    model = run.model.model
    if isinstance(model, SmallNumbers):
        right = model.computation(run.request, run.raw)
        return replace(right, shifts=False) if how == "fewer-layers" else replace(right, weight=right.weight - 1)
    if isinstance(model, Pictures):
        return model.cheaper(run.request, run.raw, how)
    ids = np.frombuffer(run.raw, "<i4").tolist()
    asked = run.request
    task = Task(
        run.model.name, tuple(ids), asked["limit"], asked["temperature"], int(asked["seed"]), **asked_among(asked)
    )
    return model.models.substitute(task, how, "numpy", None)


def _corrupted(make: Callable[[Trace, np.random.Generator], Trace]) -> Callable[[Run, np.random.Generator], Trace]:
    return lambda run, generator: make(run.right.copy(), generator)


WAYS: Mapping[str, Callable[[Run, np.random.Generator], Trace]] = {
    **{name: _corrupted(make) for name, make in ADVERSARIES.items()},
    OLDER_WEIGHTS: _older_weights,
    FEWER_LAYERS: _fewer_layers,
}
"""Of cheating, by name."""


@cache
def _remembered() -> tuple[Remembered, ...]:
    """The models of all markets: a request is the same in each, and so are its traces."""
    made: tuple[Traded, ...] = (
        SmallNumbers("numbers 7", 7),
        SmallNumbers("numbers 11", 11),
        Language("tiny"),
        Pictures(),
    )
    return tuple(map(Remembered, made))


class Recorded:
    """The models that are traded, the requests of each, and by what a lease asks for the run of it."""

    def __init__(self, generator: np.random.Generator) -> None:
        self.models: list[Known] = list(_remembered())
        self.stands_for = MODELS[:2] + MODELS[3:4] + MODELS[2:3]
        """Models of the catalogue whose sizes and speeds they are given."""
        self.runs: list[list[Run]] = []
        self._by_request: dict[tuple[str, str, str], Run] = {}
        self._by_input: dict[tuple[str, str], Run] = {}
        for known, catalogued in zip(_remembered(), self.stands_for, strict=True):
            many = REQUESTS[known.name.split()[0]]
            reference = np.array(hardware.REFERENCE_REQUEST[catalogued.trace])
            one = float(hardware.reference_seconds(catalogued, reference))
            if catalogued.trace == "image":
                rows = np.tile(reference, (many, 1))
            else:
                rows = traces.draw_requests(catalogued.trace, many, generator, None)
            work = hardware.reference_seconds(catalogued, rows) / one
            found = [self._run(known, number, rows[number], float(work[number])) for number in range(many)]
            self.runs.append(found)
            self._by_request |= {_key(run.request): run for run in found}
            self._by_input |= {(known.digest, run.computation.digests["input"]): run for run in found}

    @staticmethod
    def _run(known: Remembered, number: int, row: Int, work: float) -> Run:
        model = known.model
        if isinstance(model, SmallNumbers):
            raw, limit = model.input(number), PASSES
        elif isinstance(model, Pictures):
            raw, limit = model.input([1 + number, 2, 3 + number]), 1
        else:
            raw, limit = model.input([1 + number, 2, 3 + number]), 2
        return Run(known, request_of(known, sha256(raw).hexdigest(), limit=limit, seed=number), raw, row, work)

    def of(self, requests: Sequence[Mapping[str, Any]]) -> Run:
        """The run of a lease's request."""
        [request] = requests
        return self._by_request[_key(request)]

    def of_computation(self, computation: Computation) -> Run:
        """The same, of what a referee runs."""
        model, graph_input = computation.digests["model"], computation.digests["input"]
        return self._by_input[model, graph_input]


def _key(request: Mapping[str, Any]) -> tuple[str, str, str]:
    return request["model"], request["input"], request["seed"]
