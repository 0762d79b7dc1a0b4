"""A small computation that is verified: a chain of states, each of which follows from the one before (section 5)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from verification.computation import Observer, Words, side_by_side
from verification.trace import Trace, record

STEPS = 64
MULTIPLIER, INCREMENT, MODULUS = 1664525, 1013904223, 2**32  # Numerical Recipes


def advance(state: int) -> int:
    """One step: a linear congruence modulo 2^32, so that traces that part stay apart."""
    return (MULTIPLIER * state + INCREMENT) % MODULUS


def words(state: int) -> Words:
    """A state as a node's output: one row of one word."""
    return np.array([[state]], np.uint32).view(np.int32)


@dataclass(frozen=True, slots=True)
class Node:
    """One state, or the output."""

    name: str
    op: str
    rows: int = 1
    words: int = 1
    guard: None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A state from the one before."""

    kind: str
    sources: tuple[tuple[int, int], ...]
    words: int = 1
    macs: int = 1
    numbers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Chain:
    """States 1 to ``STEPS`` after a start, then the output, which is the last of them. See ``Computation``."""

    start: int
    nodes: Sequence[Node] = (*(Node(f"state {step}", "advance") for step in range(STEPS)), Node("output", "output"))
    macs: int = STEPS
    kept: Sequence[int] = range(STEPS + 1)

    @property
    def digests(self) -> Mapping[str, str]:
        return {"model": "0" * 64, "graph": "1" * 64, "input": f"{self.start:064x}"}

    @property
    def terms(self) -> Mapping[str, str]:
        return {"limit": str(STEPS)}

    @property
    def constants(self) -> Mapping[str, npt.NDArray[Any]]:
        return {}

    def described(self) -> dict[str, Any]:
        return {"multiplier": MULTIPLIER, "increment": INCREMENT, "steps": STEPS}

    def run(self, observe: Observer) -> list[int]:
        first, state = 0, self.start
        while True:
            states = []
            for _ in range(first, STEPS):
                state = advance(state)
                states.append(state)
            other = observe(first, side_by_side([words(state) for state in [*states, state]]))
            if other is None:
                return [int(words(state)[0, 0])]
            first, state = other[0] + 1, int(other[1].view(np.uint32)[0, 0])

    def regenerate(self, node: int, kept: Callable[[int], Words]) -> dict[int, Words]:
        return {node: kept(node)}

    def ended(self, guard: Words) -> bool:
        return False

    def steps(self, node: int, leaf: int) -> Sequence[Step]:
        return (Step(self.nodes[node].op, ((node - 1, 0),) if node else ()),)

    def recompute(self, node: int, leaf: int, step: int, inputs: Sequence[Words]) -> Words:
        before = int(inputs[0].view(np.uint32)[0]) if node else self.start
        return words(before if node == STEPS else advance(before))[0]


def trace(start: int, fault: int | None = None) -> Trace:
    """The trace of a chain; from state ``fault`` on, of one that goes wrong there."""
    return record(Chain(start), lambda node, output: output ^ 1 if node == fault else None, keep_all=True)
