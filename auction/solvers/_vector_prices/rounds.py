"""Rounds of prices for slot vectors: they rise where tasks ask for more slots than are offered and fall elsewhere."""

from collections.abc import Iterator

import numpy as np

from auction.market import Int
from auction.search import Stop
from auction.solvers._vector_prices.dual import DualPoint, GroupedMarket, evaluate_dual, report

MEMORY = 0.1  # the weight of this round's requests: tasks all turn to whatever is cheapest, averages do not


def rounds_of_prices(grid: GroupedMarket, rounds: int, stop: Stop) -> Iterator[DualPoint]:
    """The dual at the prices of each round, at least one.

    log p_v moves by (asked - offered) / (asked + offered) / (2 sqrt(round)), slots asked being an exponential average.
    """
    at = evaluate_dual(grid, linear_prices(grid))
    asked = at.asked
    report(at, stop)
    yield at
    for number in range(1, rounds):
        if stop.now:
            return
        excess = (asked - at.offered) / np.maximum(asked + at.offered, 1)
        price = np.minimum(at.price * np.exp(0.5 * excess / np.sqrt(number)), grid.dearest)
        at = evaluate_dual(grid, np.rint(price).astype(np.int64))
        asked = asked + MEMORY * (at.asked - asked)
        report(at, stop)
        yield at


def linear_prices(grid: GroupedMarket) -> Int:
    """(V,) prices in proportion to the requests in a slot: the median cost of one request on offer."""
    market = grid.market
    offers = (market.slots > 0) & market.resource.any(axis=1)
    if not offers.any():
        return np.full(len(grid.vectors), grid.dearest)
    unit = np.median(market.cost[offers] / market.resource[offers].sum(axis=1))
    return np.minimum(grid.vectors.sum(axis=1) * unit, grid.dearest).astype(np.int64)
