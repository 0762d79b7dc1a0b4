"""What a dispute needs to know of a computation (section 5); inference satisfies it, tests bring small ones.

A computation is a schedule of nodes, a pure function of the task. A node's output is a matrix of 32-bit words, a row a
position, committed in leaves: at most ``LEAF`` words of one row. A leaf is derived in steps, each from committed leaves
of earlier nodes, from earlier steps of the same leaf, and from what is public by digest (weights, the task's input).
The last step is the leaf itself. Steps are data, each of a kind that is known by name, and small enough for a referee:
at most ``SOURCES`` leaves or results read, of ``LEAF`` words each, and ``WORK`` multiply-accumulates.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

LEAF = 1024
"""Words of a leaf, and of a step's result, at most."""
SOURCES = 8
"""What a step reads, at most."""
WORK = 200_000
"""Multiply-accumulates of a step, at most."""

Words = npt.NDArray[np.int32]
Source = tuple[int, int] | int
"""What a step reads: a committed leaf (node, leaf), or an earlier step of the same leaf by its index."""


class Outputs(Protocol):
    """Outputs of nodes that follow one another in the schedule, side by side."""

    @property
    def words(self) -> Words:
        """Of all of them."""

    @property
    def starts(self) -> npt.NDArray[np.int64]:
        """(nodes,): the first word of each."""

    @property
    def shapes(self) -> npt.NDArray[np.int64]:
        """(nodes, 2): rows and words of a row of each; no rows where it is null."""


Observer = Callable[[int, Outputs], tuple[int, Words] | None]
"""Sees the outputs of some nodes and the index of the first. Their memory is used again after the next ones are seen.
What it returns, if anything, is one of the nodes and another output for it (rows, words), from which those after it
follow: they are seen anew."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Outputs with memory of their own."""

    words: Words
    starts: npt.NDArray[np.int64]
    shapes: npt.NDArray[np.int64]


def side_by_side(outputs: Sequence[Words]) -> Batch:
    """Matrices (rows, words) as one batch."""
    shapes = np.array([output.shape for output in outputs], np.int64).reshape(-1, 2)
    ends = np.cumsum(shapes.prod(1))
    return Batch(np.concatenate([output.ravel() for output in outputs]), ends - shapes.prod(1), shapes)


def output_of(outputs: Outputs, index: int) -> Words:
    """The matrix (rows, words) of one of the nodes: a view."""
    rows, words = outputs.shapes[index].tolist()
    start = int(outputs.starts[index])
    return outputs.words[start : start + rows * words].reshape(rows, words)


class Node(Protocol):
    """One dispatch's output. Leaf l of it is chunk l % chunks of row l // chunks; a row has ceil(words / LEAF)."""

    @property
    def name(self) -> str: ...

    @property
    def op(self) -> str: ...

    @property
    def rows(self) -> int: ...

    @property
    def words(self) -> int:
        """Of a row."""

    @property
    def guard(self) -> int | None:
        """The node after which the run may have ended; where it had, or is null itself, this node is null: no rows.
        None: always there."""


class Step(Protocol):
    """A part of a leaf's derivation: what a referee recomputes at once."""

    @property
    def kind(self) -> str:
        """The name of what it computes."""

    @property
    def sources(self) -> tuple[Source, ...]: ...

    @property
    def numbers(self) -> Mapping[str, Any]:
        """All else that its kind takes, as JSON of whole numbers, texts and lists; constants are named."""

    @property
    def words(self) -> int:
        """Of its result."""

    @property
    def macs(self) -> int:
        """Multiply-accumulates, or other operations where it makes none."""


class Computation(Protocol):
    """A task's computation: what every party derives for itself from the task, the model and the protocol."""

    @property
    def digests(self) -> Mapping[str, str]:
        """SHA-256 of "model" (its manifest), "graph" and "input", in hex."""

    @property
    def terms(self) -> Mapping[str, str]:
        """The task's other terms as text: seed, temperature, token limit."""

    @property
    def constants(self) -> Mapping[str, npt.NDArray[Any]]:
        """Weights and tables by name. One of several axes is a matrix of its first axis by all the others, one of a
        single axis a matrix of one row."""

    def described(self) -> dict[str, Any]:
        """What decides a result besides the constants, as JSON of whole numbers, texts and lists: arithmetic, measures,
        attributes, logit_fraction, end, tokenizer (its digest)."""

    @property
    def nodes(self) -> Sequence[Node]:
        """In schedule order. The last, ``output``, is never null: one row, the tokens in order, -1 where a pass is
        null."""

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the whole run."""

    def run(self, observe: Observer) -> list[int]:
        """Execute all nodes in order, null ones without rows; the output tokens."""

    @property
    def kept(self) -> Sequence[int]:
        """The nodes, in order, whose words a party keeps, since later passes read them; the others are regenerated."""

    def regenerate(self, node: int, kept: Callable[[int], Words]) -> dict[int, Words]:
        """The outputs of all nodes of the pass ``node`` belongs to, from the words of kept nodes before it."""

    def ended(self, guard: Words) -> bool:
        """Whether the run ends with what the guard node gave, its last row at least."""

    def steps(self, node: int, leaf: int) -> Sequence[Step]:
        """The derivation of a leaf; the last step gives its words."""

    def recompute(self, node: int, leaf: int, step: int, inputs: Sequence[Words]) -> Words | None:
        """The result of a step from the words of its sources, in order, those of null nodes without any; None where
        they are such as no honest run gives. An exception is a fault of the code, and convicts nobody."""
