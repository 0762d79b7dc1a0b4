"""Good set packings by iterated local search: columns are forced in, and what that leaves is improved by swaps."""

import numpy as np
from numba import int64, njit, types

from auction.market import Int
from auction.solvers._time import NEVER_RAISED
from auction.solvers.column_generation.columns import Pool

SHORT, LONG = 4_000_000, 1_500_000_000  # columns looked at: some thousandths of a second, a few seconds
LEAST = 1_000  # of these that a perturbation counts as: few columns are not searched for as long as many
WORSE = 0.002  # of the worth: by so much worse a packing is kept every e-th time
SEVERAL, MOST = 0.3, 4  # how often more than one column is forced in, and how many
WAITED = 3  # columns drawn, to force in the one that was last forced in longest ago


def improve_by_swaps(pool: Pool, column: Int, work: int = SHORT, seed: int = 0, flag: Int = NEVER_RAISED) -> Int:
    """Columns that fit together and are worth no less than these.

    A local optimum gains by no column that replaces those it shares rows with, and by no two that replace one (Andrade,
    Resende, Werneck 2012; Nogueira, Pinheiro, Subramanian 2018). Pools of too many conflicts are left as they are.

    Args:
        pool: of set packing.
        column: columns of it that fit together.
        work: columns that are looked at, about.
        seed: of perturbations.
        flag: (1,) once it is 1, the best so far are the ones.
    """
    if (conflicts := pool.conflicts) is None:
        return column
    begin = np.zeros(pool.profit.size, dtype=np.bool_)
    begin[column] = True
    return np.flatnonzero(_search(*conflicts, pool.profit, begin, work, np.random.default_rng(seed), flag))


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


@njit(
    types.boolean[::1](int64[::1], int64[::1], int64[::1], types.boolean[::1], int64, types.npy_rng, int64[::1]),
    cache=True,
    nogil=True,
)
def _search(starts, near, profit, begin, work, rng, flag):
    """Which columns the best packing found takes.

    Args:
        starts, near: of each column those it shares rows with, one after another.
        profit: (columns,) micro-tokens.
        begin: (columns,) which the first packing takes.
        work: as of ``improve_by_swaps``, as is ``flag``.
        rng: numpy's generator.
    """
    n, left = profit.size, np.array([work])
    taken, load, count = np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    worth = 0
    for c in np.flatnonzero(begin):
        worth += _force(c, taken, load, count, starts, near, profit)
    worth += _descend(taken, load, count, starts, near, profit, left)
    best, most = taken.copy(), worth
    kept, kept_taken, kept_load, kept_count = worth, taken.copy(), load.copy(), count.copy()
    forced = np.zeros(n, dtype=np.int64)
    step = 0
    while left[0] > 0 and flag[0] == 0:
        step += 1
        before = left[0]
        for _ in range(rng.integers(1, MOST + 1) if rng.random() < SEVERAL else 1):
            c = rng.integers(0, n)
            for _ in range(WAITED):
                other = rng.integers(0, n)
                if not taken[other] and (taken[c] or forced[other] < forced[c]):
                    c = other
            if not taken[c] and profit[c] > 0:
                forced[c] = step
                worth += _force(c, taken, load, count, starts, near, profit)
        worth += _descend(taken, load, count, starts, near, profit, left)
        left[0] = min(left[0], before - LEAST)
        if worth > kept or rng.random() < np.exp((worth - kept) / (WORSE * kept + 1)):
            kept, kept_taken[:], kept_load[:], kept_count[:] = worth, taken, load, count
        else:
            worth, taken[:], load[:], count[:] = kept, kept_taken, kept_load, kept_count
        if worth > most:
            best[:], most = taken, worth
    return best
