"""Subset-row cuts, which tighten the relaxation of a pool of columns."""

from dataclasses import replace

import numpy as np
from numba import njit
from scipy import sparse

from auction.market import Float, Int
from auction.solvers.column_generation.columns import Pool

A_ROUND = 100  # cuts, those violated most
VIOLATION = 0.02


def add_cuts(pool: Pool, column: Int, x: Float, flag: Int) -> Pool:
    """The pool and the cuts x violates most: sum_c floor(a_c(R) / 2) x_c <= floor(limit(R) / 2) of three rows R.

    Args:
        column, x: the relaxation's columns and values.
        flag: (1,) once it is 1, those found so far are the ones.
    """
    used = np.ascontiguousarray(pool.A[: pool.base, column].toarray().T.astype(np.bool_))
    triple, violation = _violated(used, x, pool.limit[: pool.base], flag)
    if not violation.size:
        return pool
    triple = triple[np.argsort(-violation, kind="stable")[:A_ROUND]]
    rows = np.repeat(np.arange(len(triple)), 3)
    chosen = sparse.csr_array((np.ones(rows.size, dtype=np.int64), (rows, triple.ravel())), (len(triple), pool.base))
    cut = (chosen @ pool.A[: pool.base].tocsr()).tocsr()
    cut.data //= 2
    cut.eliminate_zeros()
    return pool.with_cuts(cut, pool.limit[triple].sum(axis=1) // 2)


def drop_idle_cuts(pool: Pool, price: Int) -> Pool:
    """The pool without the cuts of price 0."""
    kept = np.concatenate((np.arange(pool.base), pool.base + np.flatnonzero(price[pool.base - pool.tasks :])))
    A = pool.A[kept]
    A.sort_indices()
    return replace(pool, A=A, limit=pool.limit[kept])


@njit(
    "Tuple((int64[:, ::1], float64[::1]))(boolean[:, ::1], float64[::1], int64[::1], int64[::1])",
    cache=True,
    nogil=True,
)
def _violated(used, x, limit, flag):
    """Triples of rows and by how much x violates their cuts, each triple found once."""
    columns, rows = used.shape
    both = np.zeros((rows, rows))  # weight of the columns in two rows
    for k in range(columns):
        inside = np.flatnonzero(used[k])
        for row in inside:
            both[row, inside] += x[k]
    triple = np.empty((64, 3), dtype=np.int64)
    violation = np.empty(64)
    found = 0
    for a in range(rows):
        near = np.flatnonzero(both[a])
        for p in range(near.size):
            if flag[0] != 0:
                return triple[:found].copy(), violation[:found].copy()
            b = near[p]
            for e in near[p + 1 :]:
                if b == a or e == a or (both[b, e] > 0 and a > b):  # of a triangle, the first row finds it
                    continue
                excess = both[a, b] + both[a, e] + both[b, e] - (limit[a] + limit[b] + limit[e]) // 2
                if excess <= VIOLATION:
                    continue
                for k in range(columns):
                    if used[k, a] and used[k, b] and used[k, e]:
                        excess -= 2 * x[k]
                if excess <= VIOLATION:
                    continue
                if found == violation.size:
                    triple = np.concatenate((triple, np.empty((found, 3), dtype=np.int64)))
                    violation = np.concatenate((violation, np.empty(found)))
                triple[found, 0], triple[found, 1], triple[found, 2] = a, b, e
                violation[found] = excess
                found += 1
    return triple[:found].copy(), violation[:found].copy()
