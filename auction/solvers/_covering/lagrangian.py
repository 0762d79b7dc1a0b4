"""Lagrangian bounds on the cheapest cover of a residual demand r by free slots.

Every u >= 0 gives L(u) = sum_k u_k r_k - sum_j max(0, sum_k u_k min(s_jk, r_k) - p_j), and no cover costs less.
Clipping slots to the residual is what knapsack-cover inequalities do in an LP (Carr, Fleischer, Leung and Phillips
2000). Floats look for u; what counts is L at u rounded to integers, in units of 2^-shift micro-tokens.
"""

import numpy as np
from numba import njit

UNITS = 2.0**60  # that u r is worth at most: then no sum below leaves int64
PATIENCE = 4  # steps without a better bound until they are made shorter


@njit(cache=True, nogil=True)
def shift_of(best):
    """Binary digits after the point of a micro-token, so that ``best`` takes up a quarter of UNITS or less."""
    shift = 0
    while shift < 58 and float(best) * 2.0 ** (shift + 1) <= UNITS / 4:
        shift += 1
    return shift


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "arcp", "nsz"})
def ascend(r, slot, price, free, u, target, steps):
    """Subgradient steps (Held and Karp 1971) from u, which is left at the best of them.

    Args:
        r: (d,) residual demand, floats.
        slot: (n, d) floats.
        price: (n,) floats.
        free: (f,) the slots there are.
        u: (d,) floats from 0 up.
        target: bound at which to stop, a little below which the steps aim.
        steps: how many at most.
    """
    types = r.size
    best, best_u = -np.inf, u.copy()
    slope = np.empty(types)
    pace, stale = 1.2, 0
    for step in range(steps):
        value = 0.0
        for k in range(types):
            value += u[k] * r[k]
            slope[k] = r[k]
        for j in free:
            gain = -price[j]
            for k in range(types):
                gain += u[k] * min(slot[j, k], r[k])
            if gain > 0:
                value -= gain
                for k in range(types):
                    slope[k] -= min(slot[j, k], r[k])
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
def in_units(r, u, shift):
    """(d,) int64 u in units of 2^-shift, 0 where nothing is left, all made smaller where u r exceeds UNITS."""
    worth = 0.0
    for k in range(r.size):
        worth += u[k] * r[k]
    factor = 2.0**shift
    if worth * factor > UNITS:
        factor = UNITS / worth
    whole = np.zeros(r.size, dtype=np.int64)
    for k in range(r.size):
        if r[k] > 0:
            whole[k] = np.int64(u[k] * factor)
    return whole


@njit(cache=True, nogil=True)
def worths(r, slot, free, u, worth):
    """Fill ``worth`` (n,) of the free slots with sum_k u_k min(s_jk, r_k) in units."""
    for j in free:
        total = 0
        for k in range(r.size):
            total += u[k] * min(slot[j, k], r[k])
        worth[j] = total


@njit(cache=True, nogil=True)
def proved(r, price, free, u, worth, shift):
    """L(u) in units, exact, 0 where it is less."""
    value = 0
    for k in range(r.size):
        value += u[k] * r[k]
    for j in free:
        value -= max(0, worth[j] - (price[j] << shift))
        if value <= 0:
            return 0
    return value


@njit(cache=True, nogil=True)
def up(units, shift):
    """Micro-tokens, rounded up: covers cost whole ones."""
    return -((-units) >> shift)
