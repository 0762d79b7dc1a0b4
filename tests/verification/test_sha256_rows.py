"""Digests from compiled code are those of the formulas, one call a digest, for outputs of every shape."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from verification import _sha256_lanes, merkle, sha256_rows
from verification.computation import LEAF, side_by_side
from verification.merkle import NULL, Tree, committing, leaf_digests, node_digest

SHAPE = st.tuples(st.integers(0, 9), st.sampled_from([1, 2, 63, LEAF - 1, LEAF, LEAF + 1, 2 * LEAF + 5]))
pytestmark = pytest.mark.skipif(not sha256_rows.available(), reason="OpenSSL's library is not to be found")
lanes = njit(_sha256_lanes.hash_leaves)


def by_the_formulas(outputs):
    each = [leaf_digests(output) for output in outputs]
    nodes = [
        node_digest(*output.shape, merkle._levels(b"".join(digests))[-1]) if digests else NULL
        for output, digests in zip(outputs, each, strict=True)
    ]
    return b"".join(b"".join(digests) for digests in each), b"".join(nodes)


def drawn(shapes, seed):
    generator = np.random.default_rng(seed)
    return [generator.integers(-(2**31), 2**31, shape).astype(np.int32) for shape in shapes]


@given(st.lists(SHAPE, min_size=1, max_size=12), st.integers(0, 2**32))
def test_many_outputs_at_once_have_each_its_own_digests(shapes, seed):
    outputs = drawn(shapes, seed)
    assert committing(side_by_side(outputs))() == by_the_formulas(outputs)


def test_outputs_are_read_where_they_start():
    outputs = drawn([(3, 40), (2, 7), (1, 500)], 0)
    batch = side_by_side(outputs)
    moved = np.concatenate((np.full(9, 5, np.int32), batch.words))
    backwards = replace(batch, words=moved, starts=batch.starts[::-1] + 9, shapes=batch.shapes[::-1])
    assert committing(backwards)() == by_the_formulas(outputs[::-1])


def test_hashlib_gives_the_same_where_the_library_is_missing(monkeypatch):
    batch = side_by_side(drawn([(3, 2 * LEAF), (0, 5), (1, 1), (40, 77)], 1))
    compiled = committing(batch)()
    digests = compiled[0][: 32 * 45]
    tree = Tree(digests)
    monkeypatch.setattr(merkle.sha256_rows, "available", lambda: False)
    assert committing(batch)() == compiled
    assert Tree(digests).levels == tree.levels


def test_what_is_compiled_can_be_imported_alone():
    """As the documents' builder does: what was kept of it would end the process without the library."""
    made = subprocess.run([sys.executable, "-c", "import verification._sha256_compiled"], check=False)
    assert made.returncode == 0


@pytest.mark.parametrize("processors", [1, 2, 3, 8])
@pytest.mark.parametrize("alone", [0, sha256_rows.ALONE])
@pytest.mark.parametrize("inline", [0, sha256_rows.INLINE])
def test_the_number_of_processors_changes_no_digest(monkeypatch, processors, alone, inline):
    outputs = drawn([(0, 7), (5, 700), (1, 1), (64, 1540), (0, 3), (2, 9)], 2)
    monkeypatch.setattr(sha256_rows, "PROCESSORS", processors)
    monkeypatch.setattr(sha256_rows, "ALONE", alone)
    monkeypatch.setattr(sha256_rows, "INLINE", inline)
    assert committing(side_by_side(outputs))() == by_the_formulas(outputs)


def test_who_waits_hashes_what_no_thread_has_begun(monkeypatch):
    outputs = drawn([(5, 700), (64, 1540), (2, 9)], 3)
    monkeypatch.setattr(sha256_rows, "INLINE", 0)
    monkeypatch.setattr(sha256_rows, "ALONE", 0)
    free = threading.Event()
    with ThreadPoolExecutor(1) as busy:
        monkeypatch.setattr(sha256_rows, "_threads", lambda: busy)
        busy.submit(free.wait)
        try:
            assert committing(side_by_side(outputs))() == by_the_formulas(outputs)
        finally:
            free.set()


@given(st.sampled_from([*range(1, 50), LEAF - 1, LEAF]), st.integers(0, 2**32))
def test_leaves_in_lanes_have_the_digests_of_the_formula_whatever_the_processor(words, seed):
    each = drawn([(1, words)] * _sha256_lanes.LANES, seed)
    addresses = np.array([leaf.ctypes.data for leaf in each])
    places = np.random.default_rng(seed).permutation(len(each))
    digests = np.empty((len(each), 32), np.uint8)
    lanes(addresses, words, merkle._PREFIX[words].view(np.uint32), places, digests)
    assert [digests[place].tobytes() for place in places] == [merkle.leaf_digest(leaf[0]) for leaf in each]


@pytest.mark.parametrize("rows", range(_sha256_lanes.FEWEST - 1, 2 * _sha256_lanes.LANES + 2))
def test_leaves_beyond_whole_lanes_are_hashed_too(rows):
    outputs = drawn([(rows, LEAF), (rows, 2 * LEAF + 3), (1, 5), (rows, 12)], rows)
    assert committing(side_by_side(outputs))() == by_the_formulas(outputs)


@pytest.mark.parametrize("count", [*range(1, 18), 1000, 1025])
def test_every_level_of_a_tree_is_that_of_the_formula(count):
    digests = np.random.default_rng(count).bytes(32 * count)
    assert Tree(digests).levels == merkle._levels(digests)
