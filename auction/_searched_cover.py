"""What the cheapest cover of one demand costs, by a search of its own for the checker of certificates, in int64.

It shares nothing with the solvers. For u >= 0 every cover of what is left, r, out of rows j not yet decided costs at
least sum_k u_k r_k - sum_j max(0, sum_k u_k min(s_jk, r_k) - p_j). Multipliers u are integers in units of a fraction of
a micro-token; how they are found proves nothing, so that may be in floats.
"""

import numpy as np
from numba import njit

FIRST_MOVES, MOVES = 100, 5  # of the multipliers: before the search, and at every node
WORTH = 2.0**59  # of the multipliers in their units at most


@njit("void(i8[::1], i8[:, ::1], i8[::1], i8[::1], f8[::1], f8, i8)", cache=True, nogil=True)
def _move(q, rows, price, undecided, u, goal, moves):
    """The multipliers towards the highest bound, by subgradients; they end at the best of them."""
    types = q.size
    best, best_u, length = -np.inf, u.copy(), 1.0
    slope = np.empty(types)
    for _ in range(moves):
        value = 0.0
        for k in range(types):
            value += u[k] * q[k]
            slope[k] = q[k]
        for j in undecided:
            gain = -float(price[j])
            for k in range(types):
                gain += u[k] * min(rows[j, k], q[k])
            if gain > 0:
                value -= gain
                for k in range(types):
                    slope[k] -= min(rows[j, k], q[k])
        if value > best:
            best = value
            best_u[:] = u
        else:
            length *= 0.85
        norm = (slope * slope).sum()
        if norm == 0 or value >= goal:
            break
        for k in range(types):
            u[k] = max(0.0, u[k] + length * (1.05 * goal - value) / norm * slope[k])
    u[:] = best_u


@njit("Tuple((i8, i8))(i8[::1], i8[:, ::1], i8[::1], i8, i8)", cache=True, nogil=True)
def searched_cover(demand, rows, price, highest, steps):
    """The least price of rows that cover the demand together, each once, at most ``highest``.

    Depth first: the undecided row of most worth for its price is taken, then left; rows that no better cover can have
    go. After so many steps (rows x types looked at) it is what no cover can cost less than.

    Args:
        demand: (d,) above 0.
        rows: (v, d) clipped to the demand, with sums that fit int64.
        price: (v,) from 0 up.
        highest: at most 2^62.

    Returns:
        the price and the steps taken.
    """
    count, types = rows.shape
    unit = 0
    while unit < 56 and float(highest) * 2.0 ** (unit + 1) <= WORTH / 8:
        unit += 1
    left = np.empty((count + 2, types), dtype=np.int64)
    open_rows = np.zeros((count + 2, count), dtype=np.bool_)
    spent = np.zeros(count + 2, dtype=np.int64)
    below = np.zeros(count + 2, dtype=np.int64)
    left[0], open_rows[0] = demand, price < highest
    u = float(highest) / (types * demand.astype(np.float64))
    worth = np.empty(count, dtype=np.int64)
    least, unproved = highest, highest
    top, taken, moves = 0, 0, FIRST_MOVES
    while top >= 0:
        if below[top] >= least or taken > steps:
            unproved = min(unproved, below[top])
            top -= 1
            continue
        q, undecided = left[top], np.flatnonzero(open_rows[top])
        taken += len(undecided) * types * (moves + 2)
        _move(q, rows, price, undecided, u, float(least - spent[top]), moves)
        moves = MOVES
        whole = np.zeros(types, dtype=np.int64)
        total = 0.0
        for k in range(types):
            total += u[k] * q[k]
        factor = 2.0**unit if total * 2.0**unit <= WORTH else WORTH / total
        value = 0
        for k in range(types):
            if q[k] > 0:
                whole[k] = np.int64(u[k] * factor)
                value += whole[k] * q[k]
        for j in undecided:
            worth[j] = 0
            for k in range(types):
                worth[j] += whole[k] * min(rows[j, k], q[k])
            if value > 0:
                value -= max(0, worth[j] - (price[j] << unit))
        value = max(value, 0)
        below[top] = max(below[top], spent[top] - (-value >> unit))
        chosen, ratio = np.intp(-1), -1.0
        short = q.copy()
        for j in undecided:
            needed = spent[top] - (-(value + max(0, (price[j] << unit) - worth[j])) >> unit)
            if needed >= least or spent[top] + price[j] >= least:
                open_rows[top, j] = False
                continue
            for k in range(types):
                short[k] -= min(short[k], rows[j, k])
            if worth[j] / (1.0 + float(price[j])) > ratio and (np.minimum(rows[j], q) > 0).any():
                chosen, ratio = j, worth[j] / (1.0 + float(price[j]))
        if below[top] >= least:
            continue
        if chosen < 0 or short.any():
            top -= 1
            continue
        open_rows[top, chosen] = False
        rest = np.maximum(q - rows[chosen], 0)
        if not rest.any():
            least = spent[top] + price[chosen]
            continue
        left[top + 1], open_rows[top + 1] = rest, open_rows[top]
        spent[top + 1], below[top + 1] = spent[top] + price[chosen], below[top]
        top += 1
    return min(least, unproved), taken
