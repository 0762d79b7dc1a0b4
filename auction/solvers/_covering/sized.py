"""Bounds on the covers of exactly m slots, and what their number rules out.

L(u) = sum_k u_k r_k less the m largest of sum_k u_k min(s_jk, r_k) - p_j: m slots are taken, whether they gain or not,
in place of all that gain as in ``lagrangian``. Of m slots that cover, each brings what the m - 1 largest others lack.
"""

import numpy as np
from numba import njit

from auction.solvers._covering.lagrangian import PATIENCE


@njit(cache=True, nogil=True)
def largest(values, m):
    """(m,) the places of the m largest, descending; there are as many."""
    top = np.empty(m, dtype=np.int64)
    for j in range(values.size):
        if j >= m and values[j] <= values[top[m - 1]]:
            continue
        at = min(j, m - 1)
        while at > 0 and values[top[at - 1]] < values[j]:
            top[at] = top[at - 1]
            at -= 1
        top[at] = j
    return top


@njit(cache=True, nogil=True)
def fewest(demand, slot):
    """No fewer slots cover, as far as single types tell; all together do."""
    least = 1
    for k in range(demand.size):
        missing, count = demand[k], 0
        for amount in np.sort(slot[:, k])[::-1]:
            if missing <= 0:
                break
            missing -= amount
            count += 1
        least = max(least, count)
    return least


@njit(cache=True, nogil=True)
def completable(r, slot, free, m):
    """Move to the front of ``free`` the slots that m - 1 others could complete; how many, 0 where no m cover."""
    count = free.size
    need = np.empty(r.size, dtype=np.int64)
    while count >= m:
        for k in range(r.size):
            amounts = slot[free[:count], k]
            top = largest(amounts, m)
            need[k] = r[k]
            for a in top[: m - 1]:
                need[k] -= min(need[k], amounts[a])
            if amounts[top[m - 1]] < need[k]:
                return 0
        kept = 0
        for j in free[:count]:
            enough = True
            for k in range(r.size):
                if slot[j, k] < need[k]:
                    enough = False
                    break
            if enough:
                free[kept] = j
                kept += 1
        if kept == count:
            return count
        count = kept
    return 0


@njit(cache=True, nogil=True)
def scarcest(r, slot, free, m):
    """The type of which the fewest slots have an m-th part: one of them is in every cover of m. And that part."""
    scarce, fewest_slots, least = 0, free.size + 1, 0
    for k in range(r.size):
        if r[k] > 0:
            part = (r[k] + m - 1) // m
            number = 0
            for j in free:
                number += slot[j, k] >= part
            if number < fewest_slots:
                scarce, fewest_slots, least = k, number, part
    return scarce, least


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "arcp", "nsz"})
def ascend_of_size(r, slot, price, free, m, u, target, steps):
    """``lagrangian.ascend`` of covers of m of the free slots."""
    types, count = r.size, free.size
    needed = r.astype(np.float64)
    clipped = np.empty((count, types))
    for a in range(count):
        for k in range(types):
            clipped[a, k] = min(slot[free[a], k], needed[k])
    best, best_u = -np.inf, u.copy()
    slope, gain = np.empty(types), np.empty(count)
    pace, stale = 1.2, 0
    for step in range(steps):
        for a in range(count):
            mine = -price[free[a]]
            for k in range(types):
                mine += u[k] * clipped[a, k]
            gain[a] = mine
        value = 0.0
        for k in range(types):
            value += u[k] * needed[k]
            slope[k] = needed[k]
        for a in largest(gain, m):
            value -= gain[a]
            for k in range(types):
                slope[k] -= clipped[a, k]
        if value > best:
            best, stale = value, 0
            best_u[:] = u
            if best >= target:
                break
        else:
            stale += 1
            if stale >= PATIENCE:
                pace, stale = pace * 0.6, 0
                u[:] = best_u
        length = 0.0
        for k in range(types):
            if slope[k] > 0 or u[k] > 0:
                length += slope[k] * slope[k]
        ahead = target * 1.02 - value
        if step == steps - 1 or length == 0 or ahead <= 0:
            break
        for k in range(types):
            u[k] = max(0.0, u[k] + pace * ahead / length * slope[k])
    u[:] = best_u


@njit(cache=True, nogil=True)
def gains(r, slot, price, free, whole, shift):
    """(f,) sum_k u_k min(s_jk, r_k) - p_j of the free slots, u ``whole`` in units."""
    gain = np.empty(free.size, dtype=np.int64)
    for a in range(free.size):
        mine = -(price[free[a]] << shift)
        for k in range(r.size):
            mine += whole[k] * min(slot[free[a], k], r[k])
        gain[a] = mine
    return gain


@njit(cache=True, nogil=True)
def proved_of_size(r, whole, gain, m, more):
    """L(u) in units, exact, 0 where it is less; of covers of m slots or ``more``, and the m-th largest gain.

    Args:
        whole: (d,) u in units.
        gain: (f,) of the free slots, in units, m at least.
    """
    value = 0
    for k in range(r.size):
        value += whole[k] * r[k]
    top = largest(gain, m)
    for a in top:
        value -= gain[a]
        if value <= 0:
            return 0, gain[top[m - 1]]
    last = gain[top[m - 1]]
    if more and last > 0:
        for a in top:
            gain[a] = 0
        for mine in gain:
            value -= max(0, mine)
            if value <= 0:
                return 0, last
    return value, last
