"""Prices on a finished allocation (sections 4.1 and 4.2, lines 13-15 and 22-23 of PRICES), in exact integers.

A unit is one request of any type that a slot completes: S_j = sum_k s_jk of provider j, R_i = sum_j A_ij S_j of task i.
Arrays by pair follow the allocation's pairs.
"""

import numpy as np
from numba import vectorize

from auction.allocation import Allocation
from auction.market import Float, Int, Market


def slot_units(market: Market) -> Int:
    """(n,) S_j = sum_k s_jk, the units of a slot (4.1)."""
    return market.resource.sum(axis=1)


def won_units(market: Market, allocation: Allocation) -> Int:
    """(m,) R_i = sum_j A_ij sum_k s_jk, the units a task wins; 0 where it loses.

    4.1 prints sum A_ij x sum s_j, two sums multiplied, which mixes the units of different providers.
    """
    won = np.zeros(market.tasks, dtype=np.int64)
    np.add.at(won, allocation.task, slot_units(market)[allocation.provider])
    return won


def ask_per_unit(market: Market) -> Float:
    """(n,) c_j / S_j, micro-tokens a unit (4.1, price (provider per unit)); infinite where a slot completes nothing."""
    units = slot_units(market)
    return np.divide(market.cost, units, out=np.full(market.providers, np.inf), where=units > 0)


def bid_per_unit(market: Market, allocation: Allocation) -> Float:
    """(m,) b_i / R_i, micro-tokens a unit (4.1, price (task per unit)); NaN where the task loses.

    4.1 prints v_i / R_i, and the user would pay up to v_i and e_i on top: b_i = v_i - e_i is what meets an ask.
    """
    won = won_units(market, allocation)
    return np.divide(market.net_bid, won, out=np.full(market.tasks, np.nan), where=won > 0)


def unit_prices(market: Market, allocation: Allocation) -> Float:
    """(pairs,) P_ij of lines 13-15, micro-tokens a unit, for people to look at; ``trade_prices`` is exact.

    P_ij = (ask_j + bid_i) / 2, and ask_j where that is outside [ask_j, bid_i], which happens when bid_i < ask_j.
    """
    ask, bid = ask_per_unit(market)[allocation.provider], bid_per_unit(market, allocation)[allocation.task]
    return np.where(ask <= bid, (ask + bid) / 2, ask)


def trade_prices(market: Market, allocation: Allocation, *, printed: bool = False) -> tuple[Int, Int]:
    """What each task pays and each provider receives (lines 22-23), micro-tokens; sums are equal by construction.

    Corrected, for the bundle: the task pays (b_i + sum_j A_ij c_j) / 2, rounded down; provider j receives c_j and, by
    units, its share S_j / R_i of the other half, rounded down, the first provider of the task what is left over.
    Printed, line by line: provider j receives P_ij S_j = (c_j + b_i S_j / R_i) / 2, or c_j where its ask exceeds the
    bid per unit, each rounded down, and the task pays their sum, which may exceed b_i.

    Args:
        market: the market.
        allocation: feasible, so that every winner has units.
        printed: lines 14-15 as they stand.

    Returns:
        payment (m,) and receipt (n,), int64.
    """
    task, provider = allocation.task, allocation.provider
    units, won, cost = slot_units(market)[provider], won_units(market, allocation)[task], market.cost[provider]
    if printed:
        price = (cost + np.maximum(fraction(market.net_bid[task], units, won), cost)) >> 1
    else:
        spent = np.zeros(market.tasks, dtype=np.int64)
        np.add.at(spent, task, cost)
        half = (market.net_bid - spent) >> 1
        price = cost + fraction(half[task], units, won)
        first = np.diff(task, prepend=-1) > 0
        shared = np.zeros(market.tasks, dtype=np.int64)
        np.add.at(shared, task, price)
        price[first] += (spent + half - shared)[task[first]]
    return transfers(market, allocation, price)


def transfers(market: Market, allocation: Allocation, price: Int) -> tuple[Int, Int]:
    """Payment (m,) and receipt (n,) of pairs that trade at a price each: sums by row and column (lines 22-23)."""
    payment, receipt = np.zeros(market.tasks, dtype=np.int64), np.zeros(market.providers, dtype=np.int64)
    np.add.at(payment, allocation.task, price)
    np.add.at(receipt, allocation.provider, price)
    return payment, receipt


@vectorize("i8(i8, i8, i8)", cache=True)
def fraction(amount, part, whole):
    """floor(amount x part / whole) elementwise, 0 <= part <= whole <= 2^62, in numpy or compiled code."""
    quotient, rest = amount // whole * part, amount % whole
    if max(rest, part) < 2**31:
        return quotient + rest * part // whole
    low, remainder = 0, 0  # rest x part / whole by long division, a bit of part at a time
    for bit in range(62, -1, -1):
        low, remainder = 2 * low, 2 * remainder
        if remainder >= whole:
            low, remainder = low + 1, remainder - whole
        if part >> bit & 1:
            remainder += rest
            if remainder >= whole:
                low, remainder = low + 1, remainder - whole
    return quotient + low
