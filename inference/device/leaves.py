"""Digests of leaves, hashed where the outputs of a run lie, so that only digests are read (section 5).

A leaf is at most ``LEAF`` words of one row of a node's output; ``leaf_digests.wgsl`` hashes it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np

from inference.device.device import Device, Dispatch
from inference.device.loading import Loaded
from inference.device.readback import ALIGNMENT, Region, Window
from inference.graph import WORD
from inference.kernels import alone
from inference.outputs import committed
from inference.steps import LEAF

DIGEST = 32


@dataclass(frozen=True, slots=True)
class Hashed:
    """A window whose leaves are hashed."""

    dispatches: list[Dispatch]
    """After those that give its outputs."""
    digests: Any
    """The buffer in which they are then, in schedule order."""
    size: int
    """Bytes of them."""


def places(
    graph: nx.DiGraph, names: Sequence[str], regions: Mapping[str, Region]
) -> dict[str, list[tuple[int, int, int, int]]]:
    """By buffer, of each leaf in it: its first word there, its words, its place among the leaves of these nodes, 0."""
    found = defaultdict[str, list[tuple[int, int, int, int]]](list)
    index = 0
    for name in names:
        (rows, words), region = committed(graph.nodes[name]["shape"]), regions[f"output {name}"]
        for row in range(rows):
            for start in range(0, words, LEAF):
                first = region.offset // WORD + row * words + start
                found[region.buffer].append((first, min(LEAF, words - start), index, 0))
                index += 1
    return found


def hashing(device: Device, graph: nx.DiGraph, loaded: Loaded) -> list[Hashed]:
    """Of a program whose outputs are all readable, what hashes the leaves of each window."""
    module = device.device.create_shader_module(code=alone("leaf_digests"))
    stage = {"module": module, "entry_point": "main", "constants": {"lanes": device.lanes}}
    pipeline = device.device.create_compute_pipeline(layout="auto", compute=stage)
    return [_hashed(device, pipeline, graph, loaded, window) for window in loaded.windows]


def _hashed(device: Device, pipeline: Any, graph: nx.DiGraph, loaded: Loaded, window: Window) -> Hashed:
    names = [steps[-1].node for steps in loaded.program.steps[window.nodes]]
    found = places(graph, names, loaded.program.regions)
    rows = np.array([leaf for leaves in found.values() for leaf in leaves], np.uint32)
    table = device.buffer("leaves", rows.nbytes)
    digests = device.buffer("digests", DIGEST * len(rows))
    parameters = device.buffer("parameters", ALIGNMENT * len(found), uniform=True)
    device.device.queue.write_buffer(table, 0, rows)
    dispatches, begin = [], 0
    for index, (buffer, leaves) in enumerate(found.items()):
        end, offset = begin + len(leaves), ALIGNMENT * index
        device.device.queue.write_buffer(parameters, offset, np.array([begin, end], np.uint32))
        bound = [(parameters, offset, 16), *((each, 0, each.size) for each in (loaded.buffers[buffer], table, digests))]
        entries = [
            {"binding": binding, "resource": {"buffer": each, "offset": start, "size": size}}
            for binding, (each, start, size) in enumerate(bound)
        ]
        group = device.device.create_bind_group(layout=pipeline.get_bind_group_layout(0), entries=entries)
        dispatches.append(Dispatch(pipeline, group, (-(-len(leaves) // device.lanes), 1, 1)))
        begin = end
    return Hashed(dispatches, digests, DIGEST * len(rows))
