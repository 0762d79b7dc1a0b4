"""Allocations at prices: tasks in descending surplus take exact cheapest covers out of the slots that are left."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numba import njit, types
from numba.core.types import float64, int64

from auction.market import Float, Int
from auction.search import Stop
from auction.solvers._covering import cover_of
from auction.solvers._support_prices.dual import each
from auction.solvers._support_prices.grid import Grid, Offers
from auction.solvers._support_prices.programmes import _OFFERS, _SUPPORTS, _VECTOR
from auction.solvers._time import NEVER_RAISED

_FLOATS = float64[::1]
SLACK = 8  # a cover is sought that costs at most one in so many parts more than it does at least, as far as is known
CHUNK = 256  # tasks between two looks at the clock
NODES = 1_000  # of the search for a cover: beyond, the best found so far is taken


class Shelves(NamedTuple):
    """Slots by type and amount, and by pair of types, the lowest ask first."""

    ask: Int  # (n,)
    first: Int  # (K x amounts + 1,) where slots with that amount of that type start in ``slot``
    slot: Int
    pair_slot: Int  # those of ``Offers.pair_member``, sorted anew


class Covers(NamedTuple):
    """What is known of each task's cheapest cover."""

    lower: Int  # (t,) what it costs at least
    multiplier: Float  # (t, widest support) Lagrange multipliers of its demands, from which the next search starts

    @classmethod
    def of(cls, grid: Grid) -> "Covers":
        """Nothing yet."""
        return cls(grid.supports.bid.copy(), np.zeros(grid.supports.demand.shape))


_SHELVES = types.NamedUniTuple(_VECTOR, 4, Shelves)


def _shelved(offers: Offers, ask: Int, amounts: int) -> Shelves:
    """Slots sorted by what they ask."""
    slot = np.repeat(np.arange(ask.size), np.diff(offers.first))
    key = offers.type * amounts + offers.amount
    order = np.lexsort((ask[slot], key))
    first = np.searchsorted(key[order], np.arange(offers.pair.shape[0] * amounts + 1))
    pair = np.repeat(np.arange(offers.pair_first.size - 1), np.diff(offers.pair_first))
    return Shelves(ask, first, slot[order], offers.pair_member[np.lexsort((ask[offers.pair_member], pair))])


@njit(
    int64(int64, int64, int64, _SUPPORTS, _OFFERS, _SHELVES, _VECTOR, int64, _VECTOR, _VECTOR), cache=True, nogil=True
)
def _candidates(i, s, limit, supports, offers, shelf, left, amounts, mark, found):
    """Fill in slots left that ask less than the limit; of those that share one type with it, some of each amount.

    ``mark`` (n + 1,) holds the number of the search that last met each slot, and of this one.
    """
    mark[-1] += 1
    count = 0
    begin = supports.type_first[s]
    d = supports.type_first[s + 1] - begin
    for a in range(d):
        k = supports.type[begin + a]
        need = supports.demand[i, a]
        for x in range(1, amounts):
            copies = (need + x - 1) // x
            for p in range(shelf.first[k * amounts + x], shelf.first[k * amounts + x + 1]):
                j = shelf.slot[p]
                if copies == 0 or shelf.ask[j] >= limit:
                    break
                if left[j] > 0:
                    copies -= 1
                    if mark[j] != mark[-1]:
                        mark[j] = mark[-1]
                        found[count] = j
                        count += 1
    for a in range(d):
        for b in range(a + 1, d):
            r = offers.pair[supports.type[begin + a], supports.type[begin + b]]
            for j in shelf.pair_slot[offers.pair_first[r] : offers.pair_first[r + 1]]:
                if shelf.ask[j] >= limit:
                    break
                if left[j] > 0 and mark[j] != mark[-1]:
                    mark[j] = mark[-1]
                    found[count] = j
                    count += 1
    return count


@njit(
    types.Tuple([int64, _VECTOR])(
        int64, int64, int64, _SUPPORTS, _OFFERS, _SHELVES, _VECTOR, int64, types.boolean, int64, _FLOATS, _VECTOR,
        _VECTOR, _VECTOR,
    ),
    cache=True,
    nogil=True,
)  # fmt: skip
def _cover_of(i, s, limit, supports, offers, shelf, left, amounts, whole, nodes, multiplier, flag, mark, found):
    """What a cover of task i by slots left costs at least, the limit if none costs less, and the cheapest found."""
    count = _candidates(i, s, limit, supports, offers, shelf, left, amounts, mark, found)
    begin = supports.type_first[s]
    d = supports.type_first[s + 1] - begin
    demand = supports.demand[i, :d].copy()
    supply = np.zeros((count, d), dtype=np.int64)
    ask = np.empty(count, dtype=np.int64)
    best = -1
    for c in range(count):
        j = found[c]
        ask[c] = shelf.ask[j]
        a = 0
        for e in range(offers.first[j], offers.first[j + 1]):
            while a < d and supports.type[begin + a] < offers.type[e]:
                a += 1
            if a < d and supports.type[begin + a] == offers.type[e]:
                supply[c, a] = min(offers.amount[e], demand[a])
        if whole and (best < 0 or ask[c] < ask[best]) and (supply[c] == demand).all():
            best = c
    if whole:
        return (ask[best], found[best : best + 1].copy()) if best >= 0 else (limit, found[:0].copy())
    lower, _, chosen = cover_of(demand, supply, ask, limit, multiplier[:d], nodes, 0, flag)
    return lower, found[:count][chosen]


