"""What one graph takes: of a language model a pass, of a picture one of its networks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from math import prod
from typing import Any

import networkx as nx
import numpy as np

from inference.device.program import Program, program
from inference.device.target import DOT4, Target
from inference.graph import WORD, Cost, cost
from inference.model import Model
from inference.planning.limits import Limits

SAMPLE = 64
"""Rows of a weight that are laid out to see what the others take: a multiple of every layout's tile."""


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A graph on a device, without its numbers."""

    name: str
    graph: nx.DiGraph = field(repr=False)
    costs: dict[str, Cost] = field(repr=False)
    """By node, in the order in which they run."""
    weights: dict[str, int] = field(repr=False)
    """Bytes of each buffer of weights, as the kernels want them."""
    sizes: dict[str, int] = field(repr=False)
    """Bytes of each other buffer: inputs, activations, states, the workspace."""
    workgroups: int
    """The most along one dimension of a dispatch."""

    @property
    def operations(self) -> int:
        """Multiply-accumulates, attention's with the cache full."""
        return sum(each.operations for each in self.costs.values())

    def operations_of(self, op: str) -> int:
        """Multiply-accumulates of all its nodes of an op."""
        return sum(each.operations for name, each in self.costs.items() if self.graph.nodes[name]["op"] == op)

    @property
    def states(self) -> dict[str, int]:
        """Bytes of what outlives a run."""
        return {name: size for name, size in self.sizes.items() if name.startswith("state ")}

    @property
    def passing(self) -> int:
        """Bytes that only this graph needs: inputs, activations, its workspace."""
        return sum(self.sizes.values()) - sum(self.states.values())

    def live(self) -> list[tuple[str, int]]:
        """While each node runs, bytes of the outputs that it writes or that it or a later node reads."""
        last = {source: name for name in self.costs for source in self.graph.nodes[name]["inputs"]}
        found, alive = [], dict[str, int]()
        for name in self.costs:
            alive[name] = WORD * prod(self.graph.nodes[name]["shape"])
            found.append((name, sum(alive.values())))
            for source in {*self.graph.nodes[name]["inputs"], name}:
                if last.get(source, source) == name:
                    alive.pop(source, None)
        return found

    def beyond(self, limits: Limits) -> dict[str, int]:
        """The buffers, by size, that are larger than may be bound."""
        every = sorted((self.weights | self.sizes).items(), key=lambda item: -item[1])
        return {name: size for name, size in every if size > limits.largest}


GPU = Target(64, True, frozenset([DOT4]))


def stage(name: str, graph: nx.DiGraph, model: Model, target: Target = GPU) -> Stage:
    """A graph of a model whose constants need have no numbers, as it would lie on a device."""
    made: Program = program(graph, target)
    weights = {buffer: packed(pack, model.constants[constant]) for buffer, (constant, pack) in made.weights.items()}
    most = max(max(step.workgroups) for step in chain.from_iterable(made.steps))
    return Stage(name, graph, cost(graph), weights, dict(made.sizes), most)


def packed(pack: Callable[[Any], Any], constant: Any) -> int:
    """Bytes of a constant in the layout of a kernel."""
    whole, rest = divmod(len(constant), SAMPLE)
    kind, columns = constant.dtype.str, constant.shape[1:]
    return whole * _packed(pack, kind, (SAMPLE, *columns)) + (_packed(pack, kind, (rest, *columns)) if rest else 0)


@cache
def _packed(pack: Callable[[Any], Any], kind: str, shape: tuple[int, ...]) -> int:
    return int(pack(np.zeros(shape, kind)).nbytes)


def together(stages: list[Stage]) -> Mapping[str, int]:
    """Bytes of graphs that lie on a device at once and share weights and states."""
    weights: dict[str, int] = {}
    states: dict[str, int] = {}
    for each in stages:
        weights |= each.weights
        states |= each.states
    passing = sum(each.passing for each in stages)
    sums = {"weights": sum(weights.values()), "states": sum(states.values()), "activations": passing}
    return sums | {"total": sum(sums.values())}
