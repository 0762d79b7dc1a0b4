"""A run as passes over graphs: what each is given, and what it takes from the passes before it.

A pass declares its *links*: inputs that are outputs of earlier passes, rows of states that it writes, and the choice
after which it is null. Whoever runs, commits to, disputes or exports a run reads these and no node's name. Text links
each further token to the choice of the pass before (``generate.passes``); a picture is one pass, or a schedule of them
whose last node is the result.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import networkx as nx
import numpy as np

from inference import ops
from inference.graph import schedule
from inference.outputs import Array, committed


@dataclass(frozen=True, slots=True)
class Link:
    """The output of a node in an earlier pass."""

    index: int
    """Of the pass."""
    node: str


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """One run of a graph."""

    name: str
    graph: nx.DiGraph
    """Shared by passes of one shape."""
    given: Mapping[str, Array]
    """Inputs that everybody knows before the run."""
    links: Mapping[str, Link] = field(default_factory=dict)
    """Inputs that are, word for word and row for row, outputs of earlier passes."""
    start: int = 0
    """The first row of each state that it writes; the passes that write a state do so from row 0 on, without a gap."""
    count: int = 1
    """How many rows of each state it writes."""
    guard: Link | None = None
    """A choice: where it is an end token or null, this pass is null."""

    @property
    def span(self) -> slice:
        """Its rows of the states."""
        return slice(self.start, self.start + self.count)

    @property
    def macs(self) -> int:
        """Multiply-accumulates; attention's for the positions each token sees, not for a full cache."""
        return sum(self._work(name) for name in schedule(self.graph))

    def _work(self, name: str) -> int:
        node = self.graph.nodes[name]
        shapes = [self.graph.nodes[source]["shape"] for source in node["inputs"]]
        module = ops.load(node["op"])
        if hasattr(module, "work_seen"):
            return int(module.work_seen(self.start, *shapes, **node["attributes"]))
        return int(module.work(*shapes, **node["attributes"]))

    def inputs(self, linked: Sequence[int] | Array | Mapping[str, Array]) -> dict[str, Array]:
        """All inputs of the graph; ``linked``: what its links give, by name where there are several."""
        by_name = linked if isinstance(linked, Mapping) else dict.fromkeys(self.links, np.asarray(linked, np.int32))
        return {**self.given, **{name: by_name[name].reshape(self.graph.nodes[name]["shape"]) for name in self.links}}


def shown(graph: nx.DiGraph, name: str) -> tuple[int, int]:
    """Rows of a node's output and words of a row."""
    return committed(graph.nodes[name]["shape"])
