"""What the cheapest cover of one demand costs where that takes few rows, for the checker of certificates, in int64.

It shares nothing with the solvers. Of exactly m rows that cover, one has an m-th part of the demand for a given type,
none falls short of what the m - 1 largest others lack, and their price is at least sum_k u_k r_k less the m largest
of sum_k u_k min(s_jk, r_k) - p_j, for any u >= 0. So m = 1, 2, ... are gone through, row after row.
"""

import numpy as np
from numba import njit

ROWS = 8  # of a cover at most
FIRST_MOVES, MOVES = 40, 6  # of the multipliers: for each m, and at every node
WORTH = 2.0**58  # of the multipliers in their units at most


@njit("i8(i8[::1], i8[:, ::1], i8[::1], b1[::1], i8, b1, f8[::1], i8, i8, i8, i8[::1])", cache=True, nogil=True)
def _at_least(q, rows, price, offered, m, more, u, goal, moves, unit, gain):
    """What m of the rows offered, or ``more``, cost at least if they cover, exact; u moves towards the best.

    Fills ``gain`` of the rows offered, in units of 2^-unit, and its last entry with the m-th largest.
    """
    types, here = q.size, np.flatnonzero(offered)
    best, best_u, length = -np.inf, u.copy(), 1.2
    profit, slope = np.empty(here.size), np.empty(types)
    for _ in range(moves):
        for a in range(here.size):
            profit[a] = -float(price[here[a]])
            for k in range(types):
                profit[a] += u[k] * min(rows[here[a], k], q[k])
        value = 0.0
        for k in range(types):
            value += u[k] * q[k]
            slope[k] = q[k]
        for _ in range(m):
            most = np.argmax(profit)
            value -= profit[most]
            profit[most] = -np.inf
            for k in range(types):
                slope[k] -= min(rows[here[most], k], q[k])
        if value > best:
            best = value
            best_u[:] = u
        else:
            length *= 0.8
        norm = 0.0
        for k in range(types):
            norm += slope[k] * slope[k] if slope[k] > 0 or u[k] > 0 else 0.0
        if norm == 0 or value >= goal:
            break
        for k in range(types):
            u[k] = max(0.0, u[k] + length * (1.02 * goal - value) / norm * slope[k])
    u[:] = best_u
    total = 0.0
    for k in range(types):
        total += u[k] * q[k]
    factor = 2.0**unit if total * 2.0**unit <= WORTH else WORTH / total
    whole, value = np.zeros(types, dtype=np.int64), 0
    for k in range(types):
        if q[k] > 0:
            whole[k] = np.int64(u[k] * factor)
            value += whole[k] * q[k]
    ordered = np.empty(here.size, dtype=np.int64)
    for a in range(here.size):
        j = here[a]
        gain[j] = -(price[j] << unit)
        for k in range(types):
            gain[j] += whole[k] * min(rows[j, k], q[k])
        ordered[a] = -gain[j]
    ordered.sort()
    gain[-1] = -ordered[m - 1]
    for a in range(ordered.size):
        if value <= 0 or (a >= m and (ordered[a] >= 0 or not more)):
            break
        value += ordered[a]
    return max(0, -(-value >> unit))


@njit("b1(i8[::1], i8[:, ::1], b1[::1], i8, i8[::1])", cache=True, nogil=True)
def _narrowed(q, rows, offered, m, scarce):
    """Leave offered what m - 1 others can complete, False where no m cover; ``scarce`` is a type and its m-th part."""
    count = offered.sum()
    while True:
        scarce[0], fewest = 0, count + 1
        here = np.flatnonzero(offered)
        if here.size < m:
            return False
        for k in range(q.size):
            if q[k] == 0:
                continue
            amounts = np.sort(rows[here, k])
            largest = amounts[amounts.size - m + 1 :].sum()
            if amounts[amounts.size - m] + largest < q[k]:
                return False
            part = (q[k] + m - 1) // m
            enough = amounts.size - np.searchsorted(amounts, part)
            if enough < fewest:
                fewest, scarce[0], scarce[1] = enough, k, part
            for j in here:
                if rows[j, k] < q[k] - largest:
                    offered[j] = False
        if offered.sum() == count:
            return True
        count = offered.sum()


