"""What a dispute needs to know of a computation (section 5); inference satisfies it, tests bring small ones.

A computation is a schedule of nodes, a pure function of the task. A node's output is a matrix of 32-bit words, a row a
position, committed in leaves: at most ``LEAF`` words of one row. A leaf is derived in steps, each from committed leaves
of earlier nodes, from earlier steps of the same leaf, and from what is public by digest (weights, the task's input).
The last step is the leaf itself. Steps are small enough for a referee: thousands of multiply-accumulates, a few
kilobytes opened.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

LEAF = 1024
"""Words of a leaf, at most."""

Words = npt.NDArray[np.int32]
Observer = Callable[[int, Words], Words | None]
"""Sees the index and the output (rows, words) of a node; what it returns, if anything, replaces the output for
the nodes that follow."""


@dataclass(frozen=True, slots=True)
class Node:
    """One dispatch's output."""

    name: str
    op: str
    rows: int
    words: int
    """Words of a row."""
    guard: int | None
    """The node after which the run may have ended; where it had, this node is null: no words. None: always there."""

    @property
    def chunks(self) -> int:
        """Leaves of a row."""
        return -(-self.words // LEAF)

    @property
    def leaves(self) -> int:
        """Leaf l is chunk l % chunks of row l // chunks."""
        return self.rows * self.chunks


@dataclass(frozen=True, slots=True)
class Leaf:
    """A committed leaf."""

    node: int
    leaf: int


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a leaf's derivation: what a referee recomputes at once."""

    inputs: tuple[Leaf | int, ...]
    """Committed leaves, and earlier steps of the same leaf by index."""
    words: int
    """Words of its result."""
    macs: int
    """Multiply-accumulates, or other operations where it makes none."""


class Computation(Protocol):
    """A task's computation: what every party derives for itself from the task, the model and the protocol."""

    digests: dict[str, str]
    """SHA-256 of "model" (weights, tables, formats, layout), "graph" and "input", in hex."""
    nodes: Sequence[Node]
    """In schedule order."""
    macs: int
    """Multiply-accumulates of the whole run."""

    def run(self, observe: Observer, stop: int | None = None) -> list[int]:
        """Execute nodes in order, null ones without words, up to and including node ``stop``; the output tokens."""
        ...

    def ended(self, guard: Words) -> bool:
        """Whether the run ends with what the guard node gave."""
        ...

    def delivered(self, token: int) -> Leaf | None:
        """The leaf whose first word is the output token of that index; None beyond the limit."""
        ...

    def steps(self, node: int, leaf: int) -> Sequence[Step]:
        """The derivation of a leaf; the last step gives its words."""
        ...

    def recompute(self, node: int, leaf: int, step: int, inputs: Sequence[Words]) -> Words:
        """The result of a step from its inputs, in the order of ``Step.inputs``, in numpy."""
        ...
