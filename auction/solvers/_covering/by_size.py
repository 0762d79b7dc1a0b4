"""Covers of few slots: branch and bound on one number of slots after another.

The number says much (see ``sized``). One of m slots has the m-th part of the demand for a type: those that have it, of
the type of which they are fewest, are tried in turn. The last two are looked for in pairs.
"""

import numpy as np
from numba import njit

from auction.solvers._covering.lagrangian import UNITS, in_units, shift_of, up
from auction.solvers._covering.search import longer
from auction.solvers._covering.sized import ascend_of_size, completable, fewest, gains, proved_of_size, scarcest
from auction.solvers._minimal_covers import is_minimal

MOST = 8  # slots of a cover: sums of a worth and so many prices stay within int64
FIRST_STEPS, STEPS = 40, 6  # of subgradients for each number of slots, and at every node below
CHEAPEST = -1  # instead of a number of covers


@njit(cache=True, nogil=True)
def covers_by_size(demand, slot, price, limit, low, multiplier, nodes, tolerance, covers, flag):
    """The cheapest cover below ``limit``, or every minimal one, where all of interest have MOST slots at most.

    Args:
        demand: (d,) requests above 0.
        slot: (n, d) clipped to the demand, together enough for it.
        price: (n,) ascending, each below ``limit``.
        limit: at most 2^62.
        low: no cover costs less.
        multiplier: (d,) floats to start from.
        nodes, tolerance: as of ``search.branch_and_bound``.
        covers: after how many to give up; CHEAPEST for one.
        flag: (1,) once it is 1, the search ends.

    Returns:
        lower, upper: bounds on the cheapest, ``limit`` where none costs less; lower is -1, and nothing was searched,
        where a cover of more slots may cost less or amounts are beyond its integers;
        ends (c,) and the slots of the cheapest, if any, or of all covers, one after another; ``covers`` + 1 mean
        that it gave up.
    """
    count, types = slot.shape
    shift = shift_of(limit)
    slot_float, price_float = slot.astype(np.float64), price.astype(np.float64)
    u = multiplier.copy()
    best = floor = limit
    visited = found = length = 0
    ends, listed = np.empty(64, dtype=np.int64), np.empty(64 * MOST, dtype=np.int64)
    if limit > UNITS / 4:
        return -1, limit, ends[:0].copy(), listed[:0].copy()
    if count > MOST:
        floor = _of_more(demand, slot, price, slot_float, price_float, MOST + 1, u, limit, shift)
        if floor < limit - tolerance:
            return -1, limit, ends[:0].copy(), listed[:0].copy()
        u[:] = multiplier

    # Of every node on the way down: what is free, left to be covered, supplied, spent, proved and taken.
    free, size = np.empty((MOST, count), dtype=np.int64), np.empty(MOST, dtype=np.int64)
    left, supply = np.empty((MOST, types), dtype=np.int64), np.zeros((MOST, types), dtype=np.int64)
    spent, proved = np.zeros(MOST, dtype=np.int64), np.empty(MOST, dtype=np.int64)
    taken, multipliers = np.empty(MOST, dtype=np.int64), np.empty((MOST, types))
    for m in range(fewest(demand, slot), min(count, MOST) + 1):
        rest = max(low, _of_more(demand, slot, price, slot_float, price_float, m, u, best, shift))
        if rest >= best - tolerance or visited >= nodes or 0 <= covers < found or flag[0] != 0:
            floor = min(floor, rest)
            break
        free[0], size[0], left[0], multipliers[0], proved[0] = np.arange(count), count, demand, u, low
        depth = 0
        while depth >= 0:
            if proved[depth] >= best - tolerance:
                floor = min(floor, proved[depth])
                depth -= 1
                continue
            if visited >= nodes or flag[0] != 0:
                break
            visited += 1
            r, own, others, room = left[depth], multipliers[depth], m - depth, best - spent[depth]
            here = free[depth, : completable(r, slot, free[depth, : size[depth]], others)]
            if here.size == 0 or not r.any():  # no cover, or one of fewer slots
                depth -= 1
                continue
            scarce, part = scarcest(r, slot, here, others)
            if others <= 2:
                for last in _last_slots(r, slot, price, here, others, scarce, part, room, covers >= 0):
                    taken[depth:m] = last[:others]
                    together = supply[depth].copy()
                    for j in last[:others]:
                        together += slot[j]
                    if covers < 0:
                        found = length = 0
                        best = spent[depth] + price[last[:others]].sum()
                    elif not is_minimal(slot, demand, taken[:m], together):
                        continue
                    if found == ends.size:
                        ends, listed = longer(ends), longer(listed)
                    listed[length : length + m] = taken[:m]
                    length += m
                    ends[found] = length
                    found += 1
                    if 0 <= covers < found:
                        break
                depth = -1 if 0 <= covers < found else depth - 1
                continue
            ascend_of_size(r, slot_float, price_float, here, others, own, float(room), STEPS)
            whole = in_units(r, own, shift)
            gain = gains(r, slot, price, here, whole, shift)
            value, least = proved_of_size(r, whole, gain, others, False)
            proved[depth] = max(proved[depth], spent[depth] + up(value, shift))
            if proved[depth] >= best - tolerance:
                continue
            branch, most, kept = -1, 0, 0
            for a in range(here.size):
                j = here[a]
                if price[j] >= room or up(value + max(0, least - gain[a]), shift) >= room:
                    continue
                if slot[j, scarce] >= part and (branch < 0 or gain[a] > most):
                    branch, most = j, gain[a]
                here[kept] = j
                kept += 1
            if branch < 0:
                depth -= 1
                continue

            # With it first; then the same node without it.
            below = depth + 1
            size[depth] = 0
            for j in here[:kept]:
                if j != branch:
                    free[below, size[depth]] = j
                    free[depth, size[depth]] = j
                    size[depth] += 1
            size[below] = size[depth]
            left[below] = np.maximum(r - slot[branch], 0)
            supply[below] = supply[depth] + slot[branch]
            spent[below] = spent[depth] + price[branch]
            proved[below], multipliers[below], taken[depth] = proved[depth], own, branch
            depth = below
        for above in range(depth + 1):
            floor = min(floor, proved[above])
    return min(best, floor), best, ends[:found].copy(), listed[:length].copy()


