"""A model as a DAG of ops with shapes: validation, a deterministic schedule, buffers, cost.

A graph is a ``networkx.DiGraph`` with ``graph.graph["arithmetic"]``, and for each node a ``kind``

* ``input``: given anew at every run (tokens, places);
* ``weight``: constant (weights and tables);
* ``op``: one dispatch, with ``op``, ``inputs`` (ordered), ``attributes`` and the ``shape`` of its output. A node with
  ``state`` writes its rows, at their places, into a buffer of that name as well, which outlives the run; who reads the
  node reads all of that buffer.

Edges follow the inputs.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from math import prod
from typing import Any, Literal

import networkx as nx
import numpy as np

from inference import ops
from inference.errors import InputError
from inference.ops import Shape

Arithmetic = Literal["exact", "float32"]
WORD = 4  # bytes


def new(arithmetic: Arithmetic) -> nx.DiGraph:
    """A graph without nodes."""
    return nx.DiGraph(arithmetic=arithmetic)


def source(graph: nx.DiGraph, name: str, kind: Literal["input", "weight"], shape: Shape) -> str:
    """Add an input or a weight; returns its name. A weight may be asked for again."""
    known = graph.nodes.get(name)
    if known and (known["kind"], known["shape"]) != (kind, shape):
        raise InputError(f"node {name!r} is in the graph already, of another kind or shape")
    graph.add_node(name, kind=kind, shape=shape)
    return name


def add(
    graph: nx.DiGraph, name: str, op: str, inputs: list[str], *, state: str | None = None, **attributes: int | float
) -> str:
    """Add a node; returns its name.

    Raises:
        InputError: a name that is taken, an unknown op or input, attributes or shapes that do not fit.
    """
    if name in graph:
        raise InputError(f"node {name!r} is in the graph already")
    missing = [source for source in inputs if source not in graph]
    if missing:
        raise InputError(f"node {name!r} reads {missing[0]!r}, which is not in the graph")
    shape = _shape_of(graph, name, op, inputs, attributes)
    graph.add_node(name, kind="op", op=op, inputs=tuple(inputs), attributes=attributes, state=state, shape=shape)
    graph.add_edges_from((source, name) for source in inputs)
    return name


def _shape_of(graph: nx.DiGraph, name: str, op: str, inputs: Any, attributes: dict[str, Any]) -> Shape:
    try:
        ops.attributes(op, graph.graph["arithmetic"], attributes)
        shape: Shape = ops.load(op).shape(*(graph.nodes[source]["shape"] for source in inputs), **attributes)
    except (ValueError, TypeError, IndexError) as error:
        raise InputError(f"node {name!r} ({op}): {error}") from None
    return shape


def schedule(graph: nx.DiGraph) -> list[str]:
    """The ops in topological order, ties by name: the same list for the same graph, however it was built.

    Raises:
        InputError: a cycle.
    """
    try:
        order = list(nx.lexicographical_topological_sort(graph))
    except nx.NetworkXUnfeasible:
        cycle = " -> ".join(edge[0] for edge in nx.find_cycle(graph))
        raise InputError(f"the graph has a cycle: {cycle}") from None
    return [name for name in order if graph.nodes[name]["kind"] == "op"]


def kept_as(graph: nx.DiGraph, name: str) -> np.dtype[Any]:
    """The type of the numbers of a node's state: of 16 bits where they are ``short``."""
    if graph.graph["arithmetic"] == "float32":
        return np.dtype(np.float32)
    return np.dtype(np.int16 if graph.nodes[name]["attributes"].get("short") else np.int32)


def state_size(graph: nx.DiGraph, name: str) -> int:
    """Bytes of a node's state."""
    attributes, width = graph.nodes[name]["attributes"], graph.nodes[name]["shape"][1]
    return int(attributes["sequences"] * attributes["capacity"] * width * kept_as(graph, name).itemsize)


