"""A graph made ready for a device: kernels, parameters, bindings, buffer sizes, decided before any device is asked.

The runtime and the browser run the same program; it depends on the graph, the workgroup's size and whether the device
has subgroups of 8 lanes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from types import ModuleType
from typing import Any

import networkx as nx

from inference import ops
from inference.device.readback import Region
from inference.graph import WORD, Arithmetic, plan, schedule
from inference.kernels import kernel


@dataclass(frozen=True, slots=True)
class Step:
    """One dispatch."""

    node: str
    op: str
    variant: str
    entry: str
    parameters: bytes
    """The Params struct, bound where ``params`` stands in ``bindings``."""
    bindings: dict[int, str]
    """Binding to buffer."""
    workgroups: tuple[int, ...]


@dataclass(slots=True)
class Program:
    """Dispatches in order, and the buffers they need."""

    arithmetic: Arithmetic
    steps: list[Step] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    """Bytes of each buffer that is not a weight: inputs, activations, states, the workspace."""
    weights: dict[str, tuple[str, Callable[[Any], Any]]] = field(default_factory=dict)
    """Buffer to the constant it holds and the layout the kernels want it in."""
    outputs: dict[str, str] = field(default_factory=dict)
    """Node to the buffer of its output."""
    regions: dict[str, Region] = field(default_factory=dict)
    """What ``bindings`` and ``outputs`` name that is only a part of a buffer."""


PARAMETERS = "params"


def program(
    graph: nx.DiGraph,
    *,
    lanes: int,
    subgroups: bool,
    keep: frozenset[str] = frozenset(),
    regions: Mapping[str, Region] | None = None,
) -> Program:
    """The program of a graph; the outputs of nodes in ``keep`` stay readable after the run.

    With ``regions``, where each output lies, all of them do.
    """
    order, arithmetic = schedule(graph), graph.graph["arithmetic"]
    result = Program(arithmetic)
    if regions is not None:
        for name, region in regions.items():
            result.outputs[name] = f"output {name}"
            result.regions[f"output {name}"] = region
            end = region.offset + region.size
            result.sizes[region.buffer] = max(end, result.sizes.get(region.buffer, 0))
    else:
        layout = plan(graph, keep=keep)
        result.sizes |= {f"activation {index}": WORD * words for index, words in enumerate(layout.words)}
        result.outputs |= {name: f"activation {index}" for name, index in layout.buffer.items()}
    for name, node in graph.nodes.items():
        if node["kind"] == "input":
            result.sizes[f"input {name}"] = WORD * prod(node["shape"])
        elif node["kind"] == "op" and node["state"] is not None:
            rows = node["attributes"]["sequences"] * node["attributes"]["capacity"]
            result.sizes[f"state {node['state']}"] = WORD * rows * node["shape"][1]
    for name in order:
        result.steps.append(_step(graph, name, result, lanes, subgroups))
    return result


def _step(graph: nx.DiGraph, name: str, result: Program, lanes: int, subgroups: bool) -> Step:
    node = graph.nodes[name]
    module, attributes, shape = ops.load(node["op"]), node["attributes"], node["shape"]
    shapes = [graph.nodes[source]["shape"] for source in node["inputs"]]
    variant, chosen = "", {}
    if hasattr(module, "variant"):
        variant = module.variant(shape, arithmetic=result.arithmetic, subgroups=subgroups, **attributes)
        chosen = {"variant": variant}
    code = kernel(result.arithmetic, node["op"], variant)
    bound = {PARAMETERS: PARAMETERS, "output": result.outputs[name]}
    for argument, source in zip(ops.arguments(node["op"], result.arithmetic, attributes), node["inputs"], strict=False):
        bound[argument] = _source(graph, source, argument, module, result)
    if hasattr(module, "workspace"):
        words = module.workspace(*shapes, lanes=lanes, **chosen, **attributes)
        result.sizes["workspace"] = max(result.sizes.get("workspace", 0), WORD * words)
        bound["workspace"] = "workspace"
    if "state" in code.bindings and attributes.get("heads"):
        bound["state"] = "workspace" if node["state"] is None else f"state {node['state']}"  # nothing is written there
        result.sizes.setdefault("workspace", WORD)
    return Step(
        node=name,
        op=node["op"],
        variant=variant,
        entry=module.entry(**attributes) if hasattr(module, "entry") else "main",
        parameters=code.parameters(
            module.dimensions(*shapes, **attributes) | ops.attributes(node["op"], result.arithmetic, attributes)
        ),
        bindings={number: bound[variable] for variable, number in code.bindings.items() if variable in bound},
        workgroups=module.workgroups(shape, lanes=lanes, arithmetic=result.arithmetic, **chosen, **attributes),
    )


def _source(graph: nx.DiGraph, name: str, argument: str, module: ModuleType, result: Program) -> str:
    kind = graph.nodes[name]["kind"]
    if kind == "op":
        state = graph.nodes[name]["state"]
        return result.outputs[name] if state is None else f"state {state}"
    if kind == "input":
        return f"input {name}"
    pack = module.PACK[argument]
    buffer = f"weight {name} {pack.__name__}"
    result.weights[buffer] = (name, pack)
    return buffer
