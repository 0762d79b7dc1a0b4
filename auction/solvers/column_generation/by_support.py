"""A covering programme for each set of types that tasks demand: for markets of many types, of any size.

Prices by noisy requests prove a bound, and a dive by prices finds an allocation; where a master is
small enough, columns near those prices make both better, and have more of the time where a box is wide.
"""

import numpy as np

from auction.allocation import Allocation
from auction.certificate import Certificate
from auction.search import Found, Stop
from auction.solvers._exact import dot
from auction.solvers._support_prices.dive import dive
from auction.solvers._support_prices.dual import DualPoint, evaluate
from auction.solvers._support_prices.grid import Grid
from auction.solvers._support_prices.search import search_prices
from auction.solvers._support_prices.serving import Covers
from auction.solvers._time import NEVER_RAISED, half_of
from auction.solvers._warm_start import best_heuristic
from auction.solvers.column_generation.near_prices import ROWS, pack_columns, respond_once
from auction.welfare import welfare


def solve(grid: Grid, stop: Stop, seed: int, gap: float) -> Found:
    """Bound, certificate and allocation; half of the time is for prices, or a quarter.

    The bound is sum_i max(0, b_i - f(C_i; c + pi)) + sum_j w_j pi_j, f being allowed to repeat a provider where
    the certificate says so, which is of more than ROWS tasks and providers.
    """
    market = grid.market
    if not grid.supports.task.size or not grid.offers.provider.size:
        price = np.zeros(market.providers, dtype=np.int64)
        return Found(Allocation.empty(), 0, "optimal", Certificate(market.digest, grid.reading, 0, price, repeat=True))
    rng = np.random.default_rng(seed)
    few = grid.supports.task.size + grid.offers.provider.size <= ROWS
    if few and grid.wide:
        at = search_prices(grid, rng, half_of(half_of(stop)), stop)
        allocation = best_heuristic(market, grid.reading, half_of(stop))
    else:
        at = search_prices(grid, rng, half_of(stop), stop)
        allocation = dive(grid, at, rng, stop)
    stop.report(welfare=(worth := welfare(market, allocation)))
    if few and at.value - worth > gap * at.value and not stop.now:
        at, allocation = pack_columns(grid, at, allocation, rng, stop)
    certificate = _certify(grid, at)
    optimal = certificate.bound == welfare(market, allocation)
    status = "optimal" if optimal else "time limit" if stop.now else "feasible"
    return Found(allocation, certificate.bound, status, certificate)


def _certify(grid: Grid, at: DualPoint) -> Certificate:
    """The bound with all slots that providers have; more than there are tasks are worth nothing."""
    market, offers = grid.market, grid.offers
    plenty = market.slots[offers.provider] > market.tasks
    if plenty.any():
        price = np.where(plenty, offers.cost, at.price)
        to_the_end = Stop(None)
        if at.repeat:
            at = evaluate(grid, price, to_the_end)
        else:
            at, *_ = respond_once(grid, price, Covers.of(grid), NEVER_RAISED, to_the_end)
    premium = np.zeros(market.providers, dtype=np.int64)
    premium[offers.provider] = np.where(plenty, 0, at.price - offers.cost)
    bound = at.value - dot(offers.slots, at.price - offers.cost) + dot(market.slots, premium)
    return Certificate(market.digest, grid.reading, bound, premium, repeat=at.repeat)
