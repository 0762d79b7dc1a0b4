"""How a leaf of a node's output is derived: in steps a referee recomputes one at a time (section 5).

A leaf is at most ``LEAF`` words of one row of a node's output, its shape flattened to rows of words. Each op's
``derivation(row, start, stop, *operands, **attributes)`` gives the steps of columns start to stop of a row. An operand
is an ``Operand`` where it is committed: the leaves that hold its rows; a ``Constant`` of the model, by name; or an
array where it is public (the prompt's tokens, places, draws). What a step may be, and what the kinds compute, stands in
``inference.steps``; steps are small whatever the shape, so long rows are reduced in trees.

| op | kinds, in order |
| --- | --- |
| embedding, embedding_q4, text_embedding | ``embedding``, ``text_embedding``: the leaf |
| row | ``concatenate``: the leaf |
| rms_norm | ``maximum`` of |x| and ``squares`` over the row, each a tree; ``normalise``: the leaf |
| head_norm | ``head_norm``: the leaf |
| add | ``add``: the leaf |
| join | ``concatenate`` |
| rope | ``rotation``: the leaf |
| silu_gate | ``gate``: the leaf |
| matmul_q4, matmul_q8, matmul_k | ``maximum`` of |a| over the row, where a is narrowed; ``product_q4``, |
| | ``product_q8`` or ``product_k`` of some rows and a leaf of a; their ``sum``; ``requantise``; what is fused: |
| | ``gate``, ``rotation`` |
| attention | ``scores`` of some positions; their ``maximum``; of each block ``exponential``: p; its ``sum``, den; |
| | ``narrow``: p'; its ``sum``, den'; ``mix``: p'·v over some positions; their ``sum``; of several blocks ``merge`` |
| | of den' and of p'·v, by ``concatenate`` of all den and den'; ``attend``: the leaf |
| conv | ``conv_product`` of a span of a tap for some pixels and rows; ``sum``; ``conv_finish``; ``concatenate`` |
| maxima | ``maximum`` of |x| over a part, a tree; ``concatenate`` |
| scale | ``tensor_scale``: the leaf |
| group_sums, group_squares | ``group_sums`` or ``group_squares`` of some pixels of the line; their ``sum_pairs`` |
| group_mean, group_roots | ``sum_pairs`` over the lines; ``group_mean`` or ``group_roots`` |
| group_norm | ``group_norm``: the leaf |
| modulate | ``modulate``: the leaf |
| combine | ``combine``: the leaf |
| concatenate | ``channels``: the leaf |
| resize, lines | ``concatenate``: the leaf |
| average_pool | ``average``: the leaf |
| activation | ``silu``: the leaf |
| geglu | ``geglu``: the leaf |
| layer_norm | ``layer_statistics`` of the leaf's pixels; ``layer_norm``: the leaf |
| noise | ``noise``: the leaf |
| narrowed | ``narrowed``: the leaf |
| full_attention | for each pixel ``narrowed`` queries and keys; ``scores``, their ``maximum``; |
| | ``softmax_weights``, their ``sum``, den; ``narrow``: p'; its ``sum``; ``mix``, their ``sum``; |
| | ``attention_mean``; ``concatenate`` |
| argmax_partial | ``span_maxima``, ``concatenate`` |
| argmax | ``largest``; its id |
| cut | ``largest``; for each digit ``bin_weights`` of some spans, their ``sum``, ``bin_found``; ``concatenate`` |
| kept | ``kept``: the leaf |
| sample_partial | ``largest``; ``span_weights``, ``concatenate`` |
| sample | ``largest``; ``draw``: the token if it lies in some spans, else -1; their ``maximum`` |
| output | ``tokens`` of some passes; ``concatenate`` |
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.steps import LEAF, SOURCES, Source, Step

Public = npt.NDArray[np.int32]
Pieces = list[list[int]]
"""[source, start, stop]: words of a step's sources."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A weight or a table of the model."""

    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Operand:
    """A matrix that is committed."""

    words: int
    """Of a row."""
    place: Callable[[int], tuple[int, int]]
    """The node that holds a row, and which of its rows that is."""
    shape: tuple[int, ...] = ()
    """Of the node's output; an image's rows are pixels (``outputs.committed``)."""

    def leaves(self, row: int) -> list[Source]:
        """All leaves of a row."""
        return self._leaves(row, range(-(-self.words // LEAF)))

    def pieces(self, row: int, start: int, stop: int, sources: list[Source]) -> Pieces:
        """Columns of a row; the leaves in which they lie are added to the sources."""
        chunks = range(start // LEAF, -(-stop // LEAF))
        first = len(sources)
        sources += self._leaves(row, chunks)
        cuts = [(max(start - chunk * LEAF, 0), min(stop - chunk * LEAF, LEAF)) for chunk in chunks]
        return [[first + index, *cut] for index, cut in enumerate(cuts)]

    def _leaves(self, row: int, chunks: range) -> list[Source]:
        node, at = self.place(row)
        each = -(-self.words // LEAF)
        return [(node, at * each + chunk) for chunk in chunks]


@dataclass(slots=True)
class Derivation:
    """The steps of a leaf, as they are put together."""

    steps: list[Step] = field(default_factory=list)

    def step(self, kind: str, sources: Sequence[Source], words: int, macs: int, **numbers: Any) -> int:
        """Add a step; its index."""
        self.steps.append(Step(kind, tuple(sources), numbers, words, macs))
        return len(self.steps) - 1

    def reduced(self, kind: str, parts: Sequence[Source], words: int, **numbers: Any) -> int:
        """Sources reduced to one of that many words, in a tree of at least one level; its index."""
        while True:
            parts = [
                self.step(kind, group, words, sum(map(self.words, group)), **numbers)
                for group in groups(parts, SOURCES)
            ]
            if len(parts) == 1:
                return len(self.steps) - 1

    def summed(self, parts: Sequence[int], words: int, *, unsigned: int = 0) -> int:
        """The sum of columns; the only one as it is."""
        return parts[0] if len(parts) == 1 else self.reduced("sum", parts, words, rows=words, unsigned=unsigned)

    def concatenated(self, parts: Sequence[int]) -> int:
        """Results side by side, in a tree; the only one as it is."""
        while len(parts) > 1:
            parts = [
                self.step("concatenate", group, sum(map(self.words, group)), 0, parts=self.whole(group))
                for group in groups(parts, SOURCES)
            ]
        return parts[0]

    def words(self, source: Source) -> int:
        """Of a source; of a leaf the most that it can have."""
        return self.steps[source].words if isinstance(source, int) else LEAF

    def whole(self, parts: Sequence[int], first: int = 0) -> Pieces:
        """All words of steps that are sources ``first`` and on."""
        return [[index, 0, self.steps[part].words] for index, part in enumerate(parts, first)]


@dataclass(slots=True)
class Reading:
    """What a step reads, each leaf once."""

    sources: list[Source] = field(default_factory=list)

    def words(self, operand: "Operand | Constant | Public", start: int, stop: int) -> list[Any]:
        """The place of words of an output, its rows one after another; of a constant, of one row."""
        if isinstance(operand, np.ndarray):
            return ["", *operand.ravel()[start:stop].tolist()]
        if isinstance(operand, Constant):
            across = operand.shape[-1]
            row = start // across if len(operand.shape) > 1 else 0
            return [operand.name, row, start - row * across, stop - row * across]
        places: Pieces = []
        for row in range(start // operand.words, -(-stop // operand.words)):
            first = row * operand.words
            mine = list[Source]()
            cut = max(start - first, 0), min(stop - first, operand.words)
            for (index, *span), leaf in zip(operand.pieces(row, *cut, mine), mine, strict=True):
                del index
                if leaf not in self.sources:
                    self.sources.append(leaf)
                places.append([self.sources.index(leaf), *span])
        return places

    def all(self, operand: Operand | Constant) -> list[Any]:
        """The place of all words of one row, the first."""
        return self.words(operand, 0, operand.shape[-1])


def groups(parts: Sequence[Any], most: int) -> list[Sequence[Any]]:
    """Parts a few at a time."""
    return [parts[at : at + most] for at in range(0, len(parts), most)]
