"""How a leaf of a node's output is derived: in steps a referee recomputes one at a time (section 5).

A leaf is at most ``LEAF`` words of one row of a node's output, its shape flattened to rows of words. Each op's
``derivation(row, start, stop, *operands, **attributes)`` gives the steps of columns start to stop of a row. An operand
is an array where it is public (weights, tables, the prompt's tokens, places, draws), else an ``Operand``: the leaves
that hold its rows. Steps compute with the op's reference ``exact`` on slices, or with the pieces it is made of. One
step makes at most ``WORK`` multiply-accumulates and reads at most about ``OPENED`` words; sums, maxima and
concatenations of many parts are trees that take ``FAN`` parts at once. Results are words, u32 by their bits.

| op | tile: what one step computes | what it opens |
| --- | --- | --- |
| embedding | the leaf | the choice of the pass before; of the prompt nothing, its tokens are public |
| rms_norm | the leaf | the row |
| rope, silu_gate | the leaf | the row; of gate and up the columns of the leaf |
| matmul_q4, matmul_q8 | as many columns as ``WORK`` allows, a power of two; concatenated | row and residual |
| attention | scores of a block of up to 16 positions | the query, those rows of the cache |
| | their maximum, a tree | scores of ``FAN`` blocks, then maxima |
| | weights p of a block | its scores, the maximum |
| | den, the sum of p, a tree | p of ``FAN`` blocks, then sums |
| | p' = rs(p, sh) of a block | its p, den |
| | den', the sum of p', a tree | p' of ``FAN`` blocks, then sums |
| | sum p'·v over a block | its p', those rows of the cache |
| | their sum, a tree | ``FAN`` sums |
| | the leaf: times the reciprocal | sum p'·v, den' |
| argmax_partial | maximum and id of a span of 1,024 logits; concatenated | the span's leaf |
| argmax | the leaf | the maxima |
| sample_partial | the weight of a span; concatenated | the maxima, the span's leaf |
| sample | the token if it lies in a span, else -1; their maximum, a tree | sums, maxima, the span's leaf |
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

LEAF = 1024
"""Words of a leaf, at most."""
WORK = 200_000
"""Multiply-accumulates of a step, at most."""
OPENED = 10_000
"""Words a step opens, about."""
FAN = 8
"""Parts that one step of a tree joins."""

Words = npt.NDArray[np.int32]
Source = tuple[int, int] | int
"""A committed leaf (node, leaf), or an earlier step of the same leaf by its index."""


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A part of a leaf's derivation."""

    sources: tuple[Source, ...]
    words: int
    """Of its result."""
    macs: int
    """Multiply-accumulates, or other operations where it makes none; 0 where it only concatenates."""
    compute: Callable[[Sequence[Words]], npt.NDArray[Any]] = field(repr=False)
    """From its inputs, in order, to integers whose low 32 bits are the result."""
    kind: str = ""
    numbers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Operand:
    """A matrix that is committed."""

    words: int
    """Of a row."""
    place: Callable[[int], tuple[int, int]]
    """The node that holds a row, and which of its rows that is."""

    def columns(self, row: int, *spans: tuple[int, int]) -> "Columns":
        """Column ranges of a row; without any, all of it."""
        node, at = self.place(row)
        spans = spans or ((0, self.words),)
        chunks = sorted({chunk for start, stop in spans for chunk in range(start // LEAF, -(-stop // LEAF))})
        first = at * -(-self.words // LEAF)
        return Columns(tuple((node, first + chunk) for chunk in chunks), tuple(chunks), spans)


@dataclass(frozen=True, slots=True)
class Columns:
    """The leaves in which some columns of a row lie, and how to take the columns out of them."""

    leaves: tuple[Source, ...]
    chunks: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]

    @property
    def count(self) -> int:
        return sum(stop - start for start, stop in self.spans)

    def read(self, words: Sequence[Words]) -> Words:
        """(1, columns): the spans in turn, from the words of the leaves."""
        given = dict(zip(self.chunks, words, strict=True))
        parts = []
        for start, stop in self.spans:
            inside = [given[chunk] for chunk in range(start // LEAF, -(-stop // LEAF))]
            offset = start // LEAF * LEAF
            parts.append(np.concatenate(inside)[start - offset : stop - offset])
        return np.concatenate(parts)[None]


def read(words: Sequence[Words], *columns: Columns) -> list[Words]:
    """The columns of several operands, from the words of the leaves of all, in order."""
    at, found = 0, []
    for each in columns:
        found.append(each.read(words[at : at + len(each.leaves)]))
        at += len(each.leaves)
    return found


Combine = Callable[[Sequence[Words]], npt.NDArray[Any]]


def reduced(steps: list[Step], parts: Sequence[int], words: int, combine: Combine) -> int:
    """Reduce the results of steps to one of that many words, in a tree of at least one level; its index."""
    while True:
        parts = _level(steps, parts, combine, lambda group: words, 1)
        if len(parts) == 1:
            return parts[0]


def concatenated(steps: list[Step]) -> list[Step]:
    """The steps and those that put their results side by side."""
    parts: Sequence[int] = range(len(steps))
    while len(parts) > 1:
        parts = _level(steps, parts, np.concatenate, lambda group: sum(steps[part].words for part in group), 0)
    return steps


def _level(
    steps: list[Step], parts: Sequence[int], combine: Combine, words: Callable[[tuple[int, ...]], int], macs: int
) -> list[int]:
    """One step for each ``FAN`` parts; ``macs`` operations a word read."""
    groups = [tuple(parts[at : at + FAN]) for at in range(0, len(parts), FAN)]
    first = len(steps)
    steps += [Step(group, words(group), macs * sum(steps[part].words for part in group), combine) for group in groups]
    return list(range(first, len(steps)))


def unsigned(words: Words) -> npt.NDArray[np.int64]:
    """u32 values from their bits."""
    return words.view(np.uint32).astype(np.int64)
