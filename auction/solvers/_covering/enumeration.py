"""Every minimal cover within a price, by the same bounds as the search for the cheapest."""

import numpy as np
from numba import njit

from auction.solvers._covering.by_size import covers_by_size
from auction.solvers._covering.cover import ANY_NODES
from auction.solvers._covering.lagrangian import ascend, in_units, proved, shift_of, up, worths
from auction.solvers._covering.search import ROOT_STEPS, STEPS, coverable, helps, longer
from auction.solvers._minimal_covers import is_minimal


@njit("Tuple((i8[::1], i8[::1]))(i8[::1], i8[:, ::1], i8[::1], i8, f8[::1], i8, i8[::1])", cache=True, nogil=True)
def covers_within(demand, slot, price, budget, u, covers, flag):
    """Every set of slots that covers the demand, needs all its members and costs at most ``budget``.

    At each node slots go whose reduced cost proves that no cover within the budget has them; the one of most worth is
    taken, then left.

    Args:
        demand, slot, price: as in ``search.branch_and_bound``; prices of any size.
        budget: the most a cover may cost, below 2^62.
        u: (d,) floats, multipliers to start from.
        covers: after which to give up.
        flag: (1,) once it is 1, what is returned is not all.

    Returns:
        ends (c,) and the slots of all covers, one after another; ``covers`` + 1 mean that it gave up.
    """
    count, types = slot.shape
    ends = np.empty(64, dtype=np.int64)
    listed = np.empty(256, dtype=np.int64)
    found = length = 0
    everyone = np.flatnonzero(price <= budget)
    if not coverable(demand, slot, everyone):
        return ends[:0].copy(), listed[:0].copy()
    order = everyone[np.argsort(price[everyone], kind="mergesort")]
    lower, _, ends_by_size, by_size = covers_by_size(
        demand, slot[order], price[order], budget + 1, 0, u, ANY_NODES, 0, covers, flag
    )
    if lower >= 0:
        return ends_by_size, order[by_size]
    shift = shift_of(budget + 1)
    slot_float, price_float = slot.astype(np.float64), price.astype(np.float64)
    worth = np.empty(count, dtype=np.int64)
    depths = 16
    free = np.empty((depths, count), dtype=np.int64)
    size = np.empty(depths, dtype=np.int64)
    left = np.empty((depths, types), dtype=np.int64)
    supply = np.zeros((depths, types), dtype=np.int64)
    multiplier = np.empty((depths, types))
    spent = np.zeros(depths, dtype=np.int64)
    taken = np.empty(count, dtype=np.int64)  # one a depth
    free[0, : everyone.size], size[0], left[0], multiplier[0] = everyone, everyone.size, demand, u
    depth = 0
    steps = ROOT_STEPS
    while depth >= 0 and flag[0] == 0:
        r, here, own = left[depth], free[depth, : size[depth]], multiplier[depth]
        room = budget - spent[depth]
        ascend(r.astype(np.float64), slot_float, price_float, here, own, room + 1.0, steps)
        steps = STEPS
        whole = in_units(r, own, shift)
        worths(r, slot, here, whole, worth)
        value = proved(r, price, here, whole, worth, shift)
        kept = 0
        branch, most = -1, -1.0
        for j in here:
            paid = price[j] << shift
            if price[j] > room or not helps(r, slot[j]) or up(value + max(0, paid - worth[j]), shift) > room:
                continue
            merit = float(worth[j]) / (1.0 + float(paid))
            if merit > most:
                branch, most = j, merit
            here[kept] = j
            kept += 1
        size[depth] = kept
        if up(value, shift) > room or kept == 0 or not coverable(r, slot, here[:kept]):
            depth -= 1
            continue
        if depth + 1 == depths:
            depths *= 2
            free, left, supply, multiplier = longer(free), longer(left), longer(supply), longer(multiplier)
            size, spent = longer(size), longer(spent)
        other = 0
        for j in free[depth, :kept]:
            if j != branch:
                free[depth, other] = j
                other += 1
        size[depth] = other
        supply[depth + 1] = supply[depth] + slot[branch]
        if not is_minimal(slot, demand, taken[:depth], supply[depth + 1]):
            continue
        taken[depth] = branch
        for k in range(types):
            left[depth + 1, k] = max(left[depth, k] - slot[branch, k], 0)
        if left[depth + 1].any():
            depth += 1
            free[depth, :other] = free[depth - 1, :other]
            size[depth] = other
            spent[depth] = spent[depth - 1] + price[branch]
            multiplier[depth] = multiplier[depth - 1]
            continue
        if found == ends.size:
            ends = longer(ends)
        if length + depth + 1 > listed.size:
            listed = np.append(listed, np.empty(listed.size + depth, dtype=np.int64))
        listed[length : length + depth + 1] = taken[: depth + 1]
        length += depth + 1
        ends[found] = length
        found += 1
        if found > covers:
            break
    return ends[:found].copy(), listed[:length].copy()
