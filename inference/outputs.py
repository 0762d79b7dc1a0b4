"""Outputs of nodes as a backend shows them: side by side in its own memory."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
LEAF = 1024
"""Words of a leaf, at most."""


def committed(shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows of an output, and words of a row, as they are cut into leaves.

    Of an image (H, W, C) a row is as many pixels of a line, evenly, as a leaf holds, at least one; else its first axis.
    """
    if len(shape) != 3:
        return shape[0], prod(shape[1:])
    lines, pixels, channels = shape
    most = max(1, LEAF // channels)
    each = next(n for n in range(min(pixels, most), 0, -1) if pixels % n == 0)
    return lines * pixels // each, each * channels


@dataclass(frozen=True, slots=True)
class Outputs:
    """Outputs of nodes that follow one another in the schedule."""

    first: int
    """Where the first node stands in the schedule."""
    nodes: Mapping[str, tuple[int, npt.DTypeLike, tuple[int, ...]]]
    """First word, type and shape of each."""
    words: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int64]
    """(nodes,): first words, again."""
    shapes: npt.NDArray[np.int64]
    """(nodes, 2): rows and words of a row of each."""

    def of(self, words: npt.NDArray[np.int32]) -> "Outputs":
        """The same nodes' outputs in other memory."""
        return replace(self, words=words)

    def __getitem__(self, name: str) -> Array:
        """A node's output: a view."""
        start, dtype, shape = self.nodes[name]
        return self.words[start : start + prod(shape)].view(dtype).reshape(shape)

    def items(self) -> Iterator[tuple[str, Array]]:
        """Names and outputs."""
        return ((name, self[name]) for name in self.nodes)


Observer = Callable[[Outputs], Array | None]
"""Sees the outputs of some nodes; their memory is used again after the next ones are seen. ``Reference`` shows one node
at a time, and what this returns, if anything, replaces its output."""


def laid_out(first: int, nodes: Mapping[str, tuple[int, npt.DTypeLike, tuple[int, ...]]]) -> Outputs:
    """Where outputs lie, their words to come."""
    starts = [start for start, _, _ in nodes.values()]
    shapes = [committed(shape) for _, _, shape in nodes.values()]
    return Outputs(first, nodes, np.empty(0, np.int32), np.array(starts, np.int64), np.array(shapes, np.int64))


def alone(first: int, name: str, output: Array) -> Outputs:
    """One node's output."""
    words = np.ascontiguousarray(output).reshape(-1).view(np.int32)
    return laid_out(first, {name: (0, output.dtype, output.shape)}).of(words)
