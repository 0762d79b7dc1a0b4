"""The trace of a run: every node's output in schedule order, committed in one Merkle tree (section 5).

A party keeps the digests of all leaves and the words that later passes read; other words it computes again, one pass
at a time, when a dispute asks for them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from verification.computation import LEAF, Computation, Node, Words
from verification.merkle import DIGEST, NULL, Committed, Tree, committed, leaf_digest, node_digest


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


class Forest:
    """The trees of all nodes' leaves, None where a node is null; each is built when it is asked for."""

    def __init__(self, digests: Sequence[bytes | None] = ()) -> None:
        self.digests = list(digests)
        """Of the leaves of each node, one after another."""
        self.built: dict[int, Tree] = {}

    def copy(self) -> "Forest":
        other = Forest(self.digests)
        other.built = dict(self.built)
        return other

    def __len__(self) -> int:
        return len(self.digests)

    def __getitem__(self, node: int) -> Tree | None:
        node %= len(self.digests)
        digests = self.digests[node]
        if digests is None:
            return None
        if node not in self.built:
            self.built[node] = Tree([digests[at : at + DIGEST] for at in range(0, len(digests), DIGEST)])
        return self.built[node]

    def __setitem__(self, node: int, tree: Tree | None) -> None:
        self.digests[node] = None if tree is None else b"".join(tree.levels[0])
        self.built.pop(node, None)

    def __iter__(self) -> Iterator[Tree | None]:
        return map(self.__getitem__, range(len(self.digests)))


@dataclass(slots=True, eq=False)
class Trace:
    """What a party holds of a run."""

    computation: Computation
    tokens: list[int] = field(default_factory=list)
    trees: Forest = field(default_factory=Forest)
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
        return self.tree.levels[0][node]

    def change(self, node: int, leaf: int, words: Words) -> None:
        """Commit to other words of a leaf than the run gave."""
        tree, shape = self.trees[node], self.computation.nodes[node]
        assert tree is not None
        self.changed[node, leaf] = words
        digests = [*tree.levels[0][:leaf], leaf_digest(words), *tree.levels[0][leaf + 1 :]]
        self.trees[node] = changed = Tree(digests)
        nodes = list(self.tree.levels[0])
        nodes[node] = node_digest(shape.rows, shape.words, changed.root)
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
    trace, found = Trace(computation), list[Committed]()
    waiting: list[Words] = []

    def observe(node: int, output: Words) -> Words | None:
        other = replace(node, output)
        output = output if other is None else other
        if keep_all or computation.keeps(node):
            trace.kept[node] = output.copy()
        waiting.append(output)
        if len(waiting) == TOGETHER:
            settle()
        return other

    def settle() -> None:
        found.extend(committed(waiting))
        waiting.clear()

    trace.tokens = computation.run(observe, settle)
    settle()
    trace.trees = Forest([leaf_digests for leaf_digests, _ in found])
    trace.tree = Tree([digest for _, digest in found])
    return trace


TOGETHER = 4096
"""Outputs that are hashed together, at most."""
