"""CDARA: users by falling, providers by rising density, midpoint unit prices (Samimi, Teimouri and Mukhtar 2014).

'A combinatorial double auction resource allocation model in cloud computing', doi 10.1016/j.ins.2014.02.008. On a
market, with priority 1 for everybody:

    user      bid b_i for D_i = sum_k C_ik units: density b_i / sqrt(D_i), descending
    provider  ask c_j for a slot of S_j = sum_k s_jk units: density c_j / sqrt(S_j), ascending; ties by index

A user takes slots along the providers' queue, one a provider, passing over those whose unit ask exceeds its unit bid,
until its demand is covered; what a user that is not covered has taken is returned. A unit trades at (unit bid + unit
ask) / 2.

*Who pays for units a task does not need.* CDARA trades virtual machines one by one; here a slot is taken whole, though
only u of its S_j units may be needed. Were c_j / S_j the unit ask, either the user would pay for S_j units, the sum
of which may exceed D_i and cost more than b_i, or the provider would be paid for u units, which may be less than
c_j. So a unit is one that the task needs: the ask is c_j / u, not below c_j / S_j, and the slot trades only if
b_i / D_i >= c_j / u. The user then pays at most b_i, since its units add up to D_i, and every slot brings at least
c_j: nobody loses, and no slot is taken that is dearer than what the user bids for its part.
"""

import numpy as np
from numba import njit

from auction.allocation import Allocation
from auction.density import descending
from auction.market import READINGS, Float, Int, Market, Reading
from auction.mechanisms import Settlement
from auction.prices import fraction, slot_units
from auction.search import Stop

__all__ = ["READINGS", "density", "run"]


def density(price: Int | Float, capacity: Int | Float, priority: Int | Float | int = 1) -> Float:
    """price / sqrt(capacity) x priority, the key of both queues; infinite where there is no capacity."""
    capacity = np.asarray(capacity, dtype=float)
    return np.divide(price, np.sqrt(capacity), out=np.full(capacity.shape, np.inf), where=capacity > 0) * priority


def run(market: Market, reading: Reading, stop: Stop, seed: int) -> Settlement:
    """CDARA's matching and prices; payments equal receipts and nobody loses (see the module).

    Of b_i, u units of slot j have the share floor(b_i u / D_i); the slot's price is floor((share + c_j) / 2): what
    rounding leaves over stays with the user. Under ``whole`` one slot covers: u = D_i, and the price is the midpoint
    of bid and cost.
    """
    units = market.demand.sum(axis=1)
    users = descending(density(market.net_bid, units))
    providers = np.argsort(density(market.cost, slot_units(market)), kind="stable")
    task, place, share = _walk(
        users,
        market.demand,
        units,
        market.net_bid,
        market.resource[providers],
        market.cost[providers],
        market.slots[providers],
        reading == "whole",
    )
    provider = providers[place]
    price = (share + market.cost[provider]) >> 1
    payment, receipt = np.zeros(market.tasks, dtype=np.int64), np.zeros(market.providers, dtype=np.int64)
    np.add.at(payment, task, price)
    np.add.at(receipt, provider, price)
    return Settlement(Allocation.of(task, provider), payment, receipt)


_MATRIX, _VECTOR = "Array(i8, 2, 'C', readonly=True)", "Array(i8, 1, 'C', readonly=True)"


@njit(
    f"Tuple((i8[::1], i8[::1], i8[::1]))(i8[::1], {_MATRIX}, {_VECTOR}, {_VECTOR}, i8[:, ::1], i8[::1], i8[::1], b1)",
    cache=True,
    nogil=True,
)
def _walk(users, demand, units, bid, supply, cost, left, whole):
    """Task, place in the providers' queue and share of the bid of every slot traded; ``left`` is used up."""
    types = demand.shape[1]
    task = np.empty(users.size + 16, dtype=np.int64)
    place, share = np.empty_like(task), np.empty_like(task)
    pairs = 0
    q = np.empty(types, dtype=np.int64)
    for i in users:
        q[:] = demand[i]
        missing = units[i]
        begin = pairs
        for p in range(left.size):
            if left[p] == 0:
                continue
            needed = 0
            for k in range(types):
                needed += min(q[k], supply[p, k])
            if needed == 0 or (whole and needed < missing):
                continue
            part = fraction(bid[i], needed, units[i])
            if part < cost[p]:
                continue
            if pairs == task.size:
                task = np.concatenate((task, np.empty_like(task)))
                place = np.concatenate((place, np.empty_like(place)))
                share = np.concatenate((share, np.empty_like(share)))
            task[pairs], place[pairs], share[pairs] = i, p, part
            pairs += 1
            left[p] -= 1
            missing -= needed
            if missing == 0:
                break
            for k in range(types):
                q[k] = max(q[k] - supply[p, k], 0)
        if missing > 0:
            for p in place[begin:pairs]:
                left[p] += 1
            pairs = begin
    return task[:pairs].copy(), place[:pairs].copy(), share[:pairs].copy()
