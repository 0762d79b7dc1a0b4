"""Reading ``whole``, exact and polynomial at any demand: a matching of tasks to slots, with prices that prove it."""

import numpy as np
from numba import njit

from auction.allocation import Allocation
from auction.arrays import INT64_MAX
from auction.certificate import Certificate
from auction.errors import InputError
from auction.market import Int, Market, Reading
from auction.search import Found, Stop, trivial_bound
from auction.solvers import greedy
from auction.solvers._vectors import distinct_rows
from auction.welfare import welfare

READINGS: tuple[Reading, ...] = ("whole",)

VECTOR_LIMIT = 92_681  # different slot vectors: a bit for every pair of them makes 1 GiB
LOOK = 1 << 24  # vectors looked at between two looks at the clock: some 20 ms
GRACE = 1.0  # seconds to fill up an allocation that was cut short


def solve(market: Market, reading: Reading, stop: Stop, seed: int) -> Found:
    """Maximum-weight bipartite b-matching of tasks to single providers that cover them, weight b_i - c_j.

    Weights separate into task and provider, so an alternating path from a new task i that ends at a free slot of
    provider j gains b_i - c_j whatever lies between, and one that ends by turning out a task i' gains b_i - b_i'. Tasks
    are taken by bid, descending: nobody is ever turned out, and each takes the cheapest free slot that any path
    reaches. Providers of one slot vector, clipped to demands that occur, are one node.

    Prices of vectors, raised to what a search found, spare later searches all that costs no less, and prove the result
    by duality, in integers (``auction.certificate``); amounts are only compared on the way. Cut short, slots that are
    left are filled by ``greedy``, and what was raised so far proves the bound.

    Raises:
        InputError: more than VECTOR_LIMIT slot vectors.
    """
    bidders = np.flatnonzero(market.net_bid > 0)
    bidders = bidders[np.argsort(-market.net_bid[bidders], kind="stable")]
    levels = [np.unique(np.append(market.demand[bidders, k], 0)) for k in range(market.types)]
    rank = [np.searchsorted(level, market.resource[:, k], "right") - 1 for k, level in enumerate(levels)]
    clipped: Int = np.stack([level[at] for level, at in zip(levels, rank, strict=True)], axis=1)
    offering = np.flatnonzero((market.slots > 0) & clipped.any(axis=1))
    demand, demand_of = distinct_rows(market.demand[bidders])
    supply, supply_of = distinct_rows(clipped[offering])
    vectors = supply.shape[0]
    if vectors > VECTOR_LIMIT:
        raise InputError(f"market: its providers have {vectors} slot vectors; assignment takes at most {VECTOR_LIMIT}")

    shelf = np.lexsort((market.cost[offering], supply_of))  # by vector, then cheapest first
    first = np.searchsorted(supply_of[shelf], np.arange(vectors + 1))
    cost, left = market.cost[offering][shelf], market.slots[offering][shelf]
    price = cost[first[:-1]]
    at = np.full(bidders.size, -1)  # vector that serves a task
    state = (
        first[:-1].copy(),
        left,
        price,
        np.zeros((vectors, (vectors + 63) // 64), dtype=np.uint64),
        np.full(vectors + 1, -1),
        np.full((3, bidders.size), -1),
        np.full(bidders.size, -1),
        at,
    )
    bid = market.net_bid[bidders]
    done = 0
    while done < bidders.size and not stop.now:
        done = _match(done, bid, demand, demand_of, supply, first, cost, *state)

    served = np.flatnonzero(at >= 0)
    served = served[np.argsort(at[served], kind="stable")]
    slot = np.repeat(shelf, market.slots[offering][shelf] - left)
    found = Allocation.of(bidders[served], offering[slot])
    premium = np.zeros_like(market.cost)
    premium[offering[shelf]] = np.maximum(price[supply_of[shelf]] - cost, 0)
    least = np.full(demand.shape[0], price.min(initial=INT64_MAX))
    priced = 0
    while priced < least.size and not stop.now:
        priced = _least_prices(priced, demand, supply, price, least)
    bound = int((bid - np.minimum(least[demand_of], bid)).sum()) + int((premium * market.slots).sum())
    certificate = Certificate(market.digest, "whole", bound, premium)
    if done == bidders.size and priced == least.size:
        return Found(found, bound, "optimal", certificate)
    found = _filled(market, found, bidders[done:])
    return Found(found, min(bound, trivial_bound(market)), "time limit")


def _filled(market: Market, found: Allocation, waiting: Int) -> Allocation:
    """The rest served one by one, or all of it, whichever is better."""
    stop = Stop(GRACE)
    left = market.slots - np.bincount(found.provider, minlength=market.providers)
    rest = greedy.served(market, "whole", waiting, market.cost, left, stop)
    both = Allocation.of(np.append(found.task, rest.task), np.append(found.provider, rest.provider))
    other = greedy.solve(market, "whole", stop, 0).allocation
    return max(both, other, key=lambda allocation: welfare(market, allocation))


@njit(cache=True, nogil=True)
def _covers(supply, demand):
    covers = True
    for k in range(demand.size):
        covers = covers and supply[k] >= demand[k]
    return covers


@njit(cache=True, nogil=True)
def _open(onward, supply, demand):
    """Set the bits of all vectors that cover a demand."""
    for v in range(supply.shape[0]):
        if _covers(supply[v], demand):
            onward[v >> 6] |= np.uint64(1) << np.uint64(v & 63)


@njit(cache=True, nogil=True)
def _batch(head, batch, v, demand):
    """The batch of a demand at v; where there is none, an empty one or a new one. The last of ``head`` counts them."""
    empty = -1
    b = head[v]
    while b >= 0:
        if batch[0, b] == demand:
            return b
        if batch[1, b] < 0:
            empty = b
        b = batch[2, b]
    if empty < 0:
        head[-1] += 1
        empty = head[-1]
        batch[2, empty] = head[v]
        head[v] = empty
    batch[0, empty] = demand
    return empty


@njit(
    "i8(i8, i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[::1],"
    "i8[::1], i8[::1], i8[::1], u8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[::1])",
    cache=True,
    nogil=True,
)
def _match(done, bid, demand, demand_of, supply, first, cost, place, left, price, onward, head, batch, after, at):
    """Insert tasks from ``done`` on until LOOK vectors were looked at; how many are done.

    ``place[v]`` is the cheapest free slot of vector v on the shelf, ``price[v]`` at most what any path from v ends at.
    ``onward[v]`` has a bit for each vector that a task at v could move to, and some that only one gone by could. Tasks
    at v of one demand are a batch: ``head[v]`` is the first batch, ``batch`` the demand, the first task (-1: none) and
    the next batch of each, ``after`` the next task. Slots in use stay in use, so there are no more batches than tasks.
    """
    vectors = price.size
    seen = np.zeros(vectors, dtype=np.bool_)
    parent = np.empty(vectors, dtype=np.int64)
    reached = np.empty(vectors, dtype=np.int64)
    mover = np.empty(vectors, dtype=np.int64)
    looks = LOOK
    while done < bid.size and looks > 0:
        wanted = demand[demand_of[done]]
        cheapest = bid[done]
        end, size, place_in = -1, 0, -1
        while place_in < size:  # the task itself, then every vector reached at a price below ``cheapest``
            here = -1 if place_in < 0 else reached[place_in]
            place_in += 1
            if here >= 0 and price[here] >= cheapest:
                continue
            looks -= vectors
            for v in range(vectors):
                if price[v] < cheapest and not seen[v]:
                    if here < 0:
                        open_to = _covers(supply[v], wanted)
                    else:
                        open_to = (onward[here, v >> 6] >> np.uint64(v & 63)) & np.uint64(1) != 0
                    if open_to:
                        seen[v] = True
                        parent[v] = here
                        reached[size] = v
                        size += 1
                        if place[v] < first[v + 1] and cost[place[v]] < cheapest:
                            cheapest = cost[place[v]]
                            end = v
        for v in reached[:size]:
            seen[v] = False

        stale = -1
        v = end
        while v >= 0 and parent[v] >= 0 and stale < 0:  # who moves from each vector on the path to the next
            here = parent[v]
            b = head[here]
            while b >= 0 and (batch[1, b] < 0 or not _covers(supply[v], demand[batch[0, b]])):
                b = batch[2, b]
            mover[v] = b
            stale = here if b < 0 else -1
            v = here
        if stale >= 0:
            onward[stale] = 0
            b = head[stale]
            while b >= 0:
                if batch[1, b] >= 0:
                    _open(onward[stale], supply, demand[batch[0, b]])
                    looks -= vectors
                b = batch[2, b]
            continue

        for v in reached[:size]:
            price[v] = max(price[v], cheapest)
        if end >= 0:
            left[place[end]] -= 1
            if left[place[end]] == 0:
                place[end] += 1
            v = end
            while True:
                here = parent[v]
                t = done
                if here >= 0:
                    t = batch[1, mover[v]]
                    batch[1, mover[v]] = after[t]
                b = _batch(head, batch, v, demand_of[t])
                if batch[1, b] < 0:
                    _open(onward[v], supply, demand[demand_of[t]])
                    looks -= vectors
                after[t] = batch[1, b]
                batch[1, b] = t
                at[t] = v
                if here < 0:
                    break
                v = here
        done += 1
    return done


@njit("i8(i8, i8[:, ::1], i8[:, ::1], i8[::1], i8[::1])", cache=True, nogil=True)
def _least_prices(done, demand, supply, price, least):
    """``least[d]``: the least price of a vector that covers, INT64_MAX where none does; how many are done."""
    looks = LOOK
    while done < least.size and looks > 0:
        best = INT64_MAX
        for v in range(price.size):
            if price[v] < best and _covers(supply[v], demand[done]):
                best = price[v]
        least[done] = best
        looks -= price.size
        done += 1
    return done