@njit("Tuple((i8, i8))(i8[::1], i8[:, ::1], i8[::1], i8, i8)", cache=True, nogil=True)
def few_rows_cover(demand, rows, price, highest, steps):
    """The least price of rows that cover the demand together, each once, at most ``highest``.

    After so many steps (rows x types looked at) it is what no cover can cost less than.

    Args:
        demand: (d,) above 0.
        rows: (v, d) clipped to the demand, with sums that fit int64.
        price: (v,) from 0 up.
        highest: at most 2^62.

    Returns:
        the price, -1 where covers of more than ROWS rows may be cheaper, and the steps taken.
    """
    count, types = rows.shape
    if highest > WORTH / ROWS:
        return -1, 0
    unit = 0
    while unit < 56 and float(highest) * 2.0 ** (unit + 1) <= WORTH / ROWS:
        unit += 1
    affordable = price < highest
    gain = np.zeros(count + 1, dtype=np.int64)
    u = float(highest) / (types * demand.astype(np.float64))
    many = affordable.sum() > ROWS
    if (
        many
        and _at_least(demand, rows, price, affordable, ROWS + 1, True, u, highest, FIRST_MOVES, unit, gain) < highest
    ):
        return -1, count * types * FIRST_MOVES
    by_price = np.argsort(price, kind="mergesort")
    offered = np.zeros((ROWS, count), dtype=np.bool_)
    left, multiplier = np.zeros((ROWS, types), dtype=np.int64), np.zeros((ROWS, types))
    spent, place = np.zeros((2, ROWS), dtype=np.int64)
    scarce, type_, part = np.zeros(2, dtype=np.int64), np.zeros(ROWS, dtype=np.int64), np.zeros(ROWS, dtype=np.int64)
    least, taken = highest, 0
    for m in range(1, min(ROWS, affordable.sum()) + 1):
        rest = _at_least(demand, rows, price, affordable, m, True, u, least, FIRST_MOVES, unit, gain)
        taken += count * types * FIRST_MOVES
        if rest >= least:
            break
        left[0], offered[0], spent[0], multiplier[0] = demand, affordable, 0, u
        depth, fresh = 0, True
        while depth >= 0:
            q, among, others = left[depth], offered[depth], m - depth
            taken += count
            if taken > steps:
                return min(least, rest), taken
            if fresh:
                fresh, place[depth] = False, 0
                taken += count * types
                if not q.any() or not _narrowed(q, rows, among, others, scarce):
                    depth -= 1
                    continue
                type_[depth], part[depth] = scarce
                if others > 2:
                    taken += among.sum() * types * MOVES
                    goal, u_here = least - spent[depth], multiplier[depth]
                    value = _at_least(q, rows, price, among, others, False, u_here, goal, MOVES, unit, gain)
                    if value >= goal:
                        depth -= 1
                        continue
                    if value > 0:
                        for j in np.flatnonzero(among):
                            among[j] = value + (max(0, gain[-1] - gain[j]) >> unit) < goal
            while place[depth] < count:
                j = by_price[place[depth]]
                if among[j] and rows[j, type_[depth]] >= part[depth]:
                    break
                place[depth] += 1
            if place[depth] == count or spent[depth] + price[by_price[place[depth]]] >= least:
                depth -= 1
                continue
            j = by_price[place[depth]]
            among[j] = False  # from here on
            with_j = spent[depth] + price[j]
            if others == 1:
                least = with_j
            elif others == 2:
                for i in by_price:
                    if with_j + price[i] >= least:
                        break
                    if among[i]:
                        taken += 1
                        enough = True
                        for k in range(types):
                            if rows[i, k] + rows[j, k] < q[k]:
                                enough = False
                                break
                        if enough:
                            least = with_j + price[i]
            else:
                left[depth + 1], offered[depth + 1] = np.maximum(q - rows[j], 0), among
                spent[depth + 1], multiplier[depth + 1] = with_j, multiplier[depth]
                depth, fresh = depth + 1, True
    return least, taken
