"""Enumeration of every minimal cover within a price, by depth-first search that meets no dead ends."""

import numpy as np
from numba import njit

from auction.solvers._minimal_covers import is_minimal
from auction.solvers.column_generation.pricing import lattice_point


@njit(
    "Tuple((int64[::1], int64[::1]))(int64[::1], int64[:, ::1], int64[::1], int64[:, ::1], int64[::1], int64, int64, "
    "int64[::1])",
    cache=True,
    nogil=True,
)
def covers_within(top, slot, price, table, demand, budget, limit, flag):
    """Every set of providers that covers the demand, needs all its members and costs at most ``budget``.

    Providers are taken or skipped in order; the table tells what the rest costs at least, so that a branch is entered
    only if a cover within the budget lies below it (which may turn out not to be minimal).

    Args:
        top, slot, price, table: as in ``pricing.cover_prices``.
        demand: (K,) of one task.
        budget: the most a cover may cost, below ``pricing.NEVER``.
        limit: covers after which to give up.
        flag: (1,) once it is 1, what is returned is not all.

    Returns:
        ends (covers,) and the providers of all covers, one after another; limit + 1 covers mean that it gave up.
    """
    count, types = slot.shape
    ends = np.empty(64, dtype=np.int64)
    members = np.empty(256, dtype=np.int64)
    found = size = 0
    chosen = np.empty(count, dtype=np.int64)
    left = np.empty((count + 1, types), dtype=np.int64)  # of the demand, after each chosen provider
    supply = np.zeros((count + 1, types), dtype=np.int64)  # of the chosen together
    spent = np.zeros(count + 1, dtype=np.int64)
    left[0] = demand
    depth = j = 0
    at = lattice_point(top, left[0])
    if table[0, at] > budget:
        return ends[:0].copy(), members[:0].copy()
    while True:
        if flag[0] != 0:
            break
        # Invariant: a cover within the budget completes the chosen ones by providers j, j + 1, ...
        while at > 0:
            left[depth + 1] = np.maximum(left[depth] - slot[j], 0)
            rest = lattice_point(top, left[depth + 1])
            bound = budget - spent[depth]
            if rest < at and price[j] + table[j + 1, rest] <= bound:
                supply[depth + 1] = supply[depth] + slot[j]
                if is_minimal(slot, demand, chosen[:depth], supply[depth + 1]):
                    chosen[depth] = j
                    spent[depth + 1] = spent[depth] + price[j]
                    depth += 1
                    at = rest
                    j += 1
                    continue
            if table[j + 1, at] > bound:
                break
            j += 1
        if at == 0:
            if found == ends.size:
                ends = np.append(ends, np.empty(found, dtype=np.int64))
            if size + depth > members.size:
                members = np.append(members, np.empty(members.size + depth, dtype=np.int64))
            members[size : size + depth] = chosen[:depth]
            size += depth
            ends[found] = size
            found += 1
            if found > limit:
                break
        while depth > 0:  # back to the last choice that can be skipped
            depth -= 1
            j = chosen[depth] + 1
            at = lattice_point(top, left[depth])
            if table[j, at] <= budget - spent[depth]:
                break
        else:
            break
    return ends[:found].copy(), members[:size].copy()
