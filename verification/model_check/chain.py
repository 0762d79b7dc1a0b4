"""The computations of the model check: chains of nodes of one word, each repeats the one before or masks it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from verification.computation import Observer, Words, side_by_side
from verification.trace import Trace, record

Wrong = tuple[int, ...]
"""Of each node, whether its word is wrong: 1 where 0 is right."""


@dataclass(frozen=True, slots=True)
class Link:
    """A node."""

    name: str
    op: str = "link"
    rows: int = 1
    words: int = 1
    guard: None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a node's only leaf."""

    kind: str
    sources: tuple[tuple[int, int] | int, ...]
    words: int = 1
    macs: int = 1
    numbers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Chain:
    """Node i gives 0 in one step where ``masks[i]``, as node 0 does; elsewhere it repeats node i - 1 in two."""

    masks: tuple[bool, ...]
    digests: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(("model", "graph", "input"), "0" * 64))
    terms: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    macs: int = 1

    def described(self) -> dict[str, Any]:
        return {}

    @property
    def nodes(self) -> Sequence[Link]:
        return [Link(str(node)) for node in range(len(self.masks))]

    def run(self, observe: Observer) -> list[int]:
        # 0 repeated or masked is 0: what is wrong is written into the trace afterwards.
        observe(0, side_by_side([np.zeros((1, 1), np.int32)] * len(self.masks)))
        return [0]

    @property
    def kept(self) -> Sequence[int]:
        return range(len(self.masks))

    def regenerate(self, node: int, kept: Callable[[int], Words]) -> dict[int, Words]:
        raise AssertionError("every node is kept")

    def ended(self, guard: Words) -> bool:
        return False

    def delivered(self, token: int) -> tuple[int, int] | None:
        return (len(self.masks) - 1, 0) if token == 0 else None

    def steps(self, node: int, leaf: int) -> Sequence[Step]:
        if node == 0 or self.masks[node]:
            return [Step("zero", ())]
        return [Step("repeat", ((node - 1, 0),)), Step("repeat", (0,))]

    def recompute(self, node: int, leaf: int, step: int, inputs: Sequence[Words]) -> Words:
        return inputs[0] if inputs else np.zeros(1, np.int32)


def traced(chain: Chain, wrong: Wrong, steps_wrong: bool) -> Trace:
    """The trace with those words wrong; its first steps too, if ``steps_wrong``, where a node has two."""
    trace = record(chain)
    for node, is_wrong in enumerate(wrong):
        if is_wrong:
            trace.change(node, 0, np.ones(1, np.int32))
    for node in range(1, len(wrong)):
        if steps_wrong and not chain.masks[node]:
            trace.derived[node, 0] = [1 - trace.leaf(node - 1, 0), trace.leaf(node, 0)]
    return trace
