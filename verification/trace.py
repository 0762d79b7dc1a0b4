"""The trace of a run: every node's output in schedule order, committed in one Merkle tree (section 5).

A party keeps the digests of all leaves and the words that later passes read; other words it computes again, one pass
at a time, when a dispute asks for them.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from verification.computation import LEAF, Computation, Node, Outputs, Words, output_of, side_by_side
from verification.merkle import DIGEST, Tree, committing, leaf_digest, node_digest


def chunks(node: Node) -> int:
    """Leaves of a row."""
    return -(-node.words // LEAF)


def leaves(node: Node) -> int:
    """Leaves of a node that is not null."""
    return node.rows * chunks(node)


def leaf_words(node: Node, leaf: int) -> int:
    """Words of a leaf."""
    return min(LEAF, node.words - LEAF * (leaf % chunks(node)))


def leaf_of(output: Words, leaf: int) -> Words:
    """A leaf of a node's output; no words where it is null."""
    if not len(output):
        return output.ravel()
    each = -(-output.shape[1] // LEAF)
    start = LEAF * (leaf % each)
    return output[leaf // each, start : start + LEAF]


def tiles(computation: Computation, node: int) -> int:
    """The steps of all leaves of a node: what a dispute over it can end at."""
    return sum(len(computation.steps(node, leaf)) for leaf in range(leaves(computation.nodes[node])))


def followed(computation: Computation, node: int, leaf: int, step: int, inputs: Sequence[Words]) -> Words:
    """The result of a step; zeros where its inputs are beyond their bounds: who committed to those has no right one."""
    result = computation.recompute(node, leaf, step, inputs)
    return np.zeros(computation.steps(node, leaf)[step].words, np.int32) if result is None else result


class Forest:
    """The trees of all nodes' leaves, None where a node is null; each is built when it is asked for."""

    def __init__(self, digests: bytes, counts: npt.NDArray[np.int64]) -> None:
        self.digests, self.ends = digests, np.cumsum(counts).tolist()
        """Of the leaves of all nodes, one after another; of how many up to each node."""
        self.trees: dict[int, Tree | None] = {}

    def copy(self) -> "Forest":
        other = copy(self)
        other.trees = dict(self.trees)
        return other

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, node: int) -> Tree | None:
        if node not in self.trees:
            start, end = self.ends[node - 1] if node else 0, self.ends[node]
            self.trees[node] = Tree(self.digests[DIGEST * start : DIGEST * end]) if end > start else None
        return self.trees[node]

    def __setitem__(self, node: int, tree: Tree | None) -> None:
        self.trees[node] = tree

    def __iter__(self) -> Iterator[Tree | None]:
        return map(self.__getitem__, range(len(self)))


@dataclass(slots=True, eq=False)
class Trace:
    """What a party holds of a run."""

    computation: Computation
    tokens: list[int]
    trees: Forest
    kept: dict[int, Words]
    tree: Tree
    """Over the digests of all nodes."""
    changed: dict[tuple[int, int], Words] = field(default_factory=dict)
    """Leaves that are not what the run gave: an adversary's."""
    derived: dict[tuple[int, int], list[Words]] = field(default_factory=dict)
    """Results of the steps of leaves that a dispute came to."""
    again: dict[int, Words] = field(default_factory=dict)
    """The pass that was computed again last."""

    def copy(self) -> "Trace":
        """A trace that can be changed apart from this one."""
        other = Trace(self.computation, list(self.tokens), self.trees.copy(), self.kept, self.tree)
        other.changed, other.again = dict(self.changed), self.again
        return other

    def output(self, node: int) -> Words:
        """The words of a node (rows, words)."""
        if node in self.kept:
            return self.kept[node]
        if node not in self.again:
            self.again = self.computation.regenerate(node, self.kept.__getitem__)
        return self.again[node]

    def leaf(self, node: int, leaf: int) -> Words:
        """The words of a committed leaf."""
        if (node, leaf) in self.changed:
            return self.changed[node, leaf]
        return leaf_of(self.output(node), leaf)

    def digest(self, node: int) -> bytes:
        """The digest of a node."""
        return self.tree[node]

    def change(self, node: int, leaf: int, words: Words) -> None:
        """Commit to other words of a leaf than the run gave."""
        tree, shape = self.trees[node], self.computation.nodes[node]
        assert tree is not None
        self.changed[node, leaf] = words
        digests, nodes = tree.digests, self.tree.digests
        digests[leaf] = leaf_digest(words)
        self.trees[node] = changed = Tree(b"".join(digests))
        nodes[node] = node_digest(shape.rows, shape.words, changed.root)
        self.tree = Tree(b"".join(nodes))

    def derivation(self, node: int, leaf: int) -> list[Words]:
        """The results of a leaf's steps; the last is the committed leaf, whatever the steps give."""
        if (node, leaf) not in self.derived:
            self.derived[node, leaf] = self._derive(node, leaf)
        return self.derived[node, leaf]

    def _derive(self, node: int, leaf: int) -> list[Words]:
        results: list[Words] = []
        steps = self.computation.steps(node, leaf)
        for index, step in enumerate(steps[:-1]):
            inputs = [results[s] if isinstance(s, int) else self.leaf(*s) for s in step.sources]
            results.append(followed(self.computation, node, leaf, index, inputs))
        return [*results, self.leaf(node, leaf)]


def record(
    computation: Computation,
    replace: Callable[[int, Words], Words | None] | None = None,
    *,
    keep_all: bool = False,
    see: Callable[[int, Outputs], object] = lambda first, outputs: None,
) -> Trace:
    """Run a computation and commit to its trace.

    What a batch of nodes gave is hashed while the next ones run.

    Args:
        replace: sees every node's output; an adversary's gives another one, from which what follows is computed.
        keep_all: keep every node's words, as who replaced some must.
        see: is told of outputs as they come, as they are committed to, and of the index of the first.
    """
    keep = range(len(computation.nodes)) if keep_all else computation.kept
    kept, found, pending = dict[int, Words](), list[tuple[bytes, bytes]](), list[Callable[[], tuple[bytes, bytes]]]()
    counts = list[npt.NDArray[np.int64]]()

    def observe(first: int, outputs: Outputs) -> tuple[int, Words] | None:
        other = None if replace is None else _replaced(replace, first, outputs)
        if other is None:
            take(first, outputs)
        else:
            before = [output_of(outputs, index) for index in range(other[0] - first)]
            take(first, side_by_side([*before, other[1]]))
        return other

    def take(first: int, outputs: Outputs) -> None:
        settle()
        see(first, outputs)
        pending.append(committing(outputs))
        counts.append(outputs.shapes[:, 0] * -(-outputs.shapes[:, 1] // LEAF))
        starts, shapes = outputs.starts.tolist(), outputs.shapes.tolist()
        for node in keep[bisect_left(keep, first) : bisect_left(keep, first + len(starts))]:
            start, (rows, words) = starts[node - first], shapes[node - first]
            kept[node] = outputs.words[start : start + rows * words].reshape(rows, words).copy()

    def settle() -> None:
        found.extend(wait() for wait in pending)
        pending.clear()

    try:
        tokens = computation.run(observe)
    finally:
        settle()
    leaf_digests, node_digests = (b"".join(digests) for digests in zip(*found, strict=True))
    return Trace(computation, tokens, Forest(leaf_digests, np.concatenate(counts)), kept, Tree(node_digests))


def _replaced(replace: Callable[[int, Words], Words | None], first: int, outputs: Outputs) -> tuple[int, Words] | None:
    """The first node of a batch that is not null and has another output."""
    for index in range(len(outputs.starts)):
        output = output_of(outputs, index)
        other = replace(first + index, output)
        if other is not None and len(output):
            return first + index, other
    return None
