"""A graph made ready for a device: kernels, parameters, bindings, buffer sizes, decided before any device is asked.

The runtime and the browser run the same program; it depends on the graph, the target and which of the variants of an
op that the target admits were chosen. All of them give the same bits.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from types import ModuleType
from typing import Any

import networkx as nx

from inference import ops
from inference.device.readback import Region
from inference.device.target import Target
from inference.graph import WORD, Arithmetic, plan, schedule, state_size
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
    lanes: int


@dataclass(slots=True)
class Program:
    """Dispatches in order, and the buffers they need."""

    arithmetic: Arithmetic
    steps: list[tuple[Step, ...]] = field(default_factory=list)
    """Those of each node; the last one writes its output."""
    sizes: dict[str, int] = field(default_factory=dict)
    """Bytes of each buffer that is not a weight: inputs, activations, states, the workspace."""
    weights: dict[str, tuple[str, Callable[[Any], Any]]] = field(default_factory=dict)
    """Buffer to the constant it holds and the layout the kernels want it in."""
    outputs: dict[str, str] = field(default_factory=dict)
    """Node to the buffer of its output."""
    regions: dict[str, Region] = field(default_factory=dict)
    """What ``bindings`` and ``outputs`` name that is only a part of a buffer."""


PARAMETERS = "params"
Choose = Callable[[str, list[str], nx.DiGraph], str]
"""Of a node and the variants it admits, the likeliest first: the one to take."""


def first(name: str, admitted: list[str], graph: nx.DiGraph) -> str:
    """The likeliest variant, where nothing was measured."""
    return admitted[0]


def program(
    graph: nx.DiGraph,
    target: Target,
    *,
    choose: Choose = first,
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
            result.sizes[f"state {node['state']}"] = state_size(graph, name)
    for name in order:
        module, variant = ops.load(graph.nodes[name]["op"]), choose(name, admitted(graph, name, target), graph)
        needed = module.before(variant, result.arithmetic) if hasattr(module, "before") else []
        result.steps.append(
            tuple(
                _step(graph, name, result, target, each, piece)
                for each in (*needed, variant)
                for piece in _pieces(graph, name)
            )
        )
    return result


def admitted(graph: nx.DiGraph, name: str, target: Target) -> list[str]:
    """The variants of a node's kernel that a target admits, the likeliest first."""
    node = graph.nodes[name]
    module, arithmetic = ops.load(node["op"]), graph.graph["arithmetic"]
    if not hasattr(module, "variants"):
        return [""]
    inputs = [graph.nodes[source]["shape"] for source in node["inputs"]]
    return list(
        module.variants(node["shape"], arithmetic=arithmetic, target=target, inputs=inputs, **node["attributes"])
    )


def _pieces(graph: nx.DiGraph, name: str) -> list[dict[str, int]]:
    """What the dispatches of a node are given besides, each."""
    node = graph.nodes[name]
    module, shapes = ops.load(node["op"]), [graph.nodes[source]["shape"] for source in node["inputs"]]
    return list(module.pieces(*shapes, **node["attributes"])) if hasattr(module, "pieces") else [{}]


def _step(
    graph: nx.DiGraph, name: str, result: Program, target: Target, variant: str, piece: Mapping[str, int]
) -> Step:
    node = graph.nodes[name]
    module, attributes, shape = ops.load(node["op"]), node["attributes"], node["shape"]
    shapes = [graph.nodes[source]["shape"] for source in node["inputs"]]
    chosen = {"variant": variant} if hasattr(module, "variants") else {}
    lanes = module.lanes(*shapes, target=target, **chosen) if hasattr(module, "lanes") else target.lanes
    code = kernel(result.arithmetic, node["op"], variant)
    bound = {PARAMETERS: PARAMETERS, "output": result.outputs[name]}
    for argument, source in zip(ops.arguments(node["op"], result.arithmetic, attributes), node["inputs"], strict=False):
        bound[argument] = _source(graph, source, argument, module, result)
    if "workspace" in code.bindings:
        words = module.workspace(*shapes, lanes=lanes, **chosen, **attributes)
        result.sizes["workspace"] = max(result.sizes.get("workspace", 0), WORD * words)
        bound["workspace"] = "workspace"
    if "state" in code.bindings and attributes.get("heads"):
        bound["state"] = "unwritten" if node["state"] is None else f"state {node['state']}"
        if node["state"] is None:
            result.sizes["unwritten"] = WORD
    entry = module.entry(**chosen, **attributes) if hasattr(module, "entry") else "main"
    return Step(
        node=name,
        op=node["op"],
        variant=variant,
        entry=entry,
        parameters=code.parameters(
            module.dimensions(*shapes, **attributes) | ops.attributes(node["op"], result.arithmetic, attributes) | piece
        ),
        bindings={code.bindings[variable]: bound[variable] for variable in sorted(code.used(entry) & bound.keys())},
        workgroups=module.workgroups(shape, lanes=lanes, arithmetic=result.arithmetic, **chosen, **attributes),
        lanes=lanes,
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