@njit(cache=True, nogil=True)
def _of_more(demand, slot, price, slot_float, price_float, m, u, limit, shift):
    """What covers of m slots or more cost at least; u is left at the multipliers that prove it."""
    everyone = np.arange(price.size)
    ascend_of_size(demand, slot_float, price_float, everyone, m, u, float(limit), FIRST_STEPS)
    whole = in_units(demand, u, shift)
    gain = gains(demand, slot, price, everyone, whole, shift)
    return up(proved_of_size(demand, whole, gain, m, True)[0], shift)


@njit(cache=True, nogil=True)
def _last_slots(r, slot, price, free, m, scarce, part, room, every):
    """(c, 2) one slot or two that cover r for less than ``room``: every such choice, or the cheapest if there is any.

    Args:
        free: in ascending order of price; where m is 1, each covers.
        scarce, part: of two, one has at least that of that type.
    """
    rows = np.empty((4, 2), dtype=np.int64)
    found = 0
    for a in range(free.size):
        i = free[a]
        if slot[i, scarce] < part:
            continue
        for b in range(free.size if m == 2 else 1):
            j = free[b]
            cost = price[i] + (price[j] if m == 2 else 0)
            if cost >= room:
                break
            if m == 2:
                if i == j or (b < a and slot[j, scarce] >= part):
                    continue
                enough = True
                for k in range(r.size):
                    if slot[i, k] + slot[j, k] < r[k]:
                        enough = False
                        break
                if not enough:
                    continue
            if not every:
                room, found = cost, 0
            if found == rows.shape[0]:
                rows = longer(rows)
            rows[found, 0], rows[found, 1] = i, j
            found += 1
    return rows[:found]
