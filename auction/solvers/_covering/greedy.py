"""A cover by Dobson's greedy (1982): the least cost per useful request first."""

from heapq import heapify, heappop, heappush

import numpy as np
from numba import njit

MOST = 2**62  # what a cover may cost on the way


@njit(cache=True, nogil=True)
def _ratio(q, slot, cost, weight):
    """Cost per useful request, weighted; infinite where none is of use."""
    useful = 0.0
    for k in range(q.size):
        useful += weight[k] * min(q[k], slot[k])
    return cost / useful if useful > 0 else np.inf


@njit(cache=True, nogil=True)
def greedy_cover(demand, slot, cost, weight):
    """The least ratio first, ties by index, then slots that turned out redundant dropped, dearest first.

    Ratios only grow: one on the heap is renewed once it is least.

    Args:
        demand: (d,) requests, not all 0.
        slot: (n, d) requests of each slot; their sums fit int64.
        cost: (n,), each at most MOST.
        weight: (d,) floats above 0 that the requests of each type count.

    Returns:
        (n,) whether each slot is chosen: none where all together do not cover, or the way there costs beyond MOST.
    """
    count = slot.shape[0]
    chosen = np.zeros(count, dtype=np.bool_)
    q = demand.copy()
    ratios = [(_ratio(q, slot[a], cost[a], weight), a) for a in range(count)]
    heapify(ratios)
    spent = 0
    while q.any():
        if len(ratios) == 0 or ratios[0][0] == np.inf:
            return np.zeros(count, dtype=np.bool_)
        _, best = heappop(ratios)
        now = (_ratio(q, slot[best], cost[best], weight), best)
        if len(ratios) > 0 and now > ratios[0]:
            heappush(ratios, now)
            continue
        if now[0] == np.inf or spent > MOST - cost[best]:
            return np.zeros(count, dtype=np.bool_)
        chosen[best] = True
        spent += cost[best]
        q = np.maximum(q - slot[best], 0)
    surplus = -demand
    for a in range(count):
        if chosen[a]:
            surplus = surplus + slot[a]
    for a in np.argsort(-cost):
        if chosen[a] and (surplus >= slot[a]).all():
            chosen[a] = False
            surplus = surplus - slot[a]
    return chosen
