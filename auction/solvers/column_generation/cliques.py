"""Clique cuts, which tighten the relaxation of set packing more than its rows do."""

import numpy as np
from numba import njit
from scipy import sparse

from auction.market import Float, Int
from auction.solvers.column_generation.columns import Pool

A_ROUND = 100  # cuts, those violated most
VIOLATION = 0.02
LIFTED = 500  # columns that may join a clique, at most: their conflicts are a dense matrix


def add_cliques(pool: Pool, column: Int, x: Float) -> Pool:
    """The pool and the cuts x violates most: sum_{c in Q} x_c <= 1 of columns Q no two of which fit together.

    Cliques grow from each column in turn by the largest x, then by columns that fit with none of theirs, so that
    cuts are of maximal cliques (Padberg 1973), but where more than ``LIFTED`` could join one.

    Args:
        pool: of set packing.
        column, x: the relaxation's columns and values.
    """
    A = pool.A[: pool.base]
    used = A[:, column]
    shared = (used.T @ used).toarray() > 0
    np.fill_diagonal(shared, False)
    member, weight = _grown(shared, np.ascontiguousarray(x))
    order = np.argsort(-weight, kind="stable")
    found = list(dict.fromkeys(tuple(column[np.flatnonzero(member[at])].tolist()) for at in order))[:A_ROUND]
    if not found:
        return pool
    by_column = A.T.tocsr()
    cuts = sorted({_maximal(A, by_column, np.array(clique)) for clique in found})
    columns, ends = np.concatenate(cuts), np.cumsum([0, *map(len, cuts)])
    rows = sparse.csr_array((np.ones(columns.size, dtype=np.int64), columns, ends), (len(cuts), pool.profit.size))
    return pool.with_cuts(rows, np.ones(len(cuts), dtype=np.int64))


def _maximal(A: sparse.csc_array, by_column: sparse.csr_array, clique: Int) -> tuple[int, ...]:
    """The clique and, while there are any, the column that shares rows with all of it and with most others that do."""
    near = np.flatnonzero(((by_column @ A[:, clique]) > 0).sum(axis=1) == clique.size)
    near = np.setdiff1d(near, clique)[:LIFTED]
    shared = (A[:, near].T @ A[:, near]).toarray() > 0
    np.fill_diagonal(shared, False)
    taken, left = clique.tolist(), np.ones(near.size, dtype=bool)
    while left.any():
        most = np.flatnonzero(left)
        one = int(most[np.argmax(shared[np.ix_(most, most)].sum(axis=1))])
        taken.append(int(near[one]))
        left &= shared[one]
    return tuple(sorted(taken))


@njit("Tuple((boolean[:, ::1], float64[::1]))(boolean[:, ::1], float64[::1])", cache=True, nogil=True)
def _grown(shared, x):
    """Cliques that x violates, a row each, and what x is on them."""
    n = x.size
    member, weight = np.zeros((n, n), dtype=np.bool_), np.zeros(n)
    order = np.argsort(-x)
    found = 0
    for first in range(n):
        candidate, total = shared[first].copy(), x[first]
        inside = np.zeros(n, dtype=np.bool_)
        inside[first] = True
        for c in order:
            if candidate[c]:
                inside[c] = True
                total += x[c]
                candidate &= shared[c]
        if total > 1 + VIOLATION:
            member[found], weight[found] = inside, total
            found += 1
    return member[:found].copy(), weight[:found].copy()
