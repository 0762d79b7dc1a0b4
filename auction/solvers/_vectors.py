"""Rows of non-negative integers as vectors: the distinct ones and what dominates what."""

import math

import numpy as np

from auction.market import Int


def distinct_rows(rows: Int) -> tuple[Int, Int]:
    """The distinct rows in lexicographic order, and for every row the index of its own.

    Args:
        rows: (r, K) non-negative integers.

    Returns:
        (d, K) distinct rows and (r,) indices into them.
    """
    radix = [int(top) + 1 for top in rows.max(axis=0, initial=0)]
    if math.prod(radix) >= 2**62:
        distinct, index = np.unique(rows, axis=0, return_inverse=True)
        return distinct, index.reshape(-1)
    key = np.zeros(rows.shape[0], dtype=np.int64)
    for k, size in enumerate(radix):
        key = key * size + rows[:, k]
    _, first, index = np.unique(key, return_index=True, return_inverse=True)
    return rows[first], index
