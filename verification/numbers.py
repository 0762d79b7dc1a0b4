"""Small computations of whole numbers alone, for disputes and markets in small; and one of long rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from verification.computation import LEAF, SOURCES, Observer, Source, Words, side_by_side
from verification.encoding.canonical import digest
from verification.manifest import manifest
from verification.trace import chunks, leaf_of, leaf_words

PASSES, ROWS, WORDS = 3, 2, 8


@dataclass(frozen=True, slots=True)
class Node:
    """One dispatch."""

    name: str
    op: str
    rows: int
    words: int
    guard: None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a leaf."""

    kind: str
    sources: tuple[Source, ...]
    numbers: Mapping[str, Any]
    words: int
    macs: int


@dataclass(frozen=True, eq=False)
class Numbers:
    """Passes of one token each: a matrix y = weight token + 3 column + row + seed; (3 y) >> 2, which masks some faults,
    in two parts and their concatenation; the sum of its last row; that modulo 17, the next token. At the end the
    output: -1 after a token that ends it.
    """

    token: int = 4
    """That the first pass begins with."""
    weight: int = 7
    seed: int = 5
    shifts: bool = True
    """Else y is passed on as it is: a layer less."""
    end: tuple[int, ...] = ()
    macs: int = PASSES * ROWS * WORDS * 2
    constants: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def digests(self) -> Mapping[str, str]:
        graph = [[node.name, node.op, node.rows, node.words] for node in self.nodes]
        return {"model": digest(manifest(self)), "graph": digest(graph), "input": digest(self.token)}

    @property
    def terms(self) -> Mapping[str, str]:
        return {"seed": str(self.seed), "limit": str(PASSES), "temperature": "0.0"}

    def described(self) -> dict[str, Any]:
        return described({"weight": self.weight, "shifts": int(self.shifts)}, self.end)

    @cached_property
    def nodes(self) -> Sequence[Node]:
        shapes = {"mix": (ROWS, WORDS), "shift": (ROWS, WORDS), "sum": (1, 1), "choose": (1, 1)}
        passes = [Node(f"pass{at}.{op}", op, *shape) for at in range(PASSES) for op, shape in shapes.items()]
        return [*passes, Node("output", "output", 1, PASSES)]

    @property
    def kept(self) -> Sequence[int]:
        return range(len(self.nodes))

    def run(self, observe: Observer) -> list[int]:
        return [token for token in followed(self, observe).tolist() if token >= 0]

    def regenerate(self, node: int, kept: object) -> dict[int, Words]:
        raise AssertionError("every node is kept")

    def ended(self, guard: Words) -> bool:
        return False

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
                return [Step("deliver", tuple((4 * at + 3, 0) for at in range(PASSES)), {"end": self.end}, PASSES, 0)]

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
            case "deliver":
                tokens = np.concatenate(inputs)
                last = next((at for at, token in enumerate(tokens) if token in made.numbers["end"]), PASSES)
                return np.where(np.arange(PASSES) <= last, tokens, -1).astype(np.int32)
            case _:
                return np.concatenate(inputs)


@dataclass(frozen=True, eq=False)
class LongRows:
    """One row of so many words, in each leaf of the next the sum of ``SOURCES`` leaves, and the output: that modulo 97.

    As long as the rows of the widest models, and an output as long as the longest answers.
    """

    width: int = 32 * LEAF
    macs: int = 32 * LEAF * SOURCES
    constants: Mapping[str, Any] = field(default_factory=dict)
    terms: Mapping[str, str] = field(default_factory=lambda: {"seed": "5", "limit": str(PASSES), "temperature": "0.0"})

    @cached_property
    def digests(self) -> Mapping[str, str]:
        return {"model": digest(manifest(self)), "graph": digest(self.width), "input": digest("none")}

    def described(self) -> dict[str, Any]:
        return described({"width": self.width}, ())

    @cached_property
    def nodes(self) -> Sequence[Node]:
        return [Node(op, op, 1, self.width) for op in ("row", "fold", "output")]

    @property
    def kept(self) -> Sequence[int]:
        return range(len(self.nodes))

    def run(self, observe: Observer) -> list[int]:
        return list(map(int, followed(self, observe)))

    def regenerate(self, node: int, kept: object) -> dict[int, Words]:
        raise AssertionError("every node is kept")

    def ended(self, guard: Words) -> bool:
        return False

    def steps(self, node: int, leaf: int) -> Sequence[Step]:
        first = SOURCES * (leaf // SOURCES)
        sources: tuple[Source, ...] = ((node - 1, leaf),)
        if node < 2:
            sources = tuple((0, at) for at in range(first, first + SOURCES)) if node else ()
        return [Step(self.nodes[node].op, sources, {"leaf": leaf}, leaf_words(self.nodes[node], leaf), LEAF * SOURCES)]

    def recompute(self, node: int, leaf: int, step: int, inputs: Sequence[Words]) -> Words:
        match self.nodes[node].op:
            case "row":
                return (np.arange(LEAF) + LEAF * leaf).astype(np.int32)
            case "fold":
                return ((np.stack(inputs).sum(0, dtype=np.int64) + leaf) % 2**31).astype(np.int32)
            case _:
                return (inputs[0] % 97).astype(np.int32)


def described(measures: Mapping[str, int], end: Sequence[int]) -> dict[str, Any]:
    """What a manifest holds of either besides constants."""
    content = {"arithmetic": "numbers", "measures": dict(measures), "attributes": {}, "logit_fraction": 0}
    return content | {"end": list(end), "tokenizer": "0" * 64}


def followed(computation: Numbers | LongRows, observe: Observer) -> Words:
    """Run every step of every leaf in order; the output."""
    made: list[Words] = []
    for index, node in enumerate(computation.nodes):
        each = chunks(node)
        leaves = [_leaf(computation, index, leaf, made) for leaf in range(node.rows * each)]
        output = np.concatenate(leaves).reshape(node.rows, node.words)
        other = observe(index, side_by_side([output]))
        made.append(output if other is None else other[1])
    return made[-1][0]


def _leaf(computation: Numbers | LongRows, node: int, leaf: int, made: Sequence[Words]) -> Words:
    results: list[Words] = []
    for index, step in enumerate(computation.steps(node, leaf)):
        inputs = [results[at] if isinstance(at, int) else leaf_of(made[at[0]], at[1]) for at in step.sources]
        results.append(computation.recompute(node, leaf, index, inputs))
    return results[-1]
