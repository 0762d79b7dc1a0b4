"""The numpy backend: every op by its reference, asked for by name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt

from inference import ops
from inference.arithmetic.fixed_point import BoundError
from inference.errors import InputError
from inference.graph import kept_as, schedule
from inference.model import Model
from inference.outputs import Observer, alone

Array = npt.NDArray[Any]


def placed(graph: nx.DiGraph, name: str, values: Mapping[str, Array]) -> Array:
    """Where the rows of a node with a state go: what its op reads as ``places``."""
    node = graph.nodes[name]
    order = ops.arguments(node["op"], graph.graph["arithmetic"], node["attributes"])
    places: Array = values[node["inputs"][order.index("places")]]
    return places


class Reference:
    """Runs graphs of one model; the states (key and value caches) live from run to run."""

    name = "numpy"

    def __init__(self, model: Model) -> None:
        self.model = model
        self.states: dict[str, Array] = {}

    @np.errstate(over="ignore", invalid="ignore")  # float32 beyond its range, as on any device; see check_logits
    def run(
        self,
        graph: nx.DiGraph,
        inputs: Mapping[str, Array],
        outputs: list[str],
        observe: Observer | None = None,
        known: Mapping[str, Array] = MappingProxyType({}),
    ) -> list[Array]:
        """The outputs asked for; ``observe`` sees every node's output in schedule order and may replace it.

        Nodes in ``known`` have that output: they are neither computed nor observed.

        Raises:
            InputError: an integer that does not fit the register in which a device would hold it.
        """
        arithmetic = graph.graph["arithmetic"]
        values: dict[str, Array] = dict(inputs)
        waiting = {name: graph.out_degree(name) for name in graph}
        for index, name in enumerate(schedule(graph)):
            node = graph.nodes[name]
            if name in known:
                result = known[name]
            else:
                operands = [values[s] if s in values else self.model.constants[s] for s in node["inputs"]]
                try:
                    result = getattr(ops.load(node["op"]), arithmetic)(*operands, **node["attributes"])
                except BoundError as error:  # of a model from a file: its formats may claim anything
                    raise InputError(f"{name}: a value leaves its register, as no formats of ours allow") from error
                assert result.shape == node["shape"], name
                replaced = None if observe is None else observe(alone(index, name, result))
                result = result if replaced is None else replaced
            if node["state"] is not None:
                result = self.write(graph, name, placed(graph, name, values), result)
            values[name] = result
            for source in set(node["inputs"]):
                waiting[source] -= 1
                if source in values and not waiting[source] and source not in outputs:
                    del values[source]
        return [values[name] for name in outputs]

    def write(self, graph: nx.DiGraph, name: str, places: Array, rows: Array) -> Array:
        """Rows of a node with a state at their places (T, 2) of sequence and position; the state."""
        node = graph.nodes[name]
        capacity, sequences = node["attributes"]["capacity"], node["attributes"]["sequences"]
        shape = (sequences * capacity, rows.shape[1])
        state = self.states.get(node["state"])
        if state is None or state.shape != shape:
            state = self.states[node["state"]] = np.zeros(shape, kept_as(graph, name))
        state[places[:, 0] * capacity + places[:, 1]] = rows
        return state

    def read(self, graph: nx.DiGraph, name: str) -> Array:
        """The state of a node, (sequences · capacity, width)."""
        return self.states[graph.nodes[name]["state"]]
