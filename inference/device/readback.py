"""Reading every output of a pass: side by side in few buffers, run and copied a window of the schedule at a time.

A buffer must not be bound for reading and for writing in one dispatch, so the outputs are spread over arenas: a node's
is none of those its inputs lie in.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, count
from math import prod

import networkx as nx
import numpy as np
import numpy.typing as npt

from inference import ops
from inference.graph import WORD, schedule
from inference.outputs import Outputs, laid_out

ALIGNMENT = 256  # bytes: of an offset into a buffer, on every adapter
WINDOW = 3 << 25
"""Bytes read at once, about: 128 tokens of a model of 135M parameters, and below the 128 MiB that every adapter takes.
Where kernels run on processors, what hashes a window meanwhile slows them by more than it takes."""


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a buffer."""

    buffer: str
    offset: int
    size: int
    """Bytes, at least a vector of 4 words."""


def arenas(graph: nx.DiGraph, limit: int) -> dict[str, Region]:
    """Where each output lies: the first arena with room, none of its inputs', of at most ``limit`` bytes unless an
    output alone needs more.

    The memory of a window is used again by the next but one: what is still read then has an arena of its own.
    """
    regions: dict[str, Region] = {}
    parts = _parts(graph)
    window = {name: index for index, names in enumerate(parts) for name in names}
    last = {source: window[name] for name in window for source in graph.nodes[name]["inputs"]}
    for index, names in enumerate(parts):
        ends: defaultdict[str, int] = defaultdict(int)
        for name in names:
            node = graph.nodes[name]
            size = aligned(WORD * prod(node["shape"]), 4 * WORD)
            if last.get(name, index) > index + 1:
                regions[name] = Region(f"arena of {name}", 0, size)
                continue
            taken = {regions[source].buffer for source in node["inputs"] if source in regions}
            buffers = (f"arena {index % 2} {number}" for number in count())
            buffer = next(b for b in buffers if b not in taken and (ends[b] + size <= limit or not ends[b]))
            regions[name] = Region(buffer, ends[buffer], size)
            ends[buffer] = aligned(ends[buffer] + size, ALIGNMENT)
    return regions


def _parts(graph: nx.DiGraph) -> list[list[str]]:
    """The schedule in windows of ``WINDOW`` bytes or one output."""
    parts: list[list[str]] = [[]]
    size = 0
    for name in schedule(graph):
        moved = WORD * prod(graph.nodes[name]["shape"])
        if parts[-1] and size + moved > WINDOW:
            parts.append([])
            size = 0
        parts[-1].append(name)
        size += moved
    return parts


def aligned(size: int, to: int) -> int:
    """The next multiple."""
    return -(-size // to) * to


@dataclass(frozen=True, slots=True)
class Window:
    """Nodes that follow one another in the schedule; their outputs are read together."""

    nodes: slice
    """Of the schedule."""
    copies: list[tuple[str, int, int, int]]
    """Arena, offset in it, offset of its copy, bytes."""
    outputs: Outputs
    """Where they lie in the copy."""
    size: int
    """Bytes of the copy."""


def windows(graph: nx.DiGraph, regions: Mapping[str, Region]) -> list[Window]:
    """The windows of a schedule whose outputs lie in such regions."""
    parts = _parts(graph)
    ends = list(accumulate(map(len, parts)))
    return [
        _window(graph, slice(end - len(names), end), names, regions) for end, names in zip(ends, parts, strict=True)
    ]


def _window(graph: nx.DiGraph, part: slice, names: list[str], regions: Mapping[str, Region]) -> Window:
    spans: dict[str, tuple[int, int]] = {}
    for region in (regions[name] for name in names):
        start, _ = spans.get(region.buffer, (region.offset, 0))
        spans[region.buffer] = start, region.offset + region.size
    end = 0
    begins: dict[str, int] = {}  # where an arena's first byte would lie in the copy
    copies: list[tuple[str, int, int, int]] = []
    for arena, (start, stop) in spans.items():
        copies.append((arena, start, end, stop - start))
        begins[arena] = end - start
        end += stop - start
    nodes = dict[str, tuple[int, npt.DTypeLike, tuple[int, ...]]]()
    whole = graph.graph["arithmetic"] == "exact"
    for name in names:
        node = graph.nodes[name]
        at = begins[regions[name].buffer] + regions[name].offset
        dtype = np.int32 if whole else getattr(ops.load(node["op"]), "OUTPUT", np.float32)
        nodes[name] = at // WORD, dtype, node["shape"]
    return Window(part, copies, laid_out(part.start, nodes), end)
