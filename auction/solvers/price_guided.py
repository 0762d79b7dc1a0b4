"""A few rounds of prices: the whitepaper's auction repaired, in polynomial time and without a solver of LPs."""

import numpy as np
from numba import njit

from auction.allocation import Allocation
from auction.certificate import Certificate
from auction.errors import InputError
from auction.market import READINGS, Float, Int, Market, Reading
from auction.search import Found, Stop, trivial_bound
from auction.solvers import bid_density
from auction.solvers._covering import cheapest_cover
from auction.solvers._exact import SAFE, dot
from auction.solvers._minimal_covers import SMALL, minimal_covers
from auction.solvers._time import flag_of, half_of
from auction.solvers._vector_prices.dual import certify, group_market, rest_of
from auction.solvers._vector_prices.rounds import rounds_of_prices
from auction.solvers._vector_prices.serving import serve_at_prices
from auction.welfare import welfare

__all__ = ["READINGS", "solve"]

PAIRS = 20_000  # tasks x providers up to which every provider has a price of its own
STATES = 1 << 25  # providers x lattice points up to which one dynamic programme covers all tasks
BETWEEN = 5  # rounds between two allocations
NODES = 50  # of the search for a task's cover, each round
LATEST_NODES = 5_000  # the same, at the prices that are returned


def solve(market: Market, reading: Reading, stop: Stop, seed: int, *, rounds: int = 100) -> Found:
    """Prices rise where tasks ask for more slots than there are and fall where for fewer; the best round counts.

    Each round every task names its cheapest cover at the prices, whatever the others do: a subgradient, and with the
    value of the slots a bound. Tasks in descending surplus then take the cheapest covers that are left.
    Small markets have a price for each provider and 0/1 covers, by dynamic programming over the lattice of demands or,
    where that is large and the covers few, out of a list of them all, and serve tasks every few rounds; large ones have
    a price for each slot vector, covers by dynamic programming, and serve tasks at the end.

    Args:
        rounds: how many, at least 1; more are better and slower.

    Of a small market where lattice and list are both large, each task's cover is searched for on its own, and the lower
    bound of the search counts; of a large one the lattice is made coarse.

    Raises:
        InputError: rounds below 1.
    """
    if rounds < 1:
        raise InputError(f"option rounds of price_guided: {rounds} is not allowed; an integer from 1 up")
    if market.tasks * market.providers <= PAIRS:
        with flag_of(stop) as flag:
            return _by_provider(market, reading, stop, flag, rounds)
    return _by_vector(market, reading, stop, rounds)


def _by_vector(market: Market, reading: Reading, stop: Stop, rounds: int) -> Found:
    grid = group_market(market, reading)
    best = min(rounds_of_prices(grid, rounds, half_of(stop)), key=lambda at: at.value)
    certificate = certify(grid, best)
    return Found(serve_at_prices(grid, best, stop), certificate.bound, f"heuristic{grid.remark}", certificate)


