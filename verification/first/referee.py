"""The referee: openings checked against the commitment, one tile recomputed; or the whole run, linearly (section 5)."""

from collections.abc import Sequence

import numpy as np

from verification.computation import Computation, Words
from verification.errors import Refusal
from verification.first.commitment import Header
from verification.first.messages import Opening
from verification.merkle import NULL, leaf_digest, node_digest, root_of
from verification.trace import Trace, leaf_words, leaves


def committed(computation: Computation, root: bytes, node: int, leaf: int, opening: Opening) -> Words | None:
    """The words of a committed leaf; None where its node is null.

    Raises:
        Refusal: wrong-words, wrong-proof.
    """
    shape = computation.nodes[node]
    if opening.words is None:
        digest = NULL if not opening.path else b""
    else:
        _sized(opening.words, leaf_words(shape, leaf))
        inner = root_of(leaf_digest(opening.words), leaf, leaves(shape), opening.path)
        digest = b"" if inner is None else node_digest(shape.rows, shape.words, inner)
    if not digest or root_of(digest, node, len(computation.nodes), opening.node) != root:
        raise Refusal("wrong-proof", f"the proof of leaf {leaf} of {shape.name} does not lead to the committed root")
    return opening.words


def derived(root: bytes, step: int, steps: int, words: int, opening: Opening) -> Words:
    """The result of an earlier step of the same leaf.

    Raises:
        Refusal: wrong-words, wrong-proof.
    """
    if opening.words is None or opening.node:
        raise Refusal("wrong-proof", f"step {step} is opened as if it were a node")
    _sized(opening.words, words)
    if root_of(leaf_digest(opening.words), step, steps, opening.path) != root:
        raise Refusal("wrong-proof", f"the proof of step {step} does not lead to the root of the leaf's steps")
    return opening.words


def _sized(words: Words, expected: int) -> None:
    if len(words) != expected:
        raise Refusal("wrong-words", f"{len(words)} words are opened where there are {expected}")


def right(computation: Computation, node: int, leaf: int, step: int, inputs: Sequence[Words], claimed: bytes) -> bool:
    """Whether a step's result, recomputed from its inputs, has the digest that the asserter committed to."""
    try:
        result = computation.recompute(node, leaf, step, inputs)
    except Exception:  # noqa: BLE001 - inputs beyond their bounds: whoever committed to them was not honest
        return False
    return result is not None and leaf_digest(np.asarray(result, np.int32)) == claimed


def linear(claimed: Header, trace: Trace) -> str:
    """The whitepaper's way: compare with the whole run, recomputed; "" where the header holds, else what is wrong."""
    if trace.tree.root.hex() != claimed.root:
        return "the trace has another root"
    if tuple(trace.tokens) != claimed.tokens:
        return f"the tokens are {trace.tokens}, not {list(claimed.tokens)}"
    return ""
