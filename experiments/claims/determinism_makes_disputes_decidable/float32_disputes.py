"""Disputes over float32, for comparison only: a node is held against its tolerance, not against its bits.

The asserter has committed to all nodes' outputs. The referee takes each node's inputs from that commitment and accepts
the node if it lies within ``inference.arithmetic.tolerance`` of them: honest on any conformant device, as errors do not
carry over from node to node. The same walk in integers, or with a tolerance of 0, recomputes the node and compares
words.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np

from inference.arithmetic import tolerance
from inference.generate import Backend, passes
from inference.graph import add, new, schedule, source
from inference.model import Model
from inference.outputs import Array, Outputs
from inference.passes import Pass
from inference.reference import Reference

Patch = Callable[[str, Array], Array | None]
"""Another output for a node of that name and output, or None."""
Trace = list[dict[str, Array]]
"""Of each pass the nodes' outputs by name."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A node and what it read."""

    name: str
    """In its pass."""
    op: str
    operands: dict[str, Array]
    """By name, in the op's order: the asserter's outputs, the task's inputs, weights."""
    attributes: dict[str, Any]

    def used(self, output: Array) -> Array:
        """The share of its tolerance that a float32 output uses, elementwise."""
        return tolerance.used(self.op, output, *self.operands.values(), **self.attributes)


def record(
    backend: Backend,
    ids: list[int],
    limit: int,
    *,
    temperature: float = 0,
    seed: int = 0,
    patch: Patch = lambda name, output: None,
) -> Trace:
    """The trace of a run of ``limit`` tokens, end tokens not heeded; in numpy ``patch`` may replace outputs."""
    trace: Trace = []
    for each, inputs in _plan(backend.model, trace, ids, limit, temperature, seed):
        outputs: dict[str, Array] = {}

        def observe(shown: Outputs, outputs: dict[str, Array] = outputs) -> Array | None:
            replaced = None
            for name, output in shown.items():
                replaced = patch(name, output)
                outputs[name] = (output if replaced is None else replaced).copy()
            return replaced

        backend.run(each.graph, inputs, ["choice"], observe)
        trace.append(outputs)
    return trace


def _plan(
    model: Model, trace: Trace, ids: list[int], limit: int, temperature: float, seed: int
) -> Iterator[tuple[Pass, dict[str, Array]]]:
    """Each pass and its inputs; its tokens are those chosen in the trace so far."""
    prompt = len(passes(model, ids, 1))
    for each in passes(model, ids, limit, temperature=temperature, seed=seed):
        chosen = [int(outputs["choice"][0]) for outputs in trace[prompt - 1 :]]
        yield each, each.inputs((ids + chosen)[each.span])


def nodes(
    model: Model, trace: Trace, ids: list[int], *, temperature: float = 0, seed: int = 0
) -> Iterator[tuple[str, Node, Array]]:
    """Name, node and committed output of every node of a trace, in schedule order."""
    prompt, reference = len(passes(model, ids, 1)), Reference(model)
    limit = len(trace) - prompt + 1
    for (each, inputs), outputs in zip(_plan(model, trace, ids, limit, temperature, seed), trace, strict=True):

        def output(node: Node, outputs: dict[str, Array] = outputs) -> Array:
            return outputs[node.name]

        for node in walk(reference, each.graph, inputs, output):
            yield f"{each.name}.{node.name}", node, outputs[node.name]


def walk(
    reference: Reference, graph: nx.DiGraph, inputs: dict[str, Array], output: Callable[[Node], Array]
) -> Iterator[Node]:
    """A pass in schedule order, each node's output being what ``output`` says; the reference holds the caches."""
    values = dict(inputs)
    for name in schedule(graph):
        described = graph.nodes[name]
        operands = {s: values[s] if s in values else reference.model.constants[s] for s in described["inputs"]}
        attributes = dict(described["attributes"])
        if described["state"] is not None:  # alone, a node writes no cache
            del attributes["capacity"], attributes["sequences"]
        node = Node(name, described["op"], operands, attributes)
        yield node
        y = output(node)
        values[name] = y if described["state"] is None else reference.write(graph, name, inputs["places"], y)


def recompute(backend: Backend, node: Node) -> Array:
    """A node's output on another backend, from the same operands."""
    graph = new(backend.model.arithmetic)
    for name, value in node.operands.items():
        source(graph, name, "weight" if name in backend.model.constants else "input", value.shape)
    add(graph, "y", node.op, list(node.operands), **node.attributes)
    inputs = {name: value for name, value in node.operands.items() if graph.nodes[name]["kind"] == "input"}
    [y] = backend.run(graph, inputs, ["y"])
    return y


def same_words(ours: Array, theirs: Array) -> bool:
    """Whether two outputs have the same bits."""
    return np.ascontiguousarray(ours).tobytes() == np.ascontiguousarray(theirs).tobytes()


def first_outside(model: Model, trace: Trace, ids: list[int], *, temperature: float = 0, seed: int = 0) -> str | None:
    """The first node of a float32 trace that lies outside its tolerance: the asserter is slashed for it."""
    for name, node, output in nodes(model, trace, ids, temperature=temperature, seed=seed):
        if not (node.used(output) <= 1).all():
            return name
    return None