def _by_provider(market: Market, reading: Reading, stop: Stop, flag: Int, rounds: int) -> Found:
    """Polyak's steps towards the best allocation, halved when the bound has not fallen for a while (Fisher 1981)."""
    shape = market.demand.max(axis=0, initial=0) + 1
    entries = float(np.prod(shape, dtype=float)) * max(1, market.providers)
    listed = _list_covers(market) if reading == "bundle" and entries > SMALL else None
    together = reading == "bundle" and listed is None and entries <= STATES
    points = market.demand @ np.append(np.cumprod(shape[:0:-1])[::-1], 1)
    searched = reading == "bundle" and listed is None and not together
    multiplier = np.zeros(market.demand.shape)
    slots = np.minimum(market.slots, market.tasks)
    everyone = np.arange(market.tasks)
    premium = np.zeros(market.providers)
    highest = max(0, int(market.net_bid.max(initial=0)))  # asks at or above it are of no use
    best, achieved = Allocation.empty(), 0
    least, least_premium = trivial_bound(market), None
    pace, stale = 1.0, 0
    for number in range(rounds):
        price = np.rint(premium).astype(np.int64)
        asks = np.minimum(market.cost, highest) + price
        if together:
            cost, *pairs = _all_covers(shape, np.minimum(market.resource, shape - 1), asks, slots, points)
            named = Allocation.of(*pairs)
        elif listed is not None:
            cost, named = _covered_by(listed, market, everyone, asks, slots.copy(), take=False)
        else:
            cost, named = _covered(market, reading, everyone, asks, slots.copy(), None, multiplier, NODES, flag)
        if stop.now:
            break
        surplus = np.where(cost < market.net_bid, market.net_bid - cost, 0)
        value = int(surplus.sum()) + dot(market.slots, price)
        stale += 1
        if least_premium is None or value < least:
            least, least_premium, stale = value, price, 0
        asked = np.bincount(named.provider[surplus[named.task] > 0], minlength=market.providers)
        slope = asked - slots.astype(float)
        slope[(premium <= 0) & (slope < 0)] = 0
        if number % BETWEEN == 0 or number == rounds - 1 or not slope.any():
            order = np.argsort(-surplus, kind="stable")
            order = order[market.net_bid[order] > 0]
            if listed is not None:
                _, trial = _covered_by(listed, market, order, asks, slots.copy(), take=True)
            else:
                _, trial = _covered(market, reading, order, asks, slots.copy(), named, multiplier, NODES, flag)
            if (worth := welfare(market, trial)) > achieved:
                best, achieved = trial, worth
        stop.report(welfare=achieved, bound=least)
        if not slope.any() or achieved >= least:
            break
        if stale == 10:
            pace, stale = pace / 2, 0
        premium = np.clip(premium + pace * (value - achieved) / (slope @ slope) * slope, 0, highest)
        premium *= min(1.0, SAFE / 2 / max(1.0, float(slots @ premium)))  # then covers at these prices fit int64
    if stop.now:
        walked = bid_density.solve(market, reading, stop, 0, backfill=True).allocation
        best = max(best, walked, key=lambda one: welfare(market, one))
    if least_premium is None:
        return Found(best, least, "heuristic")
    if searched:
        asks = np.minimum(market.cost, highest) + least_premium
        cost, _ = _covered(market, reading, everyone, asks, slots.copy(), None, multiplier, LATEST_NODES, flag)
        least = min(least, int(np.maximum(market.net_bid - cost, 0).sum()) + dot(market.slots, least_premium))
    return Found(best, least, "heuristic", Certificate(market.digest, reading, least, least_premium))


def _list_covers(market: Market) -> tuple[Int, Int, Int] | None:
    """Where each task's covers begin (m + 1,), where each cover ends, and the providers of all; None where many."""
    demand = market.demand.copy()  # compiled code takes the market's own, which is read-only, for another type
    if (covers := minimal_covers(demand, np.minimum(market.resource, demand.max(axis=0, initial=0)))) is None:
        return None
    task, ends, provider = covers
    return np.searchsorted(task, np.arange(market.tasks + 1)), ends, provider


def _covered_by(
    listed: tuple[Int, Int, Int], market: Market, order: Int, asks: Int, left: Int, *, take: bool
) -> tuple[Int, Allocation]:
    """As ``_covered``, out of a list of all covers."""
    total, *pairs = _cheapest_listed(order, *listed, market.net_bid, market.cost, asks, left, take)
    return total, Allocation.of(*pairs)


def _covered(
    market: Market,
    reading: Reading,
    order: Int,
    asks: Int,
    left: Int,
    named: Allocation | None,
    multiplier: Float,
    nodes: int,
    flag: Int,
) -> tuple[Int, Allocation]:
    """What the tasks' cheapest covers cost at least at ``asks`` (m,), the bid or more where none costs less, and who
    they are.

    With ``named`` covers at hand tasks take theirs, or the cheapest cover of what is left, out of ``left``.
    """
    known = named or Allocation.empty()
    start = np.searchsorted(known.task, np.arange(market.tasks + 1))
    arrays = market.demand, market.net_bid, market.resource, market.cost
    take = named is not None
    total, task, provider = _covers(
        order, *arrays, asks, left, known.provider, start, reading == "whole", take, multiplier, nodes, flag
    )
    return total, Allocation.of(task, provider)


_MATRIX, _VECTOR = "Array(i8, 2, 'C', readonly=True)", "Array(i8, 1, 'C', readonly=True)"


