"""The Lagrangian dual over prices of slots, support by support, on every processor there is.

For prices P_j >= c_j of a slot of each provider

    sum_i max(0, b_i - f(C_i; P)) + sum_j w_j (P_j - c_j)

is an upper bound on the optimal welfare, f from ``programmes``. Sums are of integers: the number of threads shows in
none of them.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import numpy as np

from auction.market import Int
from auction.search import Stop
from auction.solvers._exact import dot
from auction.solvers._support_prices.grid import WIDE, Grid
from auction.solvers._support_prices.programmes import LISTS, Asks, cheapest_amounts, respond, worth

CHUNKS = 32  # of supports, whatever the number of threads


Answer = TypeVar("Answer")


class Response(NamedTuple):
    """What one side asks for at a price list."""

    surplus: int  # of all tasks
    asked: Int  # (n,) slots in cheapest covers
    cover: Int  # (t,) price of each task's, the highest bid of its support where none costs less; 0 of those given up


def asks_at(grid: Grid, price: Int) -> Asks:
    """A price list and its cheapest slots by type and amount."""
    amounts = int(grid.offers.amount.max(initial=0)) + 2
    amounts = max(amounts, int(grid.supports.top.max(initial=0)) + 2)
    never = int(grid.supports.bid.max(initial=0))
    return Asks(price, *cheapest_amounts(grid.offers, price, amounts, never))


def respond_to(grid: Grid, asks: list[Asks], which: Int, stop: Stop) -> Response:
    """The answer of some supports to price lists, in turn one of them each; those given up ask for nothing."""
    lists = tuple(asks[a % len(asks)] for a in range(LISTS))
    supports, offers = grid.supports, grid.offers
    cover = np.zeros(supports.bid.size, dtype=np.int64)

    def answer(chunk: Int) -> tuple[int, Int]:
        asked = np.zeros(offers.cost.size, dtype=np.int64)
        if gives_up(grid, stop):
            return sum(int(supports.bid[supports.first[s] : supports.first[s + 1]].sum()) for s in chunk), asked
        return respond(chunk, supports, offers, lists, grid.reading == "whole", asked, cover), asked

    surplus, asked = 0, np.zeros(offers.cost.size, dtype=np.int64)
    for part, slots in each(answer, which, _pieces(grid, which)):
        surplus += part
        asked += slots
    return Response(surplus, asked, cover)


def gives_up(grid: Grid, stop: Stop) -> bool:
    """Whether supports are asked no more: programmes on boxes that are not wide are ended whatever the time."""
    return grid.largest > WIDE and stop.now


def _pieces(grid: Grid, which: Int) -> int:
    """Chunks of supports: small enough that the time is looked at between two wide boxes."""
    return which.size if grid.largest > WIDE else CHUNKS


def worths(grid: Grid, price: Int, stop: Stop) -> Int:
    """(n,) the most that any support would pay for a slot of each provider at these prices of all.

    Of supports that are given up it may be the highest bid.
    """
    supports, offers, asks = grid.supports, grid.offers, asks_at(grid, price)

    def pay(chunk: Int) -> tuple[Int, Int]:
        shared, single = np.zeros(offers.cost.size, dtype=np.int64), np.zeros_like(asks.least)
        if gives_up(grid, stop):
            return shared + supports.bid.max(initial=0), single
        worth(chunk, supports, offers, asks, grid.reading == "whole", shared, single)
        return shared, single

    most, single = np.zeros(offers.cost.size, dtype=np.int64), np.zeros_like(asks.least)
    every = np.arange(supports.first.size - 1)
    for shared, alone in each(pay, every, _pieces(grid, every)):
        np.maximum(most, shared, out=most)
        np.maximum(single, alone, out=single)
    if most.size:
        np.maximum(most, np.maximum.reduceat(single[offers.type, offers.amount], offers.first[:-1]), out=most)
    return most


class DualPoint(NamedTuple):
    """The dual at one price list."""

    value: int  # the bound, micro-tokens
    price: Int  # (n,) no slot costs more than what else would cover in its place
    cover: Int  # (t,) what each task's cheapest cover costs, its bid or more where none costs less
    repeat: bool  # whether covers may repeat a slot


def evaluate(grid: Grid, price: Int, stop: Stop) -> DualPoint:
    """The bound at prices, those lowered to their worth: no cover changes, and slots are valued less.

    Tasks of supports that are given up count with their bids.
    """
    cost = grid.offers.cost
    price = np.maximum(cost, np.minimum(price, worths(grid, price, stop)))
    response = respond_to(grid, [asks_at(grid, price)], np.arange(grid.supports.first.size - 1), stop)
    return DualPoint(response.surplus + dot(grid.offers.slots, price - cost), price, response.cover, True)


def each(work: Callable[[Int], Answer], which: Int, pieces: int = CHUNKS) -> list[Answer]:
    """Work on chunks of supports or tasks, compiled and without the GIL, as many at once as there are processors."""
    chunks = np.array_split(which, max(1, min(pieces, which.size)))
    if len(chunks) == 1:
        return [work(which)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, chunks))
