"""The computation that adversaries are played on: whole numbers alone, small, with every shape that a dispute meets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from verification.computation import Observer, Source, Words, side_by_side

PASSES, ROWS, WORDS = 3, 2, 8
DIGESTS = {"model": "a" * 64, "graph": "b" * 64, "input": "c" * 64}


@dataclass(frozen=True, slots=True)
class Node:
    """One dispatch; its rows are its leaves."""

    name: str
    op: str
    rows: int
    words: int
    guard: None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a row."""

    kind: str
    sources: tuple[Source, ...]
    numbers: Mapping[str, Any]
    words: int
    macs: int


@dataclass(frozen=True, eq=False)
class Numbers:
    """Passes of one token each: a matrix y = weight token + 3 column + row + seed; (3 y) >> 2, which masks some faults,
    in two parts and their concatenation; the sum of its last row; that modulo 17, the next token. At the end the
    output.
    """

    token: int = 4
    """That the first pass begins with."""
    weight: int = 7
    seed: int = 5
    shifts: bool = True
    """Else y is passed on as it is: a layer less."""
    digests: Mapping[str, str] = field(
        default_factory=lambda: {"model": "a" * 64, "graph": "b" * 64, "input": "c" * 64}
    )
    constants: Mapping[str, Any] = field(default_factory=dict)
    macs: int = PASSES * ROWS * WORDS * 2

    @property
    def terms(self) -> Mapping[str, str]:
        return {"seed": str(self.seed), "limit": str(PASSES), "temperature": "0"}

    def described(self) -> dict[str, Any]:
        return {}

    @property
    def nodes(self) -> Sequence[Node]:
        shapes = {"mix": (ROWS, WORDS), "shift": (ROWS, WORDS), "sum": (1, 1), "choose": (1, 1)}
        passes = [Node(f"pass{at}.{op}", op, *shape) for at in range(PASSES) for op, shape in shapes.items()]
        return [*passes, Node("output", "output", 1, PASSES)]

    @property
    def kept(self) -> Sequence[int]:
        return range(len(self.nodes))

    def run(self, observe: Observer) -> list[int]:
        made: list[Words] = []
        for index, node in enumerate(self.nodes):
            output = np.stack([self._row(index, row, made) for row in range(node.rows)])
            other = observe(index, side_by_side([output]))
            made.append(output if other is None else other[1])
        return [int(token) for token in made[-1][0]]

    def regenerate(self, node: int, kept: object) -> dict[int, Words]:
        raise AssertionError("every node is kept")

    def ended(self, guard: Words) -> bool:
        return False

    def delivered(self, token: int) -> tuple[int, int] | None:
        return (4 * token + 3, 0) if token < PASSES else None

    def steps(self, node: int, leaf: int) -> Sequence[Step]:
        match self.nodes[node].op:
            case "mix":
                before = ((node - 1, 0),) if node else ()
                return [Step("mix", before, {"add": leaf + self.seed}, WORDS, WORDS)]
            case "shift":
                half = WORDS // 2
                parts = [Step("shift", ((node - 1, leaf),), {"first": at}, half, half) for at in (0, half)]
                return [*parts, Step("concatenate", (0, 1), {}, WORDS, 0)]
            case "sum":
                return [Step("sum", ((node - 1, ROWS - 1),), {}, 1, WORDS)]
            case "choose":
                return [Step("choose", ((node - 1, 0),), {}, 1, 1)]
            case _:
                return [Step("concatenate", tuple((4 * at + 3, 0) for at in range(PASSES)), {}, PASSES, 0)]

    def recompute(self, node: int, leaf: int, step: int, inputs: Sequence[Words]) -> Words:
        made = self.steps(node, leaf)[step]
        match made.kind:
            case "mix":
                token = int(inputs[0][0]) if inputs else self.token
                return (self.weight * token + 3 * np.arange(WORDS) + made.numbers["add"]).astype(np.int32)
            case "shift":
                part = inputs[0][made.numbers["first"] :][: made.words].astype(np.int64)
                return (((3 * part) >> 2) if self.shifts else part).astype(np.int32)
            case "sum":
                return np.array([int(inputs[0].sum(dtype=np.int64)) % 2**31], np.int32)
            case "choose":
                return np.mod(inputs[0], 17).astype(np.int32)
            case _:
                return np.concatenate(inputs)

    def _row(self, node: int, row: int, made: Sequence[Words]) -> Words:
        results: list[Words] = []
        for index, step in enumerate(self.steps(node, row)):
            inputs = [results[at] if isinstance(at, int) else made[at[0]][at[1]] for at in step.sources]
            results.append(self.recompute(node, row, index, inputs))
        return results[-1]
