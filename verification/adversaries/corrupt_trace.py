"""Adversaries that corrupt the trace: what they commit to is not what the task gives. All lose to an honest challenger.

Each is a function of the cheat's own honest trace, which it may change, and a generator; it gives the trace that the
cheat commits to. Those that run another computation than the task's (a cheaper model, another input, another seed)
share ``substituted``.
"""

from collections.abc import Callable

import numpy as np

from verification.computation import LEAF, Computation, Words
from verification.trace import Trace, chunks, leaves, record


def flip(trace: Trace, node: int, element: int) -> None:
    """Commit to a node with bit 0 of one word flipped."""
    shape = trace.computation.nodes[node]
    row, column = divmod(element, shape.words)
    leaf = row * chunks(shape) + column // LEAF
    words = trace.leaf(node, leaf).copy()
    words[column % LEAF] ^= 1
    trace.change(node, leaf, words)


def drawn(trace: Trace, generator: np.random.Generator) -> tuple[int, int]:
    """A node that is not null, and an element of it."""
    node = int(generator.choice([node for node, tree in enumerate(trace.trees) if tree is not None]))
    shape = trace.computation.nodes[node]
    return node, int(generator.integers(shape.rows * shape.words))


def flipped_bit(trace: Trace, generator: np.random.Generator) -> Trace:
    """A flipped bit in one node; what depends on it is as it was."""
    flip(trace, *drawn(trace, generator))
    return trace


def wrong_node(trace: Trace, generator: np.random.Generator) -> Trace:
    """A wrong node whose dependants are computed from it."""
    return replaced(trace.computation, *drawn(trace, generator))


def replaced(computation: Computation, node: int, element: int) -> Trace:
    """Bit 0 of one word of a node flipped, what depends on it computed anew."""

    def replace(index: int, output: Words) -> Words | None:
        if index != node:
            return None
        output = output.copy()
        output.reshape(-1)[element] ^= 1
        return output

    return record(computation, replace, keep_all=True)


def masked_fault(trace: Trace, generator: np.random.Generator) -> Trace:
    """A fault that later nodes do not show, as where requantisation rounds it away, and a second one.

    A search that compares nodes in the middle may land on the second, whose inputs are right.
    """
    for node, element in {drawn(trace, generator), drawn(trace, generator)}:
        flip(trace, node, element)
    return trace


def wrong_tile(trace: Trace, generator: np.random.Generator) -> Trace:
    """One step of a leaf's derivation wrong, the later ones following from it."""
    computation, before = trace.computation, trace.tree.root
    nodes = [node for node, tree in enumerate(trace.trees) if tree is not None and len(computation.steps(node, 0)) > 1]
    if not nodes:
        return flipped_bit(trace, generator)
    while trace.tree.root == before:  # a step's fault may leave the leaf as it was
        node = int(generator.choice(nodes))
        leaf = int(generator.integers(leaves(computation.nodes[node])))
        with_wrong_step(trace, node, leaf, int(generator.integers(len(computation.steps(node, leaf)))))
    return trace


def with_wrong_step(trace: Trace, node: int, leaf: int, wrong: int) -> Trace:
    """A trace whose derivation of a leaf has bit 0 of the first word of one step flipped, later steps following: as
    zeros where that takes them beyond their bounds."""
    computation, results = trace.computation, list[Words]()
    for index, step in enumerate(computation.steps(node, leaf)):
        inputs = [results[s] if isinstance(s, int) else trace.leaf(*s) for s in step.sources]
        result = computation.recompute(node, leaf, index, inputs)
        results.append(np.zeros(step.words, np.int32) if result is None else np.array(result, np.int32))
        if index == wrong:
            results[-1][0] ^= 1
    trace.change(node, leaf, results[-1])
    trace.derived[node, leaf] = results
    return trace


def other_tokens(trace: Trace, generator: np.random.Generator) -> Trace:
    """An honest trace, but another token delivered than it chose."""
    leaf, place = _delivered(trace, generator)
    return _outputs(trace, leaf, place, place + 1, lambda words: words + 1)


def fewer_tokens(trace: Trace, generator: np.random.Generator) -> Trace:
    """An honest trace, but fewer tokens delivered than it chose."""
    leaf, place = _delivered(trace, generator)
    return _outputs(trace, leaf, place, LEAF, lambda words: words * 0 - 1)


def _delivered(trace: Trace, generator: np.random.Generator) -> tuple[int, int]:
    """A leaf of the output and the place of a token in it."""
    leaf, place = divmod(int(generator.integers(len(trace.tokens))), LEAF)
    return leaf, place


def _outputs(trace: Trace, leaf: int, start: int, stop: int, other: Callable[[Words], Words]) -> Trace:
    """Change words of the output, the last node."""
    node = len(trace.computation.nodes) - 1
    words = trace.leaf(node, leaf).copy()
    words[start:stop] = other(words[start:stop])
    trace.change(node, leaf, words)
    return trace


def substituted(computation: Computation, other: Trace) -> Trace:
    """The trace of another computation of the same schedule, all of it kept, passed off as the task's."""
    other.computation = computation
    return other


ADVERSARIES: dict[str, Callable[[Trace, np.random.Generator], Trace]] = {
    "flipped-bit": flipped_bit,
    "wrong-node": wrong_node,
    "masked-fault": masked_fault,
    "wrong-tile": wrong_tile,
    "other-tokens": other_tokens,
    "fewer-tokens": fewer_tokens,
}
"""By name. All lose for step-wrong, or for null-wrong where a run ends early."""
SUBSTITUTES = {
    "fewer-layers": "A cheaper model: layers left out",
    "coarser-weights": "A cheaper model: weights of fewer bits",
    "wrong-input": "The right model on another prompt",
    "wrong-seed": "Another seed than the task's, at a temperature",
}
"""Those that run another computation, which who knows the model has to make."""
