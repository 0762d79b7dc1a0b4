"""Cheapest covers by slots that may repeat, one table for all tasks that demand the same types: for many model types.

Shares nothing with the solvers, whose bounds it derives again.
"""

import numpy as np
from numba import njit

from auction.errors import InputError
from auction.market import Int

POINTS = 100_000_000  # of one table: 800 MB
STEPS = 20_000_000_000  # points x slots x types over all tables: some two minutes


def covers_by_support(demand: Int, slot: Int, price: Int, highest: int, *, single: bool) -> Int:
    """(m,) the least price of slots that cover each demand, a slot as often as it takes; at most ``highest``.

    f(q) = min over slots s of p_s + f(max(q - s, 0)), over the demands of one set of types. Of the slots, clipped to
    those, only such count as are cheaper than every larger one.

    Args:
        demand: (m, K).
        slot: (n, K).
        price: (n,) from 0 up.
        highest: no cover at or above it is of use.
        single: a cover is one slot.

    Raises:
        InputError: tables beyond POINTS or STEPS.
    """
    cover = np.zeros(demand.shape[0], dtype=np.int64)
    wanted = demand > 0
    sets, of = np.unique(np.packbits(wanted, axis=1), axis=0, return_inverse=True)
    order = np.argsort(of.reshape(-1), kind="stable")
    offering = [np.flatnonzero(slot[:, k] > 0) for k in range(demand.shape[1])]
    steps = 0.0
    for tasks in np.split(order, np.cumsum(np.bincount(of.reshape(-1), minlength=len(sets)))[:-1]):
        kinds = np.flatnonzero(wanted[tasks[0]]) if tasks.size else tasks
        if not kinds.size:
            continue
        needed = demand[np.ix_(tasks, kinds)]
        top = needed.max(axis=0)
        points = float(np.prod(top + 1.0))
        if points > POINTS:
            raise InputError(f"market: tasks demand {kinds.size} types together, a table of {points:.3g} points")
        use = np.unique(np.concatenate([offering[k] for k in kinds]))
        table = np.full(tuple(top + 1), highest)
        np.minimum.at(table, tuple(np.minimum(slot[np.ix_(use, kinds)], top).T), np.minimum(price[use], highest))
        for axis in range(table.ndim):
            table = np.flip(np.minimum.accumulate(np.flip(table, axis), axis), axis)
        at = np.ravel_multi_index(tuple(needed.T), table.shape)
        if single:
            cover[tasks] = table.ravel()[at]
            continue
        rows, least = _undominated(table, highest)
        if (steps := steps + points * rows.size) > STEPS:
            raise InputError(f"market: its bound takes more than {STEPS} steps to derive again")
        cover[tasks] = _lattice(top, rows, least, highest)[at]
    return cover


def _undominated(table: Int, highest: int) -> tuple[Int, Int]:
    """The points (rows, types) where the least price of slots as large is lower than at larger ones; those prices."""
    kept = table < highest
    kept[(0,) * table.ndim] = False
    for axis in range(table.ndim):
        smaller = tuple(slice(None, -1) if a == axis else slice(None) for a in range(table.ndim))
        larger = tuple(slice(1, None) if a == axis else slice(None) for a in range(table.ndim))
        kept[smaller] &= table[smaller] < table[larger]
    rows = np.argwhere(kept)
    least = table[kept]
    order = np.argsort(least, kind="stable")
    return np.ascontiguousarray(rows[order]), least[order]


@njit("i8[::1](i8[::1], i8[:, ::1], i8[::1], i8)", cache=True, nogil=True)
def _lattice(top, rows, price, highest):
    """f over the lattice 0..top in C order: point by point, the cheapest first slot of a cover."""
    types = top.size
    stride = np.ones(types, dtype=np.int64)
    for k in range(types - 1, 0, -1):
        stride[k - 1] = stride[k] * (top[k] + 1)
    least = np.full(stride[0] * (top[0] + 1), highest)
    least[0] = 0
    q = np.zeros(types, dtype=np.int64)
    for point in range(1, least.size):
        k = types - 1
        while q[k] == top[k]:
            q[k] = 0
            k -= 1
        q[k] += 1
        best = highest
        for v in range(rows.shape[0]):
            if price[v] >= best:
                break
            rest = point
            for k in range(types):
                rest -= stride[k] * min(q[k], rows[v, k])
            if rest < point:
                best = min(best, price[v] + least[rest])
        least[point] = best
    return least
