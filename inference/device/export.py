"""A whole run as JSON, for the JavaScript module in ``browser/``: programs, inputs, outputs; shapes stay in Python."""

from collections.abc import Callable
from math import prod
from typing import Any

import networkx as nx
import numpy as np

from inference.device.program import PARAMETERS, Program, program
from inference.generate import check_run, passes
from inference.graph import WORD, digest
from inference.kernels import kernel_files
from inference.model import Model
from inference.models.llama import graph

OUTPUTS = ("logits", "choice")


def run(model: Model, ids: list[int], limit: int, *, lanes: int, subgroups: bool) -> dict[str, Any]:
    """A greedy run: the programs of the prompt's passes with their inputs, and that of each further token.

    Raises:
        InputError: see ``generate.check_run``.
    """
    check_run(model, ids, limit)

    def described(built: nx.DiGraph) -> dict[str, Any]:
        return as_json(built, program(built, keep=frozenset(OUTPUTS), lanes=lanes, subgroups=subgroups), lanes)

    prompt = [
        {
            "program": described(each.graph),
            "inputs": {f"input {key}": value.ravel().tolist() for key, value in each.inputs(ids[each.span]).items()},
        }
        for each in passes(model, ids, limit)
        if each.start < len(ids)
    ]
    step = described(graph(model, 1, capacity=len(ids) + limit))
    return {"prompt": prompt, "step": step, "tokens": len(ids), "limit": limit, "end": list(model.end)}


def as_json(graph: nx.DiGraph, made: Program, lanes: int) -> dict[str, Any]:
    """A program: kernels by file, parameters as words; a buffer's kind is the first word of its name."""
    return {
        "graph": digest(graph),
        "lanes": lanes,
        "buffers": {name: {"kind": name.partition(" ")[0], "bytes": size} for name, size in made.sizes.items()},
        "weights": sorted(made.weights),
        "dispatches": [
            {
                "node": step.node,
                "kernel": kernel_files(made.arithmetic, step.op, step.variant),
                "subgroups": "subgroup" in step.variant,
                "entry": step.entry,
                "params": np.frombuffer(step.parameters, "<u4").tolist(),
                "bindings": {number: name for number, name in step.bindings.items() if name != PARAMETERS},
                "workgroups": list(step.workgroups),
            }
            for step in made.steps
        ],
        "outputs": {
            name: {"buffer": made.outputs[name], "bytes": WORD * prod(graph.nodes[name]["shape"])} for name in OUTPUTS
        },
    }


def weights(model: Model) -> dict[str, tuple[str, Callable[[Any], Any]]]:
    """Every weight that a run of a model binds: name of the buffer to constant and layout."""
    built = graph(model, 1, capacity=1)
    return program(built, keep=frozenset(OUTPUTS), lanes=64, subgroups=False).weights
