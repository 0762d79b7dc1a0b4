"""A dive by prices: the tasks of largest surplus are served, prices follow what is left, and so on."""

import time
from dataclasses import replace

import numpy as np

from auction.allocation import Allocation
from auction.market import Int
from auction.search import Stop
from auction.solvers._support_prices.dual import DualPoint, asks_at, respond_to
from auction.solvers._support_prices.grid import Grid, Supports, group_tasks
from auction.solvers._support_prices.search import Walk
from auction.solvers._support_prices.serving import serve
from auction.solvers._time import with_grace

STEPS = 20  # in which as many tasks are served as have a surplus at first
ROUNDS = 5  # of prices before each: few, so all supports are asked
NOISE, STEP = 0.005, 0.05
HASTE = 1.5  # times what serving a task took: what must remain for each


def dive(grid: Grid, at: DualPoint, rng: np.random.Generator, stop: Stop) -> Allocation:
    """Tasks in descending surplus take cheapest covers, prices being adjusted to those who wait and what is left.

    What remains in the end, or once it is time, is served in descending surplus at the last prices, then at costs.

    Args:
        grid: both sides.
        at: prices to start from.
        rng: of noisy requests.
        stop: prices are adjusted while time to serve everybody remains; who is not served soon after gets nothing.
    """
    offers = grid.offers
    left = offers.slots.copy()
    won: list[tuple[Int, Int]] = []
    walk = Walk(grid, at.price.astype(float), left, rng)
    each = -(-int((at.cover < grid.supports.bid).sum()) // STEPS)
    pace = 0.0  # seconds a task
    for number in range(2 * STEPS):
        supports = grid.supports
        for _ in range(ROUNDS if number else 0):
            if not stop.now:
                walk.step(NOISE, STEP, np.ones(supports.first.size - 1, dtype=bool), stop)
        price = walk.price()
        cover = respond_to(grid, [asks_at(grid, price)], np.arange(supports.first.size - 1), with_grace(stop)).cover
        surplus = supports.bid - cover
        order = np.argsort(-surplus, kind="stable")[: int((surplus > 0).sum())]
        remaining = stop.remaining()
        late = remaining is not None and remaining < HASTE * pace * order.size
        last = stop.now or late or order.size <= each or number == 2 * STEPS - 1
        served, begun = order if last else order[:each], time.perf_counter()
        task, slot = serve(grid, served, price, left, cover, with_grace(stop) if last else stop)
        pace = (time.perf_counter() - begun) / max(1, served.size)
        won.append((supports.task[task], offers.provider[slot]))
        waiting = np.setdiff1d(supports.task, won[-1][0])
        if not waiting.size:
            break
        grid = replace(grid, supports=_regrouped(grid, waiting))
        walk.restart(grid)
        if last:
            asks = asks_at(grid, np.where(left > 0, offers.cost, walk.never))
            cover = respond_to(grid, [asks], np.arange(grid.supports.first.size - 1), with_grace(stop)).cover
            surplus = grid.supports.bid - cover
            order = np.argsort(-surplus, kind="stable")[: int((surplus > 0).sum())]
            task, slot = serve(grid, order, offers.cost, left, cover, with_grace(stop))
            won.append((grid.supports.task[task], offers.provider[slot]))
            break
    task, provider = (np.concatenate(part) for part in zip(*won, strict=True))
    return Allocation.of(task, provider)


def _regrouped(grid: Grid, task: Int) -> Supports:
    supports = group_tasks(grid.market, task)
    assert supports is not None  # boxes of fewer tasks are no larger
    return supports
