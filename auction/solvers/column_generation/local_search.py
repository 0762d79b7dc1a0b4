"""Good set packings by iterated local search: columns are forced in, and what that leaves is improved by swaps."""

import numpy as np
from numba import njit

from auction.search import Stop
from auction.solvers._time import flag_of
from auction.solvers.column_generation.columns import Pool

PERTURBATIONS = 100  # a column of the pool
WORK = 3_000_000_000  # columns looked at: a few seconds
CONFLICTS = 20_000_000  # pairs of columns that share a row, at most
WORSE = 0.002  # of the worth: by so much worse a packing is kept every e-th time
SEVERAL, MOST = 0.3, 4  # how often more than one column is forced in, and how many
WAITED = 3  # columns drawn, to force in the one that was last forced in longest ago


def improve_by_swaps(pool: Pool, best: Pool, stop: Stop) -> Pool:
    """Columns that fit together and are worth no less than ``best``, after a number of perturbations.

    A local optimum gains by no column that replaces those it shares rows with, and by no two that replace one (Andrade,
    Resende, Werneck 2012; Nogueira, Pinheiro, Subramanian 2018). Pools of too many conflicts are left as they are.

    Args:
        pool: of set packing.
    """
    pool = pool.only(np.flatnonzero(pool.profit > 0))
    A = pool.A[: pool.base]
    if not pool.profit.size or (A.tocsr().sum(axis=1).astype(float) ** 2).sum() > CONFLICTS:
        return best
    shared = (A.T @ A).tocsr()
    shared.setdiag(0)
    shared.eliminate_zeros()
    starts, near = shared.indptr.astype(np.int64), shared.indices.astype(np.int64)
    with flag_of(stop) as flag:
        taken = _search(starts, near, pool.profit, PERTURBATIONS * pool.profit.size, np.random.default_rng(0), flag)
    found = pool.only(np.flatnonzero(taken))
    return max(best, found, key=lambda packing: int(packing.profit.sum()))


@njit("int64(int64, boolean[::1], int64[::1], int64[::1], int64[::1], int64[::1], int64[::1])", cache=True, nogil=True)
def _force(c, taken, load, count, starts, near, profit):
    """Take a column and drop those it shares rows with; the gain."""
    gain = profit[c] - load[c]
    for p in range(starts[c], starts[c + 1]):
        other = near[p]
        if taken[other]:
            taken[other] = False
            for q in range(starts[other], starts[other + 1]):
                load[near[q]] -= profit[other]
                count[near[q]] -= 1
    taken[c] = True
    for q in range(starts[c], starts[c + 1]):
        load[near[q]] += profit[c]
        count[near[q]] += 1
    return gain


@njit(
    "int64(boolean[::1], int64[::1], int64[::1], int64[::1], int64[::1], int64[::1], int64[::1])",
    cache=True,
    nogil=True,
)
def _descend(taken, load, count, starts, near, profit, work):
    """Swaps to a local optimum, or until no work (1,) is left; the gain."""
    gain = 0
    single, mark = np.empty(profit.size, dtype=np.int64), np.full(profit.size, -1)
    while work[0] > 0:
        work[0] -= profit.size
        one = np.argmax(np.where(taken, 0, profit - load))
        if not taken[one] and profit[one] > load[one]:
            gain += _force(one, taken, load, count, starts, near, profit)
            continue
        swapped = False
        for c in np.flatnonzero(taken):
            size = 0
            for p in range(starts[c], starts[c + 1]):
                if count[near[p]] == 1:
                    single[size] = near[p]
                    size += 1
            for a in range(size):
                first = single[a]
                work[0] -= starts[first + 1] - starts[first] + size - a
                mark[near[starts[first] : starts[first + 1]]] = first
                for second in single[a + 1 : size]:
                    if not swapped and profit[first] + profit[second] > profit[c] and mark[second] != first:
                        gain += _force(first, taken, load, count, starts, near, profit)
                        gain += _force(second, taken, load, count, starts, near, profit)
                        swapped = True
                if swapped:
                    break
            if swapped:
                break
        if not swapped:
            break
    return gain


@njit(cache=True, nogil=True)
def _search(starts, near, profit, perturbations, rng, flag):
    """Which columns the best packing found takes.

    Args:
        starts, near: of each column those it shares rows with, one after another.
        profit: (columns,) micro-tokens.
        rng: numpy's generator.
        flag: (1,) once it is 1, the best so far is the one.
    """
    n, work = profit.size, np.array([WORK])
    taken, load, count = np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    worth = _descend(taken, load, count, starts, near, profit, work)
    best, most = taken.copy(), worth
    kept, kept_taken, kept_load, kept_count = worth, taken.copy(), load.copy(), count.copy()
    forced = np.zeros(n, dtype=np.int64)
    for step in range(1, perturbations + 1):
        if flag[0] != 0 or work[0] <= 0:
            break
        for _ in range(rng.integers(1, MOST + 1) if rng.random() < SEVERAL else 1):
            c = rng.integers(0, n)
            for _ in range(WAITED):
                other = rng.integers(0, n)
                if not taken[other] and (taken[c] or forced[other] < forced[c]):
                    c = other
            if not taken[c]:
                forced[c] = step
                worth += _force(c, taken, load, count, starts, near, profit)
        worth += _descend(taken, load, count, starts, near, profit, work)
        if worth > kept or rng.random() < np.exp((worth - kept) / (WORSE * kept + 1)):
            kept, kept_taken[:], kept_load[:], kept_count[:] = worth, taken, load, count
        else:
            worth, taken[:], load[:], count[:] = kept, kept_taken, kept_load, kept_count
        if worth > most:
            best[:], most = taken, worth
    return best
