"""Several runs of one model as one computation: what a lease of several requests is (section 5).

The nodes of all runs, one after another, then the output: a row a run, each run's own output, -1 beyond it. Every run
stays as it is, so that a dispute goes into the one in which two parties differ.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from verification.computation import (
    LEAF,
    Computation,
    Node,
    Observer,
    Outputs,
    Source,
    Step,
    Words,
    output_of,
    side_by_side,
)
from verification.encoding.canonical import digest
from verification.errors import InputError


@dataclass(frozen=True, slots=True)
class Placed:
    """A run's node among all."""

    name: str
    op: str
    rows: int
    words: int
    guard: int | None


@dataclass(frozen=True, slots=True)
class Moved:
    """A run's step, whose sources are nodes among all; or a leaf of the output."""

    kind: str
    sources: tuple[Source, ...]
    numbers: Mapping[str, Any]
    words: int
    macs: int


class Several:
    """Runs of one model.

    Raises:
        InputError: of several models.
    """

    def __init__(self, runs: Sequence[Computation]) -> None:
        if len({run.digests["model"] for run in runs}) != 1:
            raise InputError("several runs that are one computation are of one model")
        self.runs = list(runs)
        self._starts = [0, *accumulate(len(run.nodes) for run in runs)]
        """Of each run's nodes; the last is the output's place."""

    @cached_property
    def digests(self) -> Mapping[str, str]:
        return {name: digest([run.digests[name] for run in self.runs]) for name in ("model", "graph", "input")}

    @cached_property
    def terms(self) -> Mapping[str, str]:
        names = {name for run in self.runs for name in run.terms}
        return {name: digest([run.terms.get(name, "") for run in self.runs]) for name in sorted(names)}

    @property
    def constants(self) -> Mapping[str, npt.NDArray[Any]]:
        return self.runs[0].constants

    @property
    def macs(self) -> int:
        return sum(run.macs for run in self.runs)

    def described(self) -> dict[str, Any]:
        return self.runs[0].described()

    @cached_property
    def nodes(self) -> Sequence[Node]:
        placed = [
            Placed(f"run{at}.{node.name}", node.op, node.rows, node.words, self._moved_guard(at, node))
            for at, run in enumerate(self.runs)
            for node in run.nodes
        ]
        words = max(run.nodes[-1].words for run in self.runs)
        return [*placed, Placed("output", "output", len(self.runs), words, None)]

    def _moved_guard(self, at: int, node: Node) -> int | None:
        return None if node.guard is None else node.guard + self._starts[at]

    @cached_property
    def kept(self) -> Sequence[int]:
        outputs = (start - 1 for start in self._starts[1:])
        inner = (node + self._starts[at] for at, run in enumerate(self.runs) for node in run.kept)
        return sorted({*inner, *outputs, self._starts[-1]})

    def run(self, observe: Observer) -> list[int]:
        tokens, rows = list[int](), list[Words]()
        for at, run in enumerate(self.runs):
            run.run(self._observing(at, observe, rows))
            tokens += [token for token in rows[at].ravel().tolist() if token >= 0]
        output = self._output(rows)
        other = observe(self._starts[-1], side_by_side([output]))
        if other is not None:
            tokens = [token for token in other[1].ravel().tolist() if token >= 0]
        return tokens

    def _observing(self, at: int, observe: Observer, rows: list[Words]) -> Observer:
        """Shows a run's nodes among all, and keeps its output, as it was or was replaced."""
        first, last = self._starts[at], len(self.runs[at].nodes) - 1

        def see(index: int, outputs: Outputs) -> tuple[int, Words] | None:
            other = observe(index + first, outputs)
            if other is not None:
                other = other[0] - first, other[1]
            if index + len(outputs.starts) > last:
                found = output_of(outputs, last - index).copy()
                rows[at:] = [other[1] if other is not None and other[0] == last else found]
            return other

        return see

    def _output(self, rows: Sequence[Words]) -> Words:
        output = np.full((len(self.runs), self.nodes[-1].words), -1, np.int32)
        for at, row in enumerate(rows):
            output[at, : row.size] = row.ravel()
        return output

    def regenerate(self, node: int, kept: Callable[[int], Words]) -> dict[int, Words]:
        at, inner = self._at(node)
        first = self._starts[at]
        made = self.runs[at].regenerate(inner, lambda other: kept(other + first))
        return {other + first: words for other, words in made.items()}

    def ended(self, guard: Words) -> bool:
        return self.runs[0].ended(guard)  # end tokens are the model's

    def _at(self, node: int) -> tuple[int, int]:
        """The run of a node, and its place in it."""
        at = bisect_right(self._starts, node) - 1
        return at, node - self._starts[at]

    def steps(self, node: int, leaf: int) -> Sequence[Step]:
        if node == self._starts[-1]:
            return [self._row(leaf)]
        at, inner = self._at(node)
        first = self._starts[at]
        return [
            Moved(
                step.kind,
                tuple(source if isinstance(source, int) else (source[0] + first, source[1]) for source in step.sources),
                step.numbers,
                step.words,
                step.macs,
            )
            for step in self.runs[at].steps(inner, leaf)
        ]

    def _row(self, leaf: int) -> Step:
        """A leaf of the output: one of its run's, if that is as long."""
        last = self.nodes[-1]
        at, chunk = divmod(leaf, -(-last.words // LEAF))
        there = chunk * LEAF < self.runs[at].nodes[-1].words
        source: tuple[Source, ...] = ((self._starts[at + 1] - 1, chunk),) if there else ()
        return Moved("row", source, {}, min(LEAF, last.words - LEAF * chunk), 0)

    def recompute(self, node: int, leaf: int, step: int, inputs: Sequence[Words]) -> Words | None:
        if node == self._starts[-1]:
            row = np.full(self._row(leaf).words, -1, np.int32)
            for words in inputs:
                row[: words.size] = words
            return row
        at, inner = self._at(node)
        return self.runs[at].recompute(inner, leaf, step, inputs)
