"""Cheapest covers by dynamic programming over the lattice of a demand's residuals."""

import numpy as np
from numba import njit

COMPARISONS = 1 << 24  # of two slots, up to which dominated ones are looked for: a tenth of a second


@njit(cache=True, nogil=True)
def undominated(demand, slot, cost):
    """Slots some cheapest cover can do without the others, cheapest first.

    A slot is dropped when cheaper ones that are each at least as large together cover every type it helps with: a
    cover that has them all does not need it, any other can take one of them in its place. After COMPARISONS the rest
    is kept.
    """
    count, types = slot.shape
    kept = np.empty(count, dtype=np.int64)
    size = 0
    compared = 0
    for a in np.argsort(cost):
        helps = False
        short = np.zeros(types, dtype=np.int64)
        for k in range(types):
            if demand[k] > 0 and slot[a, k] > 0:
                helps = True
                short[k] = demand[k]
        if not helps:
            continue
        open_types = True
        for b in kept[:size] if compared < COMPARISONS else kept[:0]:
            compared += 1
            larger = True
            for k in range(types):
                larger = larger and slot[b, k] >= min(slot[a, k], demand[k])
            if larger:
                open_types = False
                for k in range(types):
                    short[k] -= slot[b, k]
                    open_types = open_types or short[k] > 0
                if not open_types:
                    break
        if open_types:
            kept[size] = a
            size += 1
    return kept[:size]


@njit(cache=True, nogil=True)
def lattice_cover(demand, slot, cost, limit):
    """f(q) = min(f(q), c + f(max(q - s, 0))), slot by slot, q descending so that each slot serves once.

    Args:
        demand: (d,) requests; slots x lattice points fit memory.
        slot: (n, d) requests of each slot.
        cost: (n,), each below ``limit``.
        limit: at most 2^62.

    Returns:
        (n,) whether each slot is in the cheapest cover; none where nothing covers for less than ``limit``.
    """
    count, types = slot.shape
    stride = np.ones(types, dtype=np.int64)
    for k in range(types - 1, 0, -1):
        stride[k - 1] = stride[k] * (demand[k] + 1)
    size = stride[0] * (demand[0] + 1)
    least = np.full(size, limit)
    least[0] = 0
    taken = np.zeros((count, size), dtype=np.bool_)
    q = np.empty(types, dtype=np.int64)
    for a in range(count):
        q[:] = demand
        for state in range(size - 1, 0, -1):
            rest = state
            for k in range(types):
                rest -= stride[k] * min(q[k], slot[a, k])
            if rest < state and least[rest] + cost[a] < least[state]:
                least[state] = least[rest] + cost[a]
                taken[a, state] = True
            k = types - 1
            while q[k] == 0 and k > 0:
                q[k] = demand[k]
                k -= 1
            q[k] -= 1
    chosen = np.zeros(count, dtype=np.bool_)
    if least[size - 1] >= limit:
        return chosen
    q[:] = demand
    state = size - 1
    for a in range(count - 1, -1, -1):
        if taken[a, state]:
            chosen[a] = True
            for k in range(types):
                used = min(q[k], slot[a, k])
                q[k] -= used
                state -= stride[k] * used
    return chosen
