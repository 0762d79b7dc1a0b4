"""What a backend's states hold after a run: the next one of the same model goes on from the tokens they share.

The keys and values of a token depend on it and on those before it alone, so a prompt that begins as the run before did
needs only the passes of what follows. In exact arithmetic tokens, logits and digest are those of a run from the start,
bit for bit; in float32 as near as two batchings are.
"""

from dataclasses import dataclass, field
from typing import Any

import networkx as nx
import numpy as np

from inference.model import Model
from inference.models.llama import graph
from inference.outputs import Array

LEAST = 256
"""Positions of a cache, which is doubled as a conversation needs it."""


@dataclass(slots=True)
class Held:
    """Of one backend, whose other runs go elsewhere."""

    ids: list[int] = field(default_factory=list)
    """Tokens whose keys and values are held, from the first position on."""
    logits: dict[int, bytes] = field(default_factory=dict)
    """By position, those that end a chunk: a part of a digest."""
    capacity: int = 0
    graphs: dict[Any, nx.DiGraph] = field(default_factory=dict)
    """Of one token, by how it is drawn; made ready once a capacity."""

    def keep(self, ids: list[int]) -> None:
        """Forget what does not begin a prompt; its last token needs a pass, for its logits."""
        same = [mine == theirs for mine, theirs in zip(self.ids, ids[:-1], strict=False)]
        count = same.index(False) if False in same else len(same)
        self.ids = self.ids[:count]
        self.logits = {position: words for position, words in self.logits.items() if position < count}

    def take(self, ids: list[int], logits: bytes, *, ends_chunk: bool) -> None:
        """Tokens that a pass has computed, and the logits of the last."""
        self.ids = self.ids + ids
        if ends_chunk:
            self.logits[len(self.ids) - 1] = logits

    def grow(self, backend: Any, positions: int) -> None:
        """Caches for so many positions; what is held moves into them."""
        if positions <= self.capacity:
            return
        model: Model = backend.model
        capacity = min(max(LEAST, 1 << (positions - 1).bit_length()), model.measures["context"])
        before = next(iter(self.graphs.values()), None)
        rows: dict[str, Array] = {}
        if before is not None and self.ids:
            stateful = [name for name, node in before.nodes.items() if node.get("state")]
            rows = {name: backend.read(before, name)[: len(self.ids)].copy() for name in stateful}
        self.capacity, self.graphs = capacity, {}
        if rows:
            after = graph(model, 1, capacity=capacity)
            places = np.stack((np.zeros(len(self.ids), np.int32), np.arange(len(self.ids), dtype=np.int32)), axis=1)
            for name, words in rows.items():
                backend.write(after, name, places, words)
