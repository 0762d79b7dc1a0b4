"""Allocations at given prices, on the lattice of demands or, where that is coarse, by exact covers of each task."""

import numpy as np
from numpy.typing import NDArray

from auction.allocation import Allocation
from auction.market import Int
from auction.search import Stop
from auction.solvers import bid_density, greedy
from auction.solvers._time import with_grace
from auction.solvers._vector_prices.dual import DualPoint, GroupedMarket, covers
from auction.solvers._vector_prices.rounding import CHUNKS, PASSES, complete, heads, take_covers, turns
from auction.welfare import welfare


def serve_at_prices(grid: GroupedMarket, at: DualPoint, stop: Stop) -> Allocation:
    """Tasks in descending surplus at these prices take cheapest covers: at the prices, then at costs what is left.

    On a coarse lattice, where its covers are not the tasks' own, each task is covered by ``greedy``. Where time is up,
    the whitepaper's walk if that is worth more than what GRACE seconds bring.
    """
    found = _serve(grid, at, with_grace(stop))
    if not stop.now:
        return found
    walked = bid_density.solve(grid.market, grid.reading, stop, 0, backfill=True).allocation
    return max(found, walked, key=lambda one: welfare(grid.market, one))


def _serve(grid: GroupedMarket, at: DualPoint, stop: Stop) -> Allocation:
    if grid.exact:
        return complete(grid, at, stop)
    market = grid.market
    surplus = market.net_bid - at.cover[grid.demand_point[grid.demand_of]]
    order = np.argsort(-surplus, kind="stable")
    order = order[market.net_bid[order] > 0]
    asks = np.maximum(market.cost, at.price[grid.vector_of])
    first = greedy.served(market, grid.reading, order, asks, market.slots, stop)
    left = market.slots - np.bincount(first.provider, minlength=market.providers)
    second = greedy.served(market, grid.reading, order[~np.isin(order, first.task)], market.cost, left, stop)
    pairs = (np.concatenate(both) for both in ((first.task, second.task), (first.provider, second.provider)))
    return Allocation.of(*pairs)


def serve_by_lot(
    grid: GroupedMarket, price: Int, left: Int, waiting: NDArray[np.bool_], rng: np.random.Generator, stop: Stop
) -> Allocation:
    """Waiting tasks in random order take cheapest covers, a slot at the price of its vector, and none above the bid.

    Args:
        grid: both sides, grouped.
        price: (V,) what a slot of each vector costs.
        left: (n,) slots on offer.
        waiting: (m,) tasks in the lottery.
        rng: draws the order, which depends on no report.
        stop: who has not had a turn by then gets nothing.
    """
    market, supply = grid.market, grid.supply
    waiting = waiting & (market.net_bid > 0)
    if not grid.exact:
        order = rng.permutation(np.flatnonzero(waiting))
        return greedy.served(market, grid.reading, order, price[grid.vector_of], left, stop)
    asks = np.repeat(price, np.diff(supply.first))
    left = left[supply.member]
    found: list[tuple[Int, Int]] = [(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))]
    for _ in range(PASSES):
        before = len(found)
        cover, _ = covers(grid, heads(supply.first, asks, left, grid.dearest))
        queue = np.flatnonzero(waiting & (cover[grid.demand_point][grid.demand_of] < market.net_bid))
        for chunk in turns(rng.permutation(queue), CHUNKS, stop):
            _, slot = covers(grid, heads(supply.first, asks, left, grid.dearest))
            points, bid = grid.demand_point[grid.demand_of[chunk]], market.net_bid[chunk]
            whole = grid.reading == "whole"
            won = take_covers(chunk, points, bid, grid.shape, grid.vectors, slot, supply.first, asks, left, whole)
            waiting[won[0]] = False
            found += [won] if won[0].size else []
        if len(found) == before:
            break
    task, place = (np.concatenate(part) for part in zip(*found, strict=True))
    return Allocation.of(task, supply.member[place])
