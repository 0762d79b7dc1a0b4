"""Reading every node's output of a pass at once: outputs side by side in few buffers, each copied whole.

A buffer must not be bound for reading and for writing in one dispatch, so the outputs are spread over arenas: a node's
is none of those its inputs lie in. States stay where they are; of them the rows of the pass are copied.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt

from inference import ops
from inference.graph import WORD, schedule

ALIGNMENT = 256  # bytes: of an offset into a buffer, on every adapter

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a buffer."""

    buffer: str
    offset: int
    size: int
    """Bytes, at least a vector of 4 words."""


def arenas(graph: nx.DiGraph, limit: int) -> dict[str, Region]:
    """Where each output lies that has no state: the first arena with room, none of its inputs', of at most ``limit``
    bytes unless an output alone needs more."""
    regions: dict[str, Region] = {}
    ends: list[int] = []
    for name in schedule(graph):
        node = graph.nodes[name]
        if node["state"] is not None:
            continue
        size = aligned(WORD * prod(node["shape"]), 4 * WORD)
        taken = {regions[source].buffer for source in node["inputs"] if source in regions}
        free = (
            index for index, end in enumerate(ends) if f"arena {index}" not in taken and (end + size <= limit or not end)
        )
        index = next(free, len(ends))
        if index == len(ends):
            ends.append(0)
        regions[name] = Region(f"arena {index}", ends[index], size)
        ends[index] = aligned(ends[index] + size, ALIGNMENT)
    return regions


def aligned(size: int, to: int) -> int:
    """The next multiple."""
    return -(-size // to) * to


class Readback:
    """What to copy after a pass into which buffers that can be mapped, and where the outputs then are."""

    def __init__(self, graph: nx.DiGraph, limit: int) -> None:
        self.graph, self.limit = graph, limit
        self.regions = arenas(graph, limit)
        self.sizes: list[int] = []
        """Bytes of the buffers copied into, none above ``limit`` unless one arena is."""
        ends = {region.buffer: region.offset + region.size for region in self.regions.values()}
        self.arenas = {name: (*self._place(size), size) for name, size in ends.items()}
        """Arena to buffer and offset of its copy, and its size."""
        self.outputs: dict[str, tuple[int, int]] = {}
        """Node to buffer and offset, in schedule order."""
        for name in schedule(graph):
            if name in self.regions:
                buffer, offset, _ = self.arenas[self.regions[name].buffer]
                self.outputs[name] = buffer, offset + self.regions[name].offset
            else:
                self.outputs[name] = self._place(WORD * prod(graph.nodes[name]["shape"]))

    def _place(self, size: int) -> tuple[int, int]:
        if not self.sizes or self.sizes[-1] + size > self.limit:
            self.sizes.append(0)
        at = self.sizes[-1]
        self.sizes[-1] = at + aligned(size, 4 * WORD)
        return len(self.sizes) - 1, at

    def copies(self, places: Array) -> Iterator[tuple[str, int, int, int, int]]:
        """Source, its offset, buffer, its offset, size in bytes; ``places`` (T, 2) are those of the pass."""
        for name, (buffer, offset, size) in self.arenas.items():
            yield name, 0, buffer, offset, size
        for name, (buffer, offset) in self.outputs.items():
            node = self.graph.nodes[name]
            if node["state"] is None:
                continue
            rows = places[:, 0].astype(int) * node["attributes"]["capacity"] + places[:, 1]
            width = WORD * node["shape"][1]
            for run in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(rows) != 1) + 1):
                yield (
                    f"state {node['state']}", int(rows[run[0]]) * width, buffer, offset + int(run[0]) * width,
                    len(run) * width,
                )  # fmt: skip

    def views(self, data: list[Any]) -> Iterator[tuple[str, Array]]:
        """Each node's output in schedule order, from the bytes of the buffers."""
        exact = self.graph.graph["arithmetic"] == "exact"
        for name, (buffer, offset) in self.outputs.items():
            node = self.graph.nodes[name]
            dtype = np.int32 if exact else getattr(ops.load(node["op"]), "OUTPUT", np.float32)
            count = prod(node["shape"])
            yield name, np.frombuffer(data[buffer], dtype, count, offset).reshape(node["shape"])
