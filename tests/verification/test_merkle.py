"""Merkle trees against RFC 6962's recursive definition; proofs and parts."""

from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.computation import LEAF
from verification.merkle import (
    NULL,
    Tree,
    folded,
    leaf_digest,
    leaf_digests,
    node_digest,
    parts,
    root_of,
)

DIGESTS = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=70)


def defined(digests):
    """MTH of RFC 6962, inner nodes only."""
    if len(digests) == 1:
        return digests[0]
    k = 1
    while 2 * k < len(digests):
        k *= 2
    return sha256(b"\1" + defined(digests[:k]) + defined(digests[k:])).digest()


@given(DIGESTS)
def test_the_root_is_that_of_the_recursive_definition(digests):
    assert Tree(b"".join(digests)).root == defined(digests)


@given(DIGESTS, st.data())
def test_a_proof_leads_to_the_root_and_no_other_place_or_length_does(digests, data):
    tree, index = Tree(b"".join(digests)), data.draw(st.integers(0, len(digests) - 1))
    path = tree.path(index)
    assert len(path) <= (len(digests) - 1).bit_length()
    assert root_of(digests[index], index, len(digests), path) == tree.root
    assert root_of(digests[index], index, len(digests), [*path, b"\0" * 32]) is None
    if path:
        assert root_of(digests[index], index, len(digests), path[:-1]) is None
        at = data.draw(st.integers(0, len(path) - 1))
        wrong = [*path[:at], bytes([path[at][0] ^ 1]) + path[at][1:], *path[at + 1 :]]
        assert root_of(digests[index], index, len(digests), wrong) != tree.root
    assert root_of(b"\0" * 32, index, len(digests), path) != tree.root or digests[index] == b"\0" * 32


@given(DIGESTS, st.integers(1, 4), st.data())
def test_parts_cover_a_subtree_and_fold_to_it(digests, levels, data):
    tree, span = Tree(b"".join(digests)), (0, len(digests))
    while span[1] - span[0] > 1:
        below = parts(span, levels)
        assert [lo for lo, _ in below[1:]] == [hi for _, hi in below[:-1]]
        assert (below[0][0], below[-1][1]) == span and len(below) <= 2**levels
        assert folded(span, levels, [tree.subtree(part) for part in below]) == tree.subtree(span)
        assert tree.subtree(span) == defined(digests[slice(*span)])
        span = data.draw(st.sampled_from(below))


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (2, LEAF), (2, LEAF + 1), (1, 3 * LEAF), (0, 7)])
def test_leaves_are_rows_in_parts_of_1024_words(shape):
    output = np.random.default_rng(0).integers(-(2**31), 2**31, shape).astype(np.int32)
    expected = []
    for row in output:
        for start in range(0, shape[1], LEAF):
            words = row[start : start + LEAF]
            raw = b"".join(int(word).to_bytes(4, "little", signed=True) for word in words)
            expected.append(sha256(b"\0i32" + len(words).to_bytes(4, "little") + raw).digest())
            assert leaf_digest(words) == expected[-1]
    assert leaf_digests(output) == expected


def test_a_transposed_matrix_is_the_same_to_its_leaves():
    output = np.arange(12, dtype=np.int32).reshape(3, 4)
    assert leaf_digests(output.T) == leaf_digests(np.ascontiguousarray(output.T))


def test_domains_are_separate():
    words = np.zeros(1, np.int32)
    root = leaf_digest(words)
    nodes = {node_digest(1, 1, root), node_digest(1, 2, root), node_digest(2, 1, root)}
    seen = {root, NULL, Tree(root + root).root} | nodes
    assert len(seen) == 6
    assert leaf_digest(np.zeros(2, np.int32)) not in seen
