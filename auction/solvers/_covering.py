"""Cheapest covers of one task's demand by slots, each used at most once (a 0/1 covering knapsack in K dimensions)."""

from heapq import heapify, heappop, heappush

import numpy as np
from numba import njit

STATE_LIMIT = 1 << 22  # lattice points x undominated slots up to which the exact programme is run
COMPARISONS = 1 << 24  # of two slots, up to which dominated ones are looked for: a tenth of a second


@njit(cache=True, nogil=True)
def _undominated(demand, supply, cost):
    """Slots some cheapest cover can do without the others, cheapest first.

    A slot is dropped when cheaper ones that are each at least as large together cover every type it helps with: a
    cover that has them all does not need it, any other can take one of them in its place. After COMPARISONS the rest
    is kept.
    """
    count, types = supply.shape
    kept = np.empty(count, dtype=np.int64)
    size = 0
    compared = 0
    for a in np.argsort(cost):
        helps = False
        short = np.zeros(types, dtype=np.int64)
        for k in range(types):
            if demand[k] > 0 and supply[a, k] > 0:
                helps = True
                short[k] = demand[k]
        if not helps:
            continue
        open_types = True
        for b in kept[:size] if compared < COMPARISONS else kept[:0]:
            compared += 1
            larger = True
            for k in range(types):
                larger = larger and supply[b, k] >= min(supply[a, k], demand[k])
            if larger:
                open_types = False
                for k in range(types):
                    short[k] -= supply[b, k]
                    open_types = open_types or short[k] > 0
                if not open_types:
                    break
        if open_types:
            kept[size] = a
            size += 1
    return kept[:size]


@njit(cache=True, nogil=True)
def cheapest_cover(demand, supply, cost):
    """Slots that cover ``demand`` at the least cost, by dynamic programming over the lattice of residual demands.

    Where lattice points x undominated slots exceed STATE_LIMIT, by Dobson's greedy instead: least cost per useful
    request, then slots that turned out redundant dropped, dearest first.

    Args:
        demand: (K,) requests, not all 0.
        supply: (c, K) requests of each slot.
        cost: (c,) micro-tokens.

    Returns:
        indices of the slots; none when even all of them do not cover.
    """
    useful = _undominated(demand, supply, cost)
    if useful.size == 0:
        return useful
    size = useful.size
    for k in range(demand.size):
        if demand[k] >= STATE_LIMIT // size:
            return useful[_greedy_cover(demand, supply[useful], cost[useful])]
        size *= demand[k] + 1
    return useful[_exact_cover(demand, supply[useful], cost[useful])]


@njit(cache=True, nogil=True)
def _exact_cover(demand, supply, cost):
    """f(q) = min(f(q), c + f(max(q - s, 0))), slot by slot, q descending so that each slot serves once."""
    count, types = supply.shape
    stride = np.ones(types, dtype=np.int64)
    for k in range(types - 1, 0, -1):
        stride[k - 1] = stride[k] * (demand[k] + 1)
    size = stride[0] * (demand[0] + 1)
    never = np.iinfo(np.int64).max
    least = np.full(size, never)
    least[0] = 0
    taken = np.zeros((count, size), dtype=np.bool_)
    q = np.empty(types, dtype=np.int64)
    for a in range(count):
        q[:] = demand
        for state in range(size - 1, 0, -1):
            rest = state
            for k in range(types):
                rest -= stride[k] * min(q[k], supply[a, k])
            if rest < state and least[rest] < never and least[rest] + cost[a] < least[state]:
                least[state] = least[rest] + cost[a]
                taken[a, state] = True
            k = types - 1
            while q[k] == 0 and k > 0:
                q[k] = demand[k]
                k -= 1
            q[k] -= 1
    chosen = np.zeros(count, dtype=np.bool_)
    if least[size - 1] == never:
        return chosen
    q[:] = demand
    state = size - 1
    for a in range(count - 1, -1, -1):
        if taken[a, state]:
            chosen[a] = True
            for k in range(types):
                used = min(q[k], supply[a, k])
                q[k] -= used
                state -= stride[k] * used
    return chosen


@njit(cache=True, nogil=True)
def _ratio(q, supply, cost):
    """Cost per useful request, infinite where none is."""
    useful = 0
    for k in range(q.size):
        useful += min(q[k], supply[k])
    return cost / useful if useful > 0 else np.inf


@njit(cache=True, nogil=True)
def _greedy_cover(demand, supply, cost):
    """The least ratio first, ties by index. Ratios only grow: one on the heap is renewed once it is least."""
    count = supply.shape[0]
    chosen = np.zeros(count, dtype=np.bool_)
    q = demand.copy()
    ratios = [(_ratio(q, supply[a], cost[a]), a) for a in range(count)]
    heapify(ratios)
    while q.any():
        if len(ratios) == 0 or ratios[0][0] == np.inf:
            return np.zeros(count, dtype=np.bool_)
        _, best = heappop(ratios)
        now = (_ratio(q, supply[best], cost[best]), best)
        if len(ratios) > 0 and now > ratios[0]:
            heappush(ratios, now)
            continue
        if now[0] == np.inf:
            return np.zeros(count, dtype=np.bool_)
        chosen[best] = True
        q = np.maximum(q - supply[best], 0)
    surplus = -demand
    for a in range(count):
        if chosen[a]:
            surplus = surplus + supply[a]
    for a in np.argsort(-cost):
        if chosen[a] and (surplus >= supply[a]).all():
            chosen[a] = False
            surplus = surplus - supply[a]
    return chosen
