"""Distinct rows against a plain sort."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from auction.solvers._vectors import distinct_rows

SHAPES = st.tuples(st.integers(0, 6), st.integers(1, 3))


@pytest.mark.parametrize("largest", [2, 2**40, 2**62], ids=["few", "many", "no single key"])
def test_rows_are_the_sorted_distinct_ones(largest):
    @given(SHAPES.flatmap(lambda shape: arrays(np.int64, shape, elements=st.sampled_from((0, 1, largest)))))
    def holds(rows):
        distinct, index = distinct_rows(rows)
        assert [tuple(row) for row in distinct.tolist()] == sorted(set(map(tuple, rows.tolist())))
        assert index.shape == rows.shape[:1] and (distinct[index] == rows).all()

    holds()