def validate(graph: nx.DiGraph) -> None:
    """Check a graph from outside.

    Raises:
        InputError: a cycle, an unknown op or attribute, edges that are not the inputs, a shape that is not the rule's.
    """
    for name in schedule(graph):
        node = graph.nodes[name]
        if set(graph.predecessors(name)) != set(node["inputs"]):
            raise InputError(f"node {name!r} has edges from other nodes than its inputs")
        shape = _shape_of(graph, name, node["op"], node["inputs"], node["attributes"])
        if shape != node["shape"]:
            raise InputError(f"node {name!r} ({node['op']}) has shape {node['shape']}, its op gives {shape}")


@dataclass(frozen=True, slots=True)
class Plan:
    """Which buffer each node writes, and how large the buffers are."""

    buffer: dict[str, int]
    """Node to buffer."""
    words: tuple[int, ...]
    """Size of each buffer."""


def plan(graph: nx.DiGraph, *, keep: frozenset[str] = frozenset()) -> Plan:
    """Share buffers between nodes that are not alive at once.

    In schedule order, a node takes the free buffer that wastes least, grown if need be, or a new one; a buffer is free
    when the last reader of its node has run. Nodes in ``keep``, and those nobody reads, keep theirs to the end.
    """
    order = schedule(graph)
    last = {name: index for index, reader in enumerate(order) for name in graph.nodes[reader]["inputs"]}
    buffer: dict[str, int] = {}
    words: list[int] = []
    free: list[int] = []
    for index, name in enumerate(order):
        node = graph.nodes[name]
        need = prod(node["shape"])
        if free:
            chosen = min(free, key=lambda b: (words[b] < need, abs(words[b] - need), b))
            free.remove(chosen)
            words[chosen] = max(words[chosen], need)
        else:
            chosen = len(words)
            words.append(need)
        buffer[name] = chosen
        read = sorted(set(node["inputs"]) & buffer.keys() - keep)
        free += [buffer[source] for source in read if last[source] == index]
    return Plan(buffer, tuple(words))


@dataclass(frozen=True, slots=True)
class Cost:
    """What one node costs."""

    operations: int
    """Multiply-accumulates."""
    bytes: int
    """Read and written once each, a word a number; weights of 4 and 8 bits packed."""


def cost(graph: nx.DiGraph) -> dict[str, Cost]:
    """The cost of every op."""
    return {name: cost_of(graph, name) for name in schedule(graph)}


def cost_of(graph: nx.DiGraph, name: str) -> Cost:
    """The cost of an op."""
    node = graph.nodes[name]
    shapes = [graph.nodes[source]["shape"] for source in node["inputs"]]
    moved = WORD * prod(node["shape"])
    module, names = ops.load(node["op"]), ops.arguments(node["op"], graph.graph["arithmetic"], node["attributes"])
    for argument, shape in zip(names, shapes, strict=False):
        moved += prod(shape) * getattr(module, "BITS", {}).get(argument, 8 * WORD) // 8
    return Cost(module.work(*shapes, **node["attributes"]), moved)


def described(node: Mapping[str, Any]) -> str:
    """What a dispatch computes: its op, and what is fused into it."""
    module = ops.load(node["op"])
    before, after = module.fused(**node["attributes"]) if hasattr(module, "fused") else ([], [])
    return " + ".join([*before, node["op"], *after])


def export(graph: nx.DiGraph) -> dict[str, Any]:
    """The graph as JSON: nodes in schedule order, sources first by name."""
    sources = sorted(name for name, node in graph.nodes.items() if node["kind"] != "op")
    return {
        "arithmetic": graph.graph["arithmetic"],
        "nodes": [{"name": name, **graph.nodes[name]} for name in sources + schedule(graph)],
    }


def digest(graph: nx.DiGraph) -> str:
    """SHA-256 of the exported graph: ops, shapes and attributes, not the weights."""
    return sha256(json.dumps(export(graph), sort_keys=True).encode()).hexdigest()
