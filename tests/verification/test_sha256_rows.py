"""Digests from compiled code are those of the formulas, one call a leaf, for outputs of every shape."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification import merkle, sha256_rows
from verification.computation import LEAF
from verification.merkle import NULL, Tree, committed, leaf_digests, node_digest

SHAPE = st.tuples(st.integers(0, 9), st.sampled_from([1, 2, 63, LEAF - 1, LEAF, LEAF + 1, 2 * LEAF + 5]))


def by_the_formulas(output):
    if not len(output):
        return None, NULL
    digests = leaf_digests(output)
    return b"".join(digests), node_digest(*output.shape, Tree(digests).root)


def drawn(shapes, seed):
    generator = np.random.default_rng(seed)
    return [generator.integers(-(2**31), 2**31, shape).astype(np.int32) for shape in shapes]


@given(st.lists(SHAPE, max_size=12), st.integers(0, 2**32))
def test_many_outputs_at_once_have_each_its_own_digests(shapes, seed):
    outputs = drawn(shapes, seed)
    assert committed(outputs) == [by_the_formulas(output) for output in outputs]


def test_views_and_transposes_are_read_as_they_stand():
    [whole] = drawn([(7, 11)], 0)
    outputs = [whole[2:5], whole[:, 3:6], whole.T, whole[::2]]
    assert committed(outputs) == [by_the_formulas(output) for output in outputs]


@pytest.mark.skipif(not sha256_rows.available(), reason="OpenSSL's library is not to be found")
def test_hashlib_gives_the_same_where_the_library_is_missing(monkeypatch):
    outputs = drawn([(3, 2 * LEAF), (0, 5), (1, 1), (40, 77)], 1)
    compiled = committed(outputs)
    monkeypatch.setattr(merkle.sha256_rows, "available", lambda: False)
    assert committed(outputs) == compiled


@pytest.mark.skipif(not sha256_rows.available(), reason="OpenSSL's library is not to be found")
@pytest.mark.parametrize("processors", [1, 2, 3, 8])
def test_the_number_of_processors_changes_no_digest(monkeypatch, processors):
    outputs = drawn([(5, 700), (1, 1), (64, 1540), (0, 3), (2, 9)], 2)
    expected = [by_the_formulas(output) for output in outputs]
    monkeypatch.setattr(sha256_rows, "PROCESSORS", processors)
    assert committed(outputs) == expected
