"""A perceptron in exact integers as a computation that can be disputed: what a zk-SNARK of the same is set beside."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from auction.market import Float
from verification.computation import Observer, Words, side_by_side

TILE = 64  # words of a layer's output that a referee recomputes at once


@dataclass(frozen=True, slots=True)
class Layer:
    """A node: one row, in one leaf."""

    name: str
    words: int
    op: str = "dense"
    rows: int = 1
    guard: None = None


@dataclass(frozen=True, slots=True)
class Step:
    """Some outputs of a layer, or all of them put together."""

    sources: tuple[tuple[int, int] | int, ...]
    words: int
    macs: int
    kind: str
    numbers: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Perceptron:
    """y = clip(floor(W x / 128), 0, 127) layer by layer, weights of 8 bits and the input drawn; widths up to 1,024."""

    widths: tuple[int, ...]
    weights: list[Float] = field(default_factory=list)
    start: list[Float] = field(default_factory=list)
    digests: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(("model", "graph", "input"), "0" * 64))
    terms: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(0)
        # Integers in float64 are exact here, at most 128 * 127 * 1024 terms, and BLAS multiplies them.
        self.weights.extend(rng.integers(-127, 128, (b, a)).astype(float) for a, b in pairwise(self.widths))
        self.start.append(rng.integers(-127, 128, self.widths[0]).astype(float))

    def described(self) -> dict[str, Any]:
        """Its widths; the weights are drawn."""
        return {"widths": list(self.widths)}

    @property
    def nodes(self) -> Sequence[Layer]:
        """A node a layer."""
        return [Layer(f"layer{index}", width) for index, width in enumerate(self.widths[1:])]

    @property
    def macs(self) -> int:
        """Of one pass, which is also the number of weights: there are no biases."""
        return sum(a * b for a, b in pairwise(self.widths))

    def run(self, observe: Observer) -> list[int]:
        """One pass; no tokens come of it."""
        value = self.start[0]
        for node, matrix in enumerate(self.weights):
            value = np.clip(np.floor(matrix @ value / 128), 0, 127)
            other = observe(node, side_by_side([value.astype(np.int32)[None]]))
            value = value if other is None else other[1][0].astype(float)
        return []

    @property
    def kept(self) -> Sequence[int]:
        """All of it: it is small."""
        return range(len(self.nodes))

    def regenerate(self, node: int, kept: Callable[[int], Words]) -> dict[int, Words]:
        """Never asked for."""
        raise AssertionError("every node is kept")

    def ended(self, guard: Words) -> bool:
        """No node ends a run."""
        return False

    def steps(self, node: int, leaf: int) -> Sequence[Step]:
        """TILE outputs each, and their concatenation."""
        words = self.widths[node + 1]
        source = ((node - 1, 0),) if node else ()
        starts = range(0, words, TILE)
        parts = [self._product(source, node, at, min(at + TILE, words)) for at in starts]
        return parts + ([Step(tuple(range(len(parts))), words, 0, "concatenate", {})] if len(parts) > 1 else [])

    def _product(self, source: tuple[tuple[int, int], ...], node: int, start: int, stop: int) -> Step:
        numbers = {"layer": node, "outputs": [start, stop]}
        return Step(source, stop - start, self.widths[node] * (stop - start), "product", numbers)

    def recompute(self, node: int, leaf: int, step: int, inputs: Sequence[Words]) -> Words:
        """A step from its inputs."""
        if step * TILE >= self.widths[node + 1]:
            return np.concatenate(inputs)
        before = inputs[0].astype(float) if node else self.start[0]
        rows = self.weights[node][step * TILE : (step + 1) * TILE]
        return np.clip(np.floor(rows @ before / 128), 0, 127).astype(np.int32)
