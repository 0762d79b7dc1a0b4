"""Large neighbourhood search: a few tasks and all their slots at a time, allocated anew by exact column generation."""

from dataclasses import replace

import numpy as np

from auction.allocation import Allocation
from auction.market import Int
from auction.search import Stop
from auction.solvers._vector_prices.dual import DualPoint, GroupedMarket
from auction.solvers.column_generation import by_provider
from auction.welfare import welfare, winners

TASKS = 60  # winners in a neighbourhood, and as many losers
SECONDS = 4.0  # for one neighbourhood
CLOSE = 0.003  # gap at which one is solved well enough
ENOUGH = 0.005  # gap of the whole at which the search ends
STALL = 0.0002  # share of the bound that a sweep over all winners gains at least


def search_neighbourhoods(grid: GroupedMarket, at: DualPoint, allocation: Allocation, stop: Stop) -> Allocation:
    """The allocation after sweeps over its winners in random groups, each with all slots that the group holds.

    To a group come losers, drawn from those with the highest surplus at the prices. Within a group the slots go where
    welfare is highest (Shaw 1998); rounding leaves small misfits everywhere, and small markets are solved exactly.
    """
    market, rng = grid.market, np.random.default_rng(0)
    surplus = market.net_bid - at.cover[grid.demand_point[grid.demand_of]]
    ranked = np.argsort(-surplus, kind="stable")
    achieved = welfare(market, allocation)
    while True:
        before = achieved
        won = rng.permutation(winners(allocation))
        for group in np.array_split(won, max(1, won.size // TASKS)):
            if stop.now or at.value - achieved <= ENOUGH * at.value:
                return allocation
            losers = ranked[~np.isin(ranked, allocation.task)][: 4 * TASKS]
            tasks = np.sort(np.concatenate((group, rng.permutation(losers)[:TASKS])))
            changed = _reallocate(grid, allocation, tasks, stop)
            if (worth := welfare(market, changed)) > achieved:
                allocation, achieved = changed, worth
        if achieved - before <= STALL * at.value:
            return allocation


def _reallocate(grid: GroupedMarket, allocation: Allocation, tasks: Int, stop: Stop) -> Allocation:
    """These tasks on the slots that they hold together, the others as they are."""
    market = grid.market
    inside = np.isin(allocation.task, tasks)
    providers, slots = np.unique(allocation.provider[inside], return_counts=True)
    part = replace(
        market,
        demand=market.demand[tasks],
        value=market.value[tasks],
        resource=market.resource[providers],
        slots=slots,
        cost=market.cost[providers],
        ability=market.ability[providers],
    )
    if not by_provider.fits(part, grid.reading):
        return allocation
    limit = Stop(min(SECONDS, stop.remaining() or SECONDS))
    stop.on_interrupt(limit.interrupt)
    found = by_provider.solve(part, grid.reading, limit, CLOSE).allocation
    task = np.concatenate((allocation.task[~inside], tasks[found.task]))
    return Allocation.of(task, np.concatenate((allocation.provider[~inside], providers[found.provider])))
