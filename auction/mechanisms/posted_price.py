"""A posted price per request: tasks in random order take the cheapest cover, or leave it."""

import numpy as np

from auction.allocation import Allocation
from auction.arrays import within
from auction.errors import InputError
from auction.market import AMOUNT_LIMIT, READINGS, Int, Market, Reading
from auction.mechanisms import Settlement
from auction.prices import ask_per_unit, slot_units, transfers
from auction.search import Stop
from auction.solvers.greedy import served

__all__ = ["READINGS", "offered", "run", "sell"]


def run(market: Market, reading: Reading, stop: Stop, seed: int, *, markup: float = 1.5) -> Settlement:
    """Sell every slot at p S_j, p being ``markup`` times the median ask per unit, to tasks in random order.

    Providers with c_j > p S_j stay out. No task moves the price or its place in the queue: to bid its value is a
    dominant strategy. Payments equal receipts and nobody loses.

    Args:
        markup: on the median c_j / S_j of the providers with slots; positive.

    Raises:
        InputError: a markup that is not positive, or at which amounts could pass 2^62 micro-tokens.
    """
    if not markup > 0:
        raise InputError(f"option markup of posted_price: {markup:g} is not allowed; a positive number")
    asks = ask_per_unit(market)[(market.slots > 0) & (slot_units(market) > 0)]
    price = markup * float(np.median(asks)) if asks.size else 0.0
    dearest = price * float(slot_units(market).sum(dtype=float))
    within("option markup", "the price of a slot of every provider together", dearest, AMOUNT_LIMIT)
    order = np.random.default_rng(seed).permutation(market.tasks)
    allocation = sell(market, reading, round(price), order, stop)
    paid = round(price) * slot_units(market)[allocation.provider]
    return Settlement(allocation, *transfers(market, allocation, paid))


def sell(market: Market, reading: Reading, price: int, order: Int, stop: Stop) -> Allocation:
    """Tasks in turn take the cheapest cover among the slots left of providers whose cost is at most p S_j.

    Args:
        price: micro-tokens a request; p times the units of all slots is below 2^62.
        order: tasks.
    """
    return served(market, reading, order, price * slot_units(market), offered(market, price), stop)


def offered(market: Market, price: int) -> Int:
    """(n,) slots on offer at a price: w_j where c_j <= p S_j, 0 elsewhere."""
    return np.where(market.cost <= price * slot_units(market), market.slots, 0)
