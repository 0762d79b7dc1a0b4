"""The cheapest cover of one task: its own lattice where that is small, otherwise branch and bound.

That goes by the number of slots where it is small.
"""

import numpy as np
from numba import njit

from auction.market import Int
from auction.solvers._covering.by_size import CHEAPEST, covers_by_size
from auction.solvers._covering.lattice import lattice_cover, undominated
from auction.solvers._covering.search import branch_and_bound, coverable

LATTICE = 1 << 14  # lattice points x undominated slots up to which the programme is run
ANY_NODES = 2**62
UNINTERRUPTED: Int = np.zeros(1, dtype=np.int64)


@njit(cache=True, nogil=True)
def cheapest_cover(demand, supply, cost, limit, multiplier, nodes, tolerance, flag):
    """Bounds on what the cheapest cover of ``demand`` costs, and the cheapest found.

    Args:
        demand: (K,) requests, not all 0.
        supply: (n, K) requests of each slot; their sums fit int64.
        cost: (n,) micro-tokens from 0 up.
        limit: what a cover must cost less than, at most 2^62.
        multiplier: (K,) floats, of an earlier search at similar costs, or 0; left at those of this one.
        nodes: of the search at most; with ANY_NODES the bounds meet.
        tolerance: micro-tokens that the bounds may be apart.
        flag: (1,) once it is 1, the bounds so far are returned.

    Returns:
        lower, upper and the indices of the slots. No cover costs less than lower; the slots cost upper. There are none
        where upper is ``limit``; then, where lower is too, no cover costs less.
    """
    types = np.flatnonzero(demand > 0)
    own = demand[types]
    slot = np.empty((cost.size, types.size), dtype=np.int64)
    for j in range(cost.size):
        for k in range(types.size):
            slot[j, k] = min(supply[j, types[k]], own[k])
    u = multiplier[types]
    lower, upper, members = cover_of(own, slot, cost, limit, u, nodes, tolerance, flag)
    multiplier[types] = u
    return lower, upper, members


@njit(cache=True, nogil=True)
def cover_of(demand, slot, cost, limit, u, nodes, tolerance, flag):
    """``cheapest_cover`` of the types that are asked for, with slots clipped to the demand."""
    count, types = slot.shape
    useful = np.empty(count, dtype=np.int64)
    size = 0
    for j in range(count):
        if cost[j] < limit and slot[j].any():
            useful[size] = j
            size += 1
    useful = useful[:size]
    short = demand.copy()
    for j in useful:
        for k in range(types):
            short[k] -= min(short[k], slot[j, k])
    if short.any():
        return limit, limit, useful[:0]
    points = 1.0
    for k in range(types):
        points *= demand[k] + 1.0
    if points <= LATTICE:
        offered, price = slot[useful], cost[useful]
        kept = undominated(demand, offered, price)
        if points * kept.size <= LATTICE:
            chosen = kept[lattice_cover(demand, offered[kept], price[kept], limit)]
            least = price[chosen].sum() if chosen.size > 0 else limit
            return least, least, useful[chosen]
        useful = useful[kept]
    offered, price = slot[useful], cost[useful]
    lower, upper, members = branch_and_bound(demand, offered, price, limit, u, 1, tolerance, flag)
    if nodes == 1 or lower >= upper - tolerance:
        return lower, upper, useful[members]
    near = np.argsort(price, kind="mergesort")
    near = near[price[near] < upper]
    if not coverable(demand, offered, near):
        return upper, upper, useful[members]
    proved, best, _, few = covers_by_size(
        demand, offered[near], price[near], upper, lower, u, nodes, tolerance, CHEAPEST, flag
    )
    if proved >= 0:
        return max(lower, proved), best, useful[near[few]] if few.size > 0 else useful[members]
    lower, upper, members = branch_and_bound(demand, offered, price, limit, u, nodes, tolerance, flag)
    return lower, upper, useful[members]
