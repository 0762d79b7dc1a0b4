"""The trace of a run: every node's output in schedule order, committed in one Merkle tree (section 5).

A party keeps the digests of all leaves and the words that later passes read; other words it computes again, one pass
at a time, when a dispute asks for them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from verification.computation import LEAF, Computation, Node, Words
from verification.merkle import NULL, Tree, leaf_digest, leaf_digests, node_digest


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
    """A leaf of a node's output."""
    each = -(-output.shape[1] // LEAF)
    start = LEAF * (leaf % each)
    return output[leaf // each, start : start + LEAF]


def tiles(computation: Computation, node: int) -> int:
    """The steps of all leaves of a node: what a dispute over it can end at."""
    return sum(len(computation.steps(node, leaf)) for leaf in range(leaves(computation.nodes[node])))


@dataclass(slots=True, eq=False)
class Trace:
    """What a party holds of a run."""

    computation: Computation
    tokens: list[int] = field(default_factory=list)
    trees: list[Tree | None] = field(default_factory=list)
    """The tree of every node's leaves; None where the node is null."""
    kept: dict[int, Words] = field(default_factory=dict)
    tree: Tree = field(default_factory=lambda: Tree([NULL]))
    """Over the digests of all nodes."""
    changed: dict[tuple[int, int], Words] = field(default_factory=dict)
    """Leaves that are not what the run gave: an adversary's."""
    derived: dict[tuple[int, int], list[Words]] = field(default_factory=dict)
    """Results of the steps of leaves that a dispute came to."""
    again: dict[int, Words] = field(default_factory=dict)
    """The pass that was computed again last."""

    def copy(self) -> "Trace":
        """A trace that can be changed apart from this one."""
        other = Trace(self.computation, list(self.tokens), list(self.trees), self.kept, self.tree)
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
        return self.tree.levels[0][node]

    def change(self, node: int, leaf: int, words: Words) -> None:
        """Commit to other words of a leaf than the run gave."""
        tree, shape = self.trees[node], self.computation.nodes[node]
        assert tree is not None
        self.changed[node, leaf] = words
        digests = [*tree.levels[0][:leaf], leaf_digest(words), *tree.levels[0][leaf + 1 :]]
        self.trees[node] = Tree(digests)
        nodes = list(self.tree.levels[0])
        nodes[node] = node_digest(shape.rows, shape.words, self.trees[node].root)  # type: ignore[union-attr]
        self.tree = Tree(nodes)

    def derivation(self, node: int, leaf: int) -> list[Words]:
        """The results of a leaf's steps; the last is the committed leaf, whatever the steps give."""
        if (node, leaf) not in self.derived:
            self.derived[node, leaf] = self._derive(node, leaf)
        return self.derived[node, leaf]

    def _derive(self, node: int, leaf: int) -> list[Words]:
        results: list[Words] = []
        steps = self.computation.steps(node, leaf)
        for index, step in enumerate(steps[:-1]):
            inputs = [results[s] if isinstance(s, int) else self.leaf(*s) for s in step.inputs]
            try:
                results.append(self.computation.recompute(node, leaf, index, inputs))
            except Exception:  # noqa: BLE001 - who committed to inputs beyond their bounds has no right result
                results.append(np.zeros(step.words, np.int32))
        return [*results, self.leaf(node, leaf)]


def record(
    computation: Computation,
    replace: Callable[[int, Words], Words | None] = lambda node, output: None,
    *,
    keep_all: bool = False,
) -> Trace:
    """Run a computation and commit to its trace.

    Args:
        replace: an adversary's: gives another output of a node, from which what follows is computed.
        keep_all: keep every node's words, as who replaced some must.
    """
    trace, digests = Trace(computation), []

    def observe(node: int, output: Words) -> Words | None:
        other = replace(node, output)
        output = output if other is None else other
        rows, words = output.shape
        if rows:
            trace.trees.append(Tree(leaf_digests(output)))
            digests.append(node_digest(rows, words, trace.trees[-1].root))  # type: ignore[union-attr]
        else:
            trace.trees.append(None)
            digests.append(NULL)
        if keep_all or computation.keeps(node):
            trace.kept[node] = output.copy()
        return other

    trace.tokens = computation.run(observe)
    trace.tree = Tree(digests)
    return trace
