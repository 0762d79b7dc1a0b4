"""An allocation at given prices, on the lattice of demands or, where that is coarse, by exact covers of each task."""

import numpy as np

from auction.market import Allocation
from auction.search import Stop
from auction.solvers import greedy
from auction.solvers.column_generation.rounding import completed
from auction.solvers.column_generation.vector_dual import Grouped, Priced


def served(grid: Grouped, at: Priced, stop: Stop) -> Allocation:
    """Tasks in descending surplus at these prices take cheapest covers: at the prices, then at costs what is left.

    On a coarse lattice, where its covers are not the tasks' own, each task is covered by ``greedy``.
    """
    if grid.exact:
        return completed(grid, at)
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
