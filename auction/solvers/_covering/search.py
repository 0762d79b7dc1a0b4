"""The cheapest cover by branch and bound, depth first, on Lagrangian bounds."""

import numpy as np
from numba import njit

from auction.solvers._covering.greedy import greedy_cover
from auction.solvers._covering.lagrangian import ascend, in_units, proved, shift_of, up, worths

ROOT_STEPS, STEPS = 60, 6  # of subgradients at the root, and at every node after it
NEARLY = 3  # how much more a reduced cost counts against branching on a slot than its worth for it


@njit(cache=True, nogil=True)
def branch_and_bound(demand, slot, price, limit, u, nodes, tolerance, flag):
    """Bounds on the cheapest cover below ``limit``, and the cheapest found.

    At each node slots whose reduced cost proves that they are in no better cover, or in every one, are fixed. Then the
    slot of most worth about which the multipliers are undecided is taken, or left: with all that it dominates.

    Args:
        demand: (d,) requests above 0.
        slot: (n, d) requests of each slot, clipped to the demand, together enough for it; sums fit int64.
        price: (n,) each below ``limit``.
        limit: at most 2^62.
        u: (d,) floats, multipliers to start from, all 0 where none are known; left at those of the root.
        nodes: how many at most.
        tolerance: micro-tokens that the bounds may be apart.
        flag: (1,) once it is 1, the bounds so far are returned.

    Returns:
        lower, upper, and the indices of the slots, none where upper is ``limit``.
    """
    count, types = slot.shape
    everyone = np.arange(count)
    warm = u.any()
    weight = u if warm else np.ones(types)
    best, best_members = _better(demand, slot, price, weight, everyone, 0, everyone[:0], limit, everyone[:0])
    if not warm:
        for k in range(types):
            u[k] = best / (types * demand[k])
    shift = shift_of(best)
    everyone = np.flatnonzero(price < best)
    slot_float, price_float = slot.astype(np.float64), price.astype(np.float64)
    worth = np.empty(count, dtype=np.int64)
    ascend(demand.astype(np.float64), slot_float, price_float, everyone, u, float(best), ROOT_STEPS)

    # Of every node on the way down: what is free, left to be covered, spent, proved, and how many slots are taken.
    depths = 16
    free = np.empty((depths, count), dtype=np.int64)
    size = np.empty(depths, dtype=np.int64)
    left = np.empty((depths, types), dtype=np.int64)
    multiplier = np.empty((depths, types))
    spent = np.zeros(depths, dtype=np.int64)
    low = np.zeros(depths, dtype=np.int64)
    members = np.zeros(depths, dtype=np.int64)
    taken = np.empty(count, dtype=np.int64)
    free[0, : everyone.size], size[0], left[0], multiplier[0] = everyone, everyone.size, demand, u
    floor = limit
    depth = visited = 0
    while depth >= 0:
        if low[depth] >= best - tolerance:
            floor = min(floor, low[depth])
            depth -= 1
            continue
        if visited >= nodes or flag[0] != 0:
            break
        visited += 1
        r, here, own = left[depth], free[depth, : size[depth]], multiplier[depth]
        if visited > 1:
            aim = float(best - spent[depth])
            ascend(r.astype(np.float64), slot_float, price_float, here, own, aim, STEPS)
        whole = in_units(r, own, shift)
        worths(r, slot, here, whole, worth)
        value = proved(r, price, here, whole, worth, shift)
        low[depth] = max(low[depth], spent[depth] + up(value, shift))
        if low[depth] >= best - tolerance:
            continue
        path = taken[: members[depth]]
        best, best_members = _better(r, slot, price, own, here, spent[depth], path, best, best_members)
        if low[depth] >= best - tolerance:
            continue

        # Fix by reduced costs. Slots that every better cover has are taken at once.
        room = best - spent[depth]
        kept = forced = 0
        branch, score = -1, -np.inf
        for j in here:
            paid = price[j] << shift
            if worth[j] == 0 and not helps(r, slot[j]):
                continue
            if up(value + max(0, paid - worth[j]), shift) >= room:
                continue
            if up(value + max(0, worth[j] - paid), shift) >= room:
                taken[members[depth] + forced] = j
                forced += 1
                continue
            merit = float(worth[j]) - NEARLY * abs(float(paid) - float(worth[j]))
            if merit > score:
                branch, score = j, merit
            here[kept] = j
            kept += 1
        size[depth] = kept
        if forced > 0:
            for a in range(forced):
                j = taken[members[depth] + a]
                spent[depth] += price[j]
                for k in range(types):
                    r[k] = max(r[k] - slot[j, k], 0)
                if spent[depth] >= best:
                    break
            members[depth] += forced
            if spent[depth] >= best:
                depth -= 1
            elif not r.any():
                best, best_members = spent[depth], taken[: members[depth]].copy()
                depth -= 1
            elif not coverable(r, slot, here[:kept]):
                depth -= 1
            continue
        if kept == 0 or not coverable(r, slot, here[:kept]):
            depth -= 1
            continue

        if depth + 1 == depths:
            depths *= 2
            free, left, multiplier = longer(free), longer(left), longer(multiplier)
            size, spent, low, members = longer(size), longer(spent), longer(low), longer(members)
        below = depth + 1
        with_branch = spent[depth] + price[branch]
        other = 0
        for j in free[depth, :kept]:
            if j != branch:
                free[below, other] = j
                other += 1
        size[below] = other
        taken[members[depth]] = branch
        members[below] = members[depth] + 1
        spent[below] = with_branch
        low[below] = low[depth]
        for k in range(types):
            left[below, k] = max(left[depth, k] - slot[branch, k], 0)
        multiplier[below] = multiplier[depth]
        size[depth] = _without(left[depth], slot, price, free[below, :other], branch, free[depth])
        if not coverable(left[depth], slot, free[depth, : size[depth]]):
            low[depth] = limit  # nothing without it
        if not left[below].any():
            if with_branch < best:
                best, best_members = with_branch, taken[: members[below]].copy()
        elif with_branch < best and coverable(left[below], slot, free[below, :other]):
            depth = below
    for open_depth in range(depth + 1):
        floor = min(floor, low[open_depth])
    return min(best, floor), best, best_members


