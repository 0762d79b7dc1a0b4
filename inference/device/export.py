"""A whole run as JSON, for the JavaScript modules in ``browser/``: programs, inputs, outputs; shapes stay in Python."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import networkx as nx
import numpy as np

from inference.device.program import PARAMETERS, Choose, Program, first, program
from inference.device.readback import arenas, windows
from inference.device.target import Target
from inference.generate import CHOICE, LOGITS, check_run, passes
from inference.graph import WORD, digest
from inference.graph import schedule as ordered
from inference.kernels import kernel_files
from inference.likeliest import Likeliest
from inference.model import Model
from inference.models.llama import graph
from inference.outputs import committed
from inference.passes import Link, Pass
from inference.scheduled import Scheduled

OUTPUTS = (LOGITS, CHOICE)


def run(
    model: Model,
    ids: list[int],
    limit: int,
    target: Target,
    *,
    temperature: float = 0,
    seed: int = 0,
    among: Likeliest | None = None,
    choose: Choose = first,
) -> dict[str, Any]:
    """A run: its passes, their programs of the variants that are chosen, and which outputs each reads (``OUTPUTS``).

    Raises:
        InputError: see ``generate.check_run`` and ``Likeliest.check``.
    """
    check_run(model, ids, limit)
    if among is not None:
        among.check(temperature)

    def described(built: nx.DiGraph) -> dict[str, Any]:
        return as_json(built, program(built, target, choose=choose, keep=frozenset(OUTPUTS)))

    return _passes(
        passes(model, ids, limit, temperature=temperature, seed=seed, among=among), described, lambda link: link.index
    ) | {
        "arithmetic": model.arithmetic,
        "tokens": len(ids),
        "limit": limit,
        "end": list(model.end),
    }


def schedule(computation: Scheduled, *, target: Target, largest: int) -> dict[str, Any]:
    """A run whose every output can be read: what a page needs to commit to its trace.

    Args:
        largest: bytes of a buffer that the device takes, at most.
    """

    def described(built: nx.DiGraph) -> dict[str, Any]:
        return _readable(built, target, largest)

    return _passes(computation.passes, described, computation.at) | {
        "choices": computation.choices,
        "kept": list(computation.kept),
        "end": list(computation.backend.model.end),
        "macs": computation.macs,
    }


def _passes(
    passes: Sequence[Pass], described: Callable[[nx.DiGraph], dict[str, Any]], at: Callable[[Link], int]
) -> dict[str, Any]:
    """Programs and passes; what an input is linked to, and a guard, are what ``at`` says of them."""
    programs: list[dict[str, Any]] = []
    index: dict[int, int] = {}
    found = []
    for each in passes:
        if id(each.graph) not in index:
            index[id(each.graph)] = len(programs)
            programs.append(described(each.graph))
        found.append(
            {
                "name": each.name,
                "program": index[id(each.graph)],
                "start": each.start,
                "count": each.count,
                "inputs": {f"input {key}": value.ravel().tolist() for key, value in each.given.items()},
                "links": {f"input {key}": at(link) for key, link in each.links.items()},
                "guard": None if each.guard is None else at(each.guard),
            }
        )
    return {"programs": programs, "passes": found}


def _readable(graph: nx.DiGraph, target: Target, largest: int) -> dict[str, Any]:
    """A program whose outputs lie side by side, its nodes, and the windows of the schedule that are read together."""
    regions = arenas(graph, largest)
    made = program(graph, target, regions=regions)
    nodes = [(name, graph.nodes[name]) for name in ordered(graph)]
    return as_json(graph, made, ()) | {
        "nodes": [
            {"name": name, "op": node["op"]}
            | dict(zip(("rows", "words"), committed(node["shape"]), strict=True))
            | ({} if node["state"] is None else {"state": f"state {node['state']}"})
            | ({"short": 1} if node["attributes"].get("short") and node["state"] else {})
            for name, node in nodes
        ],
        "windows": [
            {
                "nodes": [window.nodes.start, window.nodes.stop],
                "copies": [[arena, offset, size] for arena, offset, _, size in window.copies],
                "starts": window.outputs.starts.tolist(),
            }
            for window in windows(graph, regions)
        ],
    }


def as_json(graph: nx.DiGraph, made: Program, outputs: Sequence[str] = OUTPUTS) -> dict[str, Any]:
    """A program: the dispatches of each node, kernels by file, parameters as words; a buffer's kind is the first word
    of its name.

    Args:
        outputs: nodes that are read after every run, in order.
    """
    return {
        "graph": digest(graph),
        "buffers": {name: {"kind": name.partition(" ")[0], "bytes": size} for name, size in made.sizes.items()},
        "regions": {name: [region.buffer, region.offset, region.size] for name, region in made.regions.items()},
        "weights": sorted(made.weights),
        "dispatches": [
            [
                {
                    "node": step.node,
                    "kernel": kernel_files(made.arithmetic, step.op, step.variant),
                    "subgroups": "subgroup" in step.variant,
                    "entry": step.entry,
                    "params": np.frombuffer(step.parameters, "<u4").tolist(),
                    "bindings": {number: name for number, name in step.bindings.items() if name != PARAMETERS},
                    "workgroups": list(step.workgroups),
                    "lanes": step.lanes,
                }
                for step in of_node
            ]
            for of_node in made.steps
        ],
        "outputs": [[made.outputs[name], WORD * prod(graph.nodes[name]["shape"])] for name in outputs],
    }


def weights(model: Model) -> dict[str, tuple[str, Callable[[Any], Any]]]:
    """Every weight that a run of a model binds: name of the buffer to constant and layout."""
    built = graph(model, 1, capacity=1)
    return program(built, Target(64), keep=frozenset(OUTPUTS)).weights
