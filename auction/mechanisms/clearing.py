"""One price list for all: every slot trades at the price of its slot vector, users and providers alike."""

import numpy as np

from auction.allocation import Allocation
from auction.errors import InputError
from auction.market import READINGS, Market, Reading
from auction.mechanisms import Settlement
from auction.mechanisms._supporting import fit_prices
from auction.prices import transfers
from auction.search import Stop
from auction.solvers._exact import SAFE
from auction.solvers._time import with_grace
from auction.solvers._vector_prices.dual import group_market
from auction.solvers._vector_prices.serving import serve_by_lot
from auction.solvers.column_generation import by_vector

__all__ = ["READINGS", "run"]

SUPPORTED = 100_000  # pairs up to which prices are fitted to the rounded allocation; beyond, rounding hardly matters


def run(market: Market, reading: Reading, stop: Stop, seed: int, *, time_limit: float = 300.0) -> Settlement:
    """Prices of slot vectors from the dual that proves the least bound, and the trades both sides accept at them.

    A dual optimum clears a fractional market; an integral one only nearly (Bikhchandani and Mamer 1997), so prices are
    fitted to it. Of the allocation that column generation rounds, trades in which a slot costs its provider more than
    its price, or a task more than its bid, are dropped; tasks without a trade then draw lots for what is left. Nobody
    loses and payments equal receipts. A price is an integer; no report decides who is rationed but by whether its bid
    covers the prices: lots, and within a demand vector the marginal bids, those nearest the price of their cover.

    Args:
        time_limit: seconds for the prices; positive.

    Raises:
        InputError: a limit that is not positive.
    """
    if not time_limit > 0:
        raise InputError(f"option time_limit of clearing: {time_limit} is not allowed; a positive number of seconds")
    limit = Stop(min(time_limit, stop.remaining() or time_limit))
    stop.on_interrupt(limit.interrupt)
    found = by_vector.solve(market, reading, limit, 0.0)
    assert found.certificate is not None
    grid, vector_price = group_market(market, reading), found.certificate.price
    if 0 < found.allocation.task.size <= SUPPORTED:
        vector_price = fit_prices(market, found.allocation, grid.vector_of, vector_price, stop)
    price = vector_price[grid.vector_of]
    accepting = market.cost <= price

    task, provider = found.allocation.task, found.allocation.provider
    paid, refused = np.zeros(market.tasks, dtype=np.int64), np.zeros(market.tasks, dtype=bool)
    np.add.at(paid, task, price[provider])
    refused[task[~accepting[provider]]] = True
    beyond = np.bincount(task, price[provider].astype(float), market.tasks) >= SAFE  # its sum may not fit int64
    refused |= beyond | (paid > market.net_bid)
    kept = ~refused[task]
    first = Allocation.of(task[kept], provider[kept])

    left = np.where(accepting, market.slots - np.bincount(first.provider, minlength=market.providers), 0)
    waiting = np.ones(market.tasks, dtype=bool)
    waiting[first.task] = False
    second = serve_by_lot(grid, vector_price, left, waiting, np.random.default_rng(seed), with_grace(stop))
    pairs = ((first.task, second.task), (first.provider, second.provider))
    allocation = Allocation.of(*(np.concatenate(both) for both in pairs))

    return Settlement(allocation, *transfers(market, allocation, price[allocation.provider]))