@njit(cache=True, nogil=True)
def _better(r, slot, price, weight, free, spent, path, best, best_members):
    """The best, or the path with a greedy cover of what is left where that is cheaper."""
    chosen = free[greedy_cover(r, slot[free], price[free], weight + 1e-12 * weight.max() + 1e-300)]
    if chosen.size == 0:
        return best, best_members
    total = spent
    for j in chosen:
        total += price[j]
        if total >= best:
            return best, best_members
    return total, np.concatenate((path, chosen))


@njit(cache=True, nogil=True)
def helps(r, requests):
    """Whether a slot has anything of what is left."""
    useful = False
    for k in range(r.size):
        useful = useful or (r[k] > 0 and requests[k] > 0)
    return useful


@njit(cache=True, nogil=True)
def coverable(r, slot, free):
    """Whether the free slots together cover r."""
    for k in range(r.size):
        short = r[k]
        for j in free:
            if short <= 0:
                break
            short -= slot[j, k]
        if short > 0:
            return False
    return True


@njit(cache=True, nogil=True)
def _without(r, slot, price, free, branch, out):
    """Into ``out`` those that a slot left aside leaves: one that it could stand in for, at no more cost, goes too."""
    kept = 0
    for j in free:
        dominated = price[j] >= price[branch]
        for k in range(r.size):
            dominated = dominated and min(slot[j, k], r[k]) <= slot[branch, k]
        if not dominated:
            out[kept] = j
            kept += 1
    return kept


@njit(cache=True, nogil=True)
def longer(rows):
    """Room for twice as many, the rest of it 0."""
    return np.concatenate((rows, np.zeros_like(rows)))
