"""A row a provider: prices by column generation, then the proof that nothing beats the best allocation found."""

import numpy as np

from auction.allocation import Allocation
from auction.certificate import Certificate
from auction.errors import InputError
from auction.market import Int, Market, Reading
from auction.search import Found, Stop
from auction.solvers._warm_start import best_heuristic
from auction.solvers.column_generation.branching import branch_and_bound
from auction.solvers.column_generation.columns import (
    Pool,
    ReducedMarket,
    allocation_of,
    build_pool,
    columns_of,
    price_columns,
    reduce_market,
    whole_columns,
)
from auction.solvers.column_generation.cuts import add_cuts, drop_idle_cuts, solve_relaxation
from auction.solvers.column_generation.enumeration import columns_within
from auction.solvers.column_generation.master import RestrictedMaster
from auction.solvers.column_generation.pricing import NEVER, cheapest_covers, cover_prices, lattice_points
from auction.solvers.column_generation.primal import improve_from_pool

ROW_LIMIT = 600  # tasks and providers up to which ``auto`` takes a row a provider
TABLE_LIMIT = 500_000_000  # entries of the table of cover prices: 4 GB
SMOOTHING = 0.8  # weight of the best prices so far in the prices tried
NEAR = 0.003  # of the bound: the slack of columns that good allocations are built from
SPREAD = 0.001  # of the bound: the slack of the columns enumerated first
WIDER = 1.5  # what it grows by while the proof needs more


def fits(market: Market, reading: Reading) -> bool:
    """Whether ``auto`` takes a row a provider."""
    small = market.tasks + market.providers <= ROW_LIMIT
    return small and (reading == "whole" or _table_size(reduce_market(market)) <= TABLE_LIMIT)


def _table_size(reduced: ReducedMarket) -> float:
    return float(np.prod(reduced.top + 1.0)) * (reduced.provider.size + 1)


def solve(market: Market, reading: Reading, stop: Stop, gap: float) -> Found:
    """Bound, certificate and allocation; the bound is the certificate's or, where the search proved less, that.

    Raises:
        InputError: the table of cover prices is beyond memory.
    """
    reduced = reduce_market(market)
    if reading == "bundle" and (size := _table_size(reduced)) > TABLE_LIMIT:
        raise InputError(
            f"market: covers of its demands by its providers need a table of {size:.3g} entries; "
            f"at most {TABLE_LIMIT} fit memory"
        )
    if not reduced.task.size or not reduced.provider.size:
        nothing = Certificate(market.digest, reading, 0, np.zeros(market.providers, dtype=np.int64))
        return Found(Allocation.empty(), 0, "optimal", nothing)
    best = columns_of(reduced, best_heuristic(market, reading, stop))
    if reading == "whole":
        pool = whole_columns(market, reduced)
        bound, price = _relaxation_of(pool, reduced, stop)
    else:
        bound, price = _root(reduced, best, stop)
    premium = np.zeros(market.providers, dtype=np.int64)
    premium[reduced.provider] = price
    certificate = Certificate(market.digest, reading, bound, premium)
    proof: str | None
    if reading == "whole":
        best, upper, proof = _prove(pool, price, 0, best, gap, stop)
    else:
        best, upper, proof = _enumerate(reduced, bound, price, best, gap, stop)
    upper = min(upper, bound)
    worth = int(best.profit.sum())
    status = "optimal" if upper == worth else "time limit" if stop.now else "feasible"
    return Found(allocation_of(reduced, best), upper, status, certificate, proof if upper < bound else None)


def _enumerate(
    reduced: ReducedMarket, bound: int, price: Int, best: Pool, gap: float, stop: Stop
) -> tuple[Pool, int, str | None]:
    """Search the columns of little slack, and more of them, until what needs any other is worth less than the best."""
    upper, proof, spread = bound, None, bound * SPREAD
    if upper * (1 - gap) > int(best.profit.sum()) and not stop.now:
        near = columns_within(reduced, price, int(NEAR * bound) + 1, stop)
        best = best if near is None else improve_from_pool(near, price, best, stop)
    while upper * (1 - gap) > (worth := int(best.profit.sum())) and not stop.now:
        outside = max(worth, bound - int(spread))
        if (pool := columns_within(reduced, price, bound - outside, stop)) is None:
            break
        best, within, proof = _prove(pool, price, outside, best, gap, stop)
        upper = min(upper, within)
        if outside == worth:
            break
        spread *= WIDER
    return best, upper, proof