@njit(
    types.UniTuple(_VECTOR, 2)(
        _VECTOR, _VECTOR, _SUPPORTS, _OFFERS, _SHELVES, _VECTOR, int64, types.boolean, int64, types.boolean, _VECTOR,
        float64[:, ::1], _VECTOR,
    ),
    cache=True,
    nogil=True,
)  # fmt: skip
def _serve(order, support, supports, offers, shelf, left, amounts, whole, nodes, take, lower, multipliers, flag):
    """Cheapest covers of tasks in order where those ask less than the bid: pairs (task, slot).

    With ``take`` they are taken, but for those that cost as much as the bid. Fills in ``lower`` of these tasks.
    """
    mark = np.zeros(left.size + 1, dtype=np.int64)
    found = np.empty(left.size, dtype=np.int64)
    task = np.empty(1024, dtype=np.int64)
    slot = np.empty(1024, dtype=np.int64)
    size = 0
    for i in order:
        bid = supports.bid[i]
        limit = min(bid, lower[i] + lower[i] // SLACK + 1)  # most slots ask for more than a cover costs
        while True:
            lower[i], cover = _cover_of(
                i, support[i], limit, supports, offers, shelf, left, amounts, whole, nodes, multipliers[i], flag, mark,
                found,
            )  # fmt: skip
            if cover.size > 0 or limit == bid:
                break
            limit = bid
        if cover.size == 0 or (take and offers.cost[cover].sum() >= supports.bid[i]):
            continue
        while size + cover.size > task.size:
            task = np.concatenate((task, np.empty_like(task)))
            slot = np.concatenate((slot, np.empty_like(slot)))
        for j in cover:
            left[j] -= take
            task[size] = i
            slot[size] = j
            size += 1
    return task[:size].copy(), slot[:size].copy()


def serve(grid: Grid, order: Int, ask: Int, left: Int, cover: Int, stop: Stop) -> tuple[Int, Int]:
    """Tasks in order take exact cheapest covers of slots that are left: pairs of a task and a slot.

    Args:
        grid: both sides.
        order: places in ``grid.supports``.
        ask: (n,) what a slot counts for; a cover that asks or costs as much as the bid is not taken.
        left: (n,) slots on offer, of which those taken are subtracted.
        cover: (t,) what covers cost at least, as far as is known.
        stop: who has not had a turn by then gets nothing.
    """
    known = Covers(cover.copy(), np.zeros(grid.supports.demand.shape))
    work = _covers_at(grid, ask, left, known, NODES, NEVER_RAISED, take=True)
    won = [(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))]
    for begin in range(0, order.size, CHUNK):
        if stop.now:
            break
        won.append(work(order[begin : begin + CHUNK]))
    task, slot = (np.concatenate(part) for part in zip(*won, strict=True))
    return task, slot


def cheapest_covers(
    grid: Grid, order: Int, ask: Int, left: Int, known: Covers, nodes: int, flag: Int
) -> tuple[Int, Int]:
    """Each task's cheapest cover by slots left, whatever the others do, where it asks less than the bid: pairs.

    ``known`` is brought up to date; with few ``nodes``, or once the flag is 1, a cover may be dearer
    than it says that they cost at least.
    """
    found = each(_covers_at(grid, ask, left, known, nodes, flag, take=False), order)
    task, slot = (np.concatenate(part) for part in zip(*found, strict=True))
    return task, slot


def _covers_at(
    grid: Grid, ask: Int, left: Int, known: Covers, nodes: int, flag: Int, *, take: bool
) -> Callable[[Int], tuple[Int, Int]]:
    supports, offers = grid.supports, grid.offers
    amounts = 1 + int(max(offers.amount.max(initial=0), supports.top.max(initial=0)))
    support = np.repeat(np.arange(supports.first.size - 1), np.diff(supports.first))
    shelves, whole = _shelved(offers, ask, amounts), grid.reading == "whole"
    return lambda order: _serve(
        order,
        support,
        supports,
        offers,
        shelves,
        left,
        amounts,
        whole,
        nodes,
        take,
        known.lower,
        known.multiplier,
        flag,
    )