@njit(
    f"Tuple((i8[::1], i8[::1], i8[::1]))(i8[::1], {_MATRIX}, {_VECTOR}, {_MATRIX}, {_VECTOR}, i8[::1], i8[::1], "
    f"{_VECTOR}, i8[::1], b1, b1, f8[:, ::1], i8, i8[::1])",
    cache=True,
    nogil=True,
)
def _covers(tasks, demand, bid, resource, cost, asks, left, named, start, whole, take, multiplier, nodes, flag):
    """Cheapest covers by slots that are left and ask less than the bid; with ``take`` they are taken where their own
    cost is below the bid. What they cost at least, 0 once ``flag`` is raised; tasks and providers."""
    total = np.zeros(bid.size, dtype=np.int64)
    won = np.empty(tasks.size * asks.size, dtype=np.int64)
    won_at = np.empty_like(won)
    size = 0
    for i in tasks:
        if flag[0] != 0:
            break
        total[i] = bid[i]
        own = named[start[i] : start[i + 1]].copy()
        offers = own if own.size > 0 and (left[own] > 0).all() else np.flatnonzero((left > 0) & (asks < bid[i]))
        if offers.size == 0:
            continue
        if whole:
            fits = np.array([(resource[j] >= demand[i]).all() for j in offers], dtype=np.bool_)
            offers = offers[fits]
            chosen = offers[:0] if offers.size == 0 else offers[np.argmin(asks[offers]) :][:1]
            if chosen.size > 0:
                total[i] = asks[chosen[0]]
        else:
            total[i], _, members = cheapest_cover(
                demand[i], resource[offers], asks[offers], bid[i], multiplier[i], nodes, 0, flag
            )
            chosen = offers[members]
        if chosen.size == 0 or (take and cost[chosen].sum() >= bid[i]):
            continue
        for j in chosen:
            left[j] -= take
            won[size] = i
            won_at[size] = j
            size += 1
    return total, won[:size].copy(), won_at[:size].copy()


@njit("Tuple((i8[::1], i8[::1], i8[::1]))(i8[::1], i8[:, ::1], i8[::1], i8[::1], i8[::1])", cache=True, nogil=True)
def _all_covers(shape, resource, asks, slots, points):
    """f(q) = min(f(q), asks_j + f(max(q - s_j, 0))), provider by provider, q descending so that each serves once.

    Returns what the covers of all ``points`` cost, INT64_MAX where there is none, and the pairs (task, provider).
    """
    types = shape.size
    width = shape[types - 1]
    size = 1
    for k in range(types):
        size *= shape[k]
    least = np.full(size, np.iinfo(np.int64).max >> 1)
    none = least[0]
    least[0] = 0
    taken = np.zeros((asks.size, size), dtype=np.bool_)
    q = np.empty(types, dtype=np.int64)
    for j in range(asks.size):
        if slots[j] == 0 or not resource[j].any():
            continue
        step = resource[j, types - 1]
        q[:] = shape - 1
        for row in range(size - width, -1, -width):
            rest = 0  # the row that this one leads to
            for k in range(types - 1):
                rest = (rest + max(q[k] - resource[j, k], 0)) * shape[k + 1]
            for x in range(width - 1, -1, -1):
                cost = asks[j] + least[rest + max(x - step, 0)]
                if cost < least[row + x]:
                    least[row + x] = cost
                    taken[j, row + x] = True
            k = types - 2
            while k >= 0:
                q[k] -= 1
                if q[k] >= 0:
                    break
                q[k] = shape[k] - 1
                k -= 1
    total = np.full(points.size, np.iinfo(np.int64).max)
    task = np.empty(points.size * asks.size, dtype=np.int64)
    provider = np.empty_like(task)
    pairs = 0
    for i in range(points.size):
        if least[points[i]] >= none:
            continue
        total[i] = least[points[i]]
        point = points[i]
        for j in range(asks.size - 1, -1, -1):
            if taken[j, point]:
                task[pairs] = i
                provider[pairs] = j
                pairs += 1
                point = rest_of(shape, resource, j, point)
    return total, task[:pairs].copy(), provider[:pairs].copy()


@njit(
    f"Tuple((i8[::1], i8[::1], i8[::1]))(i8[::1], i8[::1], i8[::1], i8[::1], {_VECTOR}, {_VECTOR}, i8[::1], i8[::1], "
    "b1)",
    cache=True,
    nogil=True,
)
def _cheapest_listed(order, first, ends, member, bid, cost, asks, left, take):
    """As ``_covers``, each task's out of those in its list that ask less than the bid, INT64_MAX where none does."""
    total = np.full(bid.size, np.iinfo(np.int64).max)
    won = np.empty(order.size * asks.size, dtype=np.int64)
    won_at = np.empty_like(won)
    size = 0
    for i in order:
        least, chosen = bid[i], -1
        for c in range(first[i], first[i + 1]):
            price = 0
            for j in member[ends[c - 1] if c > 0 else 0 : ends[c]]:
                price = price + asks[j] if left[j] > 0 else least
                if price >= least:  # what further providers ask might not fit int64
                    break
            if price < least:
                least, chosen = price, c
        if chosen < 0:
            continue
        providers = member[ends[chosen - 1] if chosen > 0 else 0 : ends[chosen]]
        if take and cost[providers].sum() >= bid[i]:
            continue
        total[i] = least
        for j in providers:
            left[j] -= take
            won[size] = i
            won_at[size] = j
            size += 1
    return total, won[:size].copy(), won_at[:size].copy()