def _prove(pool: Pool, price: Int, outside: int, best: Pool, gap: float, stop: Stop) -> tuple[Pool, int, str]:
    """Cut, then branch: the best of the pool or ``best``, what nothing at all is worth more than, and the proof.

    Args:
        price: (n,) premiums whose bound over the pool is the start.
        outside: what allocations that need columns outside the pool are worth at most.
    """
    size = pool.profit.size
    bound, slack = price_columns(pool, price)
    while (
        bound > max(outside, int(best.profit.sum())) and (solution := solve_relaxation(pool, slack, stop)) is not None
    ):
        trial, used, x = solution
        previous, idle = bound, pool.limit.size == pool.base
        bound, slack = price_columns(pool, trial)
        cut = add_cuts(drop_idle_cuts(pool, trial), used, x)
        if cut.limit.size == pool.base or (not idle and previous - bound < 1e-5 * bound):
            break
        pool = cut
    best, upper, nodes = branch_and_bound(pool, slack, bound, outside, best, gap, stop)
    cuts = pool.limit.size - pool.base
    return best, upper, f"enumeration: {size:,} columns; {cuts} subset-row cuts; {nodes:,} nodes"


def _relaxation_of(pool: Pool, reduced: ReducedMarket, stop: Stop) -> tuple[int, Int]:
    """Bound and prices from a pool that holds every column."""
    trials = [np.zeros(reduced.provider.size, dtype=np.int64)]
    _, slack = price_columns(pool, trials[0])
    if (solution := solve_relaxation(pool, slack, stop)) is not None:
        trials.append(solution[0])
    return min(((price_columns(pool, price)[0], price) for price in trials), key=lambda tried: tried[0])


def _root(reduced: ReducedMarket, start: Pool, stop: Stop) -> tuple[int, Int]:
    """Column generation with smoothed prices (Wentges): bound and the prices pi (n,) that prove it.

    Whatever prices are tried, their cheapest covers give the bound sum_i max(0, b_i - f(C_i; c + pi)) + w pi, so that
    stopping at any time leaves a valid one.
    """
    t, at = reduced.task.size, lattice_points(reduced.top, reduced.demand)
    price = np.zeros(reduced.provider.size, dtype=np.int64)
    bound, covers = _try_prices(reduced, at, price)
    unit = max(1, int(reduced.bid.max()) // 1000)
    master = RestrictedMaster(reduced.limit, unit, stop)
    master.add_columns(start)
    master.add_columns(covers)
    while not stop.now and (solution := master.solve()) is not None:
        value, dual, _ = solution
        if bound - value <= 1e-9 * value:
            break
        weight = SMOOTHING
        while True:
            trial = np.rint(weight * price + (1 - weight) * np.minimum(dual[t:], reduced.bid.max())).astype(np.int64)
            tried, covers = _try_prices(reduced, at, trial)
            if tried < bound:
                bound, price = tried, trial
            entering = np.flatnonzero(covers.profit - covers.A.T @ dual > 1e-6 * unit)
            if entering.size or weight == 0:
                break
            weight = max(0.0, 2 * weight - 1)  # mispriced: twice as far towards the master's own prices
        if not entering.size:
            break
        master.add_columns(covers.only(entering))
    return bound, price


def _try_prices(reduced: ReducedMarket, at: Int, price: Int) -> tuple[int, Pool]:
    """The bound that prices prove and each task's cheapest cover at them."""
    table = cover_prices(reduced.top, reduced.slot, np.minimum(reduced.cost + price, NEVER - 1))
    bound = int(np.maximum(reduced.bid - table[0, at], 0).sum()) + int(reduced.limit[reduced.task.size :] @ price)
    ends, provider = cheapest_covers(reduced.top, reduced.slot, table, reduced.demand)
    covered = np.flatnonzero(np.diff(ends, prepend=0))
    return bound, build_pool(reduced, covered, ends[covered], provider)
