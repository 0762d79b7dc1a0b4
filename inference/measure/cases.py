"""Graphs of one op to measure its variants on: ops that are for measuring to choose, few tokens and many, two sizes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt

from inference import ops
from inference.device import tuning
from inference.graph import Arithmetic, add, new, source

SMALL, LARGE = 0, 1
"""Sizes that ops draw to be tuned on."""
PATIENCE = 4.0
"""Times a case's share of the seconds that its slowest variant may take once, before larger sizes are left out."""
NODE = "y"


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One op on operands of some size."""

    name: str
    """As ``tuning.case`` says it."""
    graph: nx.DiGraph
    """Of one node, ``NODE``."""
    given: dict[str, npt.NDArray[Any]]
    constants: dict[str, npt.NDArray[Any]]


def cases() -> Iterator[tuple[str, Arithmetic, int, int]]:
    """Op, arithmetic, tokens and size, small ones first."""
    arithmetics: tuple[Arithmetic, ...] = ("exact", "float32")
    for size in (SMALL, LARGE):
        for op in ops.names():
            if hasattr(ops.load(op), "tuned"):
                for arithmetic in arithmetics:
                    for tokens in tuning.TOKENS:
                        yield op, arithmetic, tokens, size


def case(op: str, arithmetic: Arithmetic, tokens: int, size: int) -> Case:
    """A case with its operands."""
    given, constants, attributes = ops.load(op).tuned(np.random.default_rng(0), arithmetic, tokens, size)
    built = new(arithmetic)
    for name, array in (given | constants).items():
        source(built, name, "input" if name in given else "weight", array.shape)
    order = [name for name in ops.arguments(op, arithmetic, attributes) if name in given | constants]
    add(built, NODE, op, order, **attributes)
    name = tuning.case(op, arithmetic, tokens, (given | constants)[order[1]].size)
    return Case(name, built, given, constants)
