"""Prices by noisy requests: supports see prices shaken each its own way, and prices follow the excess of requests.

At exact prices all tasks of a kind ask for the same few slots; at shaken ones they spread their requests as a
fractional optimum does. The noise falls geometrically. Large markets are solved small first: a sample of tasks and
providers, whose prices are carried up as what its supports would pay for each slot of the whole.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from auction.market import Float, Int
from auction.search import Stop
from auction.solvers._support_prices.dual import DualPoint, asks_at, evaluate, gives_up, respond_to, worths
from auction.solvers._support_prices.grid import Grid, group_tasks
from auction.solvers._support_prices.programmes import LISTS

SMALLEST = 2000  # tasks and providers of a sample at least
GROWTH = 6  # from one sample to the next
AT_ONCE = 2500  # supports asked a round, on average, where there are more
MEMORY = 0.2  # weight of a round in the running mean of requests, if it asks all supports
SLOWER = 16  # rounds after which steps of log prices have shrunk by the root of two
EVERY = 40  # rounds between two evaluations


class Rounds(NamedTuple):
    """Rounds on one sample: how many, the noise of the first and the last, and the step of log prices."""

    number: int
    first_noise: float
    last_noise: float
    step: float

    def noise(self, at: float) -> float:
        return float(self.first_noise * (self.last_noise / self.first_noise) ** (at / max(1, self.number - 1)))


SMALL, MIDDLE, WHOLE = Rounds(100, 0.1, 0.006, 0.1), Rounds(60, 0.02, 0.005, 0.06), Rounds(120, 0.012, 0.0015, 0.06)
ALONE = Rounds(120, 0.1, 0.0015, 0.1)  # of a market too small for samples


class Walk:
    """Prices of slot vectors that follow the requests of a grid's tasks for some of its slots."""

    def __init__(self, grid: Grid, price: Float, slots: Int, rng: np.random.Generator) -> None:
        """Start from prices (n,), slots (n,) being on offer; the arrays are looked at each round anew."""
        self.grid, self.slots, self.rng = grid, slots, rng
        vector = grid.offers.vector
        self._log = np.zeros(int(vector.max(initial=-1)) + 1)
        self._log[vector] = np.log(np.maximum(price, 1.0))
        self.never = int(grid.supports.bid.max(initial=0))
        self._mean: Float | None = None
        self._number = 0

    def price(self) -> Int:
        """(n,) of slots on offer; the highest bid of others."""
        price = np.exp(self._log)[self.grid.offers.vector]
        return self._offered(np.maximum(self.grid.offers.cost, np.rint(price).astype(np.int64)))

    def _offered(self, price: Int) -> Int:
        return np.where(self.slots > 0, np.minimum(price, self.never), self.never)

    def restart(self, grid: Grid) -> None:
        """Go on from these prices with other tasks."""
        self.grid, self._mean, self._number = grid, None, 0

    def step(self, noise: float, step: float, which: NDArray[np.bool_], stop: Stop) -> None:
        """One round: some supports ask at shaken prices; log prices move by the relative excess of the mean request.

        A round that is given up moves nothing.
        """
        offers, sizes = self.grid.offers, np.diff(self.grid.supports.first)
        price = self.price()
        asks = []
        for _ in range(LISTS):
            shaken = price * np.exp(noise * self.rng.standard_normal(price.size))
            asks.append(asks_at(self.grid, self._offered(np.rint(shaken).astype(np.int64))))
        asked = respond_to(self.grid, asks, np.flatnonzero(which), stop).asked
        if gives_up(self.grid, stop):
            return
        scale = sizes.sum() / max(1, sizes[which].sum())
        requests = np.bincount(offers.vector, asked * scale, self._log.size).astype(float)
        self._number += 1
        weight = max(MEMORY * which.mean(), 1 / self._number)
        mean = requests if self._mean is None else self._mean + weight * (requests - self._mean)
        offered = self.slots * (offers.cost < np.exp(self._log)[offers.vector])
        supply = np.bincount(offers.vector, offered, self._log.size)
        excess = (mean - supply) / np.maximum(mean + supply, 0.5)
        self._mean = mean
        self._log += step / np.sqrt(1 + (self._number - 1) / SLOWER) * excess


def search_prices(grid: Grid, rng: np.random.Generator, stop: Stop, whole: Stop) -> DualPoint:
    """The best of the prices evaluated on the way, costs alone among them.

    Args:
        grid: both sides.
        rng: shakes prices.
        stop: of the search.
        whole: of evaluations, the last of which is after it.
    """
    offers = grid.offers
    units = np.add.reduceat(offers.amount, offers.first[:-1])
    price = np.median(offers.cost / units) * units
    shares = [1.0]
    while min(grid.supports.bid.size, offers.cost.size) * shares[-1] / GROWTH > SMALLEST:
        shares.append(shares[-1] / GROWTH)
    for number, share in enumerate(shares[:0:-1]):
        price = _carried_up(grid, price, share, MIDDLE if number else SMALL, rng, stop, whole).astype(float)
    best = evaluate(grid, offers.cost, whole)
    walk, rounds = Walk(grid, price, offers.slots, rng), WHOLE if len(shares) > 1 else ALONE
    given = stop.remaining()
    for number in range(rounds.number):
        if stop.now:
            break
        spent = 0.0 if given is None else 1 - (stop.remaining() or 0) / given  # noise falls in time
        walk.step(rounds.noise(max(number, spent * (rounds.number - 1))), rounds.step, some_supports(grid, rng), stop)
        if number % EVERY == EVERY - 1:
            best = min(best, evaluate(grid, walk.price(), whole), key=lambda at: at.value)
            stop.report(bound=best.value)
    if stop.interrupted:
        return best
    return min(best, evaluate(grid, walk.price(), whole), key=lambda at: at.value)


def _carried_up(
    grid: Grid, price: Float, share: float, rounds: Rounds, rng: np.random.Generator, stop: Stop, whole: Stop
) -> Int:
    """(n,) what a share of the tasks would pay for any slot at prices for as large a share of the providers."""
    count = int(grid.supports.task.size * share)
    supports = group_tasks(grid.market, np.sort(rng.choice(grid.supports.task, count, replace=False)))
    assert supports is not None  # boxes of fewer tasks are no larger
    part = replace(grid, supports=supports)
    walk = Walk(part, price, np.where(rng.random(price.size) < share, grid.offers.slots, 0), rng)
    for number in range(rounds.number):
        if stop.now:
            break
        walk.step(rounds.noise(number), rounds.step, some_supports(part, rng), stop)
    return worths(part, walk.price(), whole)


def some_supports(grid: Grid, rng: np.random.Generator) -> NDArray[np.bool_]:
    """(S,) those that are asked in a round: AT_ONCE of them, more or less, at least one; all where they are no more."""
    count = grid.supports.first.size - 1
    if count <= AT_ONCE:
        return np.ones(count, dtype=bool)
    which = rng.random(count) < AT_ONCE / count
    which[rng.integers(count)] = True
    return which
