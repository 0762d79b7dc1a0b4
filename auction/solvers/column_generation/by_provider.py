"""A row a provider: prices by column generation, then the proof that nothing beats the best allocation found."""

import math

import numpy as np

from auction.allocation import Allocation
from auction.certificate import Certificate
from auction.market import Int, Market, Reading
from auction.search import Found, Stop, trivial_bound
from auction.solvers._minimal_covers import SMALL
from auction.solvers._time import flag_of, half_of, with_grace
from auction.solvers._warm_start import best_heuristic
from auction.solvers.column_generation.branching import branch_and_bound
from auction.solvers.column_generation.cliques import add_cliques
from auction.solvers.column_generation.columns import (
    Pool,
    ReducedMarket,
    allocation_of,
    columns_of,
    join,
    minimal_columns,
    nearest,
    price_columns,
    reduce_market,
    whole_columns,
)
from auction.solvers.column_generation.cuts import add_cuts, drop_idle_cuts
from auction.solvers.column_generation.lattices import Lattice, lattices
from auction.solvers.column_generation.master import RestrictedMaster
from auction.solvers.column_generation.primal import improve_by_packing, improve_from_pool
from auction.solvers.column_generation.relaxation import solve_relaxation
from auction.solvers.column_generation.searched import SearchedCovers
from auction.solvers.column_generation.tabled import TabledCovers

Covers = TabledCovers | SearchedCovers

TABLED = 3  # types up to which covers come out of tables, where those fit memory
ROW_LIMIT = 600  # tasks and providers up to which ``auto`` takes a row a provider
COMPARED = 500_000_000  # demands with what providers serve, to see whether all columns can be listed: a second
NEARING = 3  # tolerances of covers, which are priced more exactly once bound and master are so near
SMOOTHING = 0.8  # weight of the best prices so far in the prices tried
NEAR = 0.003  # of the bound: the slack of columns that good allocations are built from
CLIQUES = 20  # violated ones, from which on they are the only cuts of a round
SEARCHED = 300  # nodes of a search for the best of the columns enumerated first
LARGE, FAR = 100, 0.002  # tasks, and the gap after that search, beyond which neighbourhoods of columns are packed
CHOSEN = 5_000  # columns of least slack, of which neighbourhoods are
SPREAD = 0.001  # of the bound: the slack of the columns enumerated first
WIDER = 1.5  # what it grows by while the proof needs more


def fits(market: Market, reading: Reading) -> bool:
    """Whether ``auto`` takes a row a provider: of few, or where few columns are all there are, as of bids for goods."""
    if market.tasks + market.providers <= ROW_LIMIT:
        return True
    few = reading == "bundle" and market.types > TABLED and market.tasks * market.resource.size <= COMPARED
    return few and minimal_columns(reduce_market(market)) is not None


def solve(market: Market, reading: Reading, stop: Stop, gap: float) -> Found:
    """Bound, certificate and allocation; the bound is the certificate's or, where the search proved less, that.

    Where covers are few, as of few providers and demands of any size, all columns are listed, and as under ``whole``
    the search is over those. Of few types tables of cover prices price the others, of many a search for each task.
    """
    reduced = reduce_market(market)
    parts = lattices(reduced) if reading == "bundle" and market.types <= TABLED else None
    if not reduced.task.size or not reduced.provider.size or parts == []:
        nothing = Certificate(market.digest, reading, 0, np.zeros(market.providers, dtype=np.int64))
        return Found(Allocation.empty(), 0, "optimal", nothing)
    pool = _every_column(market, reading, reduced, parts)
    proof: str | None
    best = columns_of(reduced, best_heuristic(market, reading, half_of(stop)))
    with flag_of(stop) as flag:
        if pool is not None:
            bound, price = _relaxation_of(pool, reduced, stop)
            stop.report(welfare=int(best.profit.sum()), bound=bound)
            best, upper, proof = _prove(pool, price, 0, best, gap, stop, flag)
        else:
            covers_at = SearchedCovers(reduced) if parts is None else TabledCovers(reduced, parts)
            root = _root(reduced, covers_at, best, stop, flag)
            if root is None:
                return Found(allocation_of(reduced, best), trivial_bound(market), "time limit")
            bound, price, pool = root
            if parts is None:
                best = improve_from_pool(pool, price, best, stop)
                stop.report(welfare=int(best.profit.sum()), bound=bound)
            best, upper, proof = _enumerate(covers_at, bound, price, best, gap, stop, flag)
    premium = np.zeros(market.providers, dtype=np.int64)
    premium[reduced.provider] = price
    certificate = Certificate(market.digest, reading, bound, premium)
    upper = min(upper, bound)
    status = "optimal" if upper == int(best.profit.sum()) else "time limit" if stop.now else "feasible"
    return Found(allocation_of(reduced, best), upper, status, certificate, proof if upper < bound else None)


def _every_column(market: Market, reading: Reading, reduced: ReducedMarket, parts: list[Lattice] | None) -> Pool | None:
    """All columns there are; None where tables price their covers sooner, or they are too many."""
    if reading == "whole":
        return whole_columns(market, reduced)
    if parts is not None and sum(part.entries for part in parts) <= SMALL:
        return None
    return minimal_columns(reduced)


def _enumerate(
    covers_at: Covers,
    bound: int,
    price: Int,
    best: Pool,
    gap: float,
    stop: Stop,
    flag: Int,
) -> tuple[Pool, int, str | None]:
    """Search the columns of little slack, and more of them, until what needs any other is worth less than the best."""
    upper, proof, spread = bound, None, bound * SPREAD
    if upper - int(best.profit.sum()) > gap * upper and not stop.now:
        near = covers_at.within(price, int(NEAR * bound) + 1, stop, flag)
        nearer = covers_at.within(price, int(spread) + 1, stop, flag) if isinstance(covers_at, TabledCovers) else None
        if (built := nearer if near is None else near) is not None:
            best = improve_from_pool(built, price, best, stop)
            stop.report(welfare=int(best.profit.sum()), bound=bound)
        if nearer is not None:
            best, *_ = _prove(nearer, price, 0, best, gap, stop, flag, SEARCHED, tell=False)
            stop.report(welfare=int(best.profit.sum()), bound=bound)
            if best.tasks > LARGE and bound - int(best.profit.sum()) > max(gap, FAR) * bound:
                best = best.without_cuts()
                chosen = join(nearest(nearer, price, CHOSEN), best)
                best = improve_by_packing(chosen, best, bound, half_of(half_of(stop)))
                stop.report(welfare=int(best.profit.sum()), bound=bound)
    while upper - (worth := int(best.profit.sum())) > gap * upper and not stop.now:
        outside = max(worth, bound - max(1, int(spread)))
        if (pool := covers_at.within(price, bound - outside, stop, flag)) is None:
            break
        best, within, proof = _prove(pool, price, outside, best, gap, stop, flag)
        upper = min(upper, within)
        stop.report(welfare=int(best.profit.sum()), bound=upper)
        if outside == worth:
            break
        spread *= WIDER
    return best, upper, proof


def _prove(
    pool: Pool,
    price: Int,
    outside: int,
    best: Pool,
    gap: float,
    stop: Stop,
    flag: Int,
    limit: float = math.inf,
    tell: bool = True,
) -> tuple[Pool, int, str]:
    """Cut, then branch.

    Returns:
        the best of the pool or ``best``, what nothing at all is worth more than, and the proof.

    Args:
        price: (n,) premiums whose bound over the pool is the start.
        outside: what allocations that need columns outside the pool are worth at most.
        limit, tell: as of ``branch_and_bound``.
    """
    size = pool.profit.size
    bound, slack = price_columns(pool, price)
    while bound > max(outside, int(best.profit.sum())):
        if (solution := solve_relaxation(pool, slack, stop)) is None:
            break
        trial = solution.price
        previous, idle = bound, pool.limit.size == pool.base
        bound, slack = price_columns(pool, trial)
        cut = drop_idle_cuts(pool, trial)
        kept = cut.limit.size
        cut = add_cliques(cut, solution.used, solution.x) if cut.is_single_minded else cut
        cut = add_cuts(cut, solution.used, solution.x, flag) if cut.limit.size < kept + CLIQUES else cut
        if cut.limit.size == pool.base or (not idle and previous - bound < 1e-5 * bound):
            break
        pool = cut
    best, upper, nodes = branch_and_bound(pool, slack, bound, outside, best, gap, stop, limit, tell=tell)
    return best, upper, f"enumeration: {size:,} columns; {pool.limit.size - pool.base} cuts; {nodes:,} nodes"


def _relaxation_of(pool: Pool, reduced: ReducedMarket, stop: Stop) -> tuple[int, Int]:
    """Bound and prices from a pool that holds every column."""
    trials = [np.zeros(reduced.provider.size, dtype=np.int64)]
    _, slack = price_columns(pool, trials[0])
    if (solution := solve_relaxation(pool, slack, stop)) is not None:
        trials.append(solution.price)
    return min(((price_columns(pool, price)[0], price) for price in trials), key=lambda tried: tried[0])


def _root(
    reduced: ReducedMarket, covers_at: Covers, start: Pool, stop: Stop, flag: Int
) -> tuple[int, Int, Pool] | None:
    """Column generation with smoothed prices (Wentges): bound and the prices pi (n,) that prove it.

    Covers are priced roughly until that brings nothing. Whatever prices are tried, what covers cost at least gives the
    bound sum_i max(0, b_i - f(C_i; c + pi)) + w pi, so that stopping at any time leaves a valid one. None where not
    even the first prices were evaluated in time.

    Returns:
        the bound, the prices, and all columns of the master.
    """
    t, highest = reduced.task.size, reduced.bid.max()
    price = np.zeros(reduced.provider.size, dtype=np.int64)
    if (first := covers_at.evaluate(price, flag)) is None:
        return None
    bound, covers = first
    stop.report(bound=bound)
    unit = max(1, int(highest) // 1000)
    master = RestrictedMaster(reduced.limit, unit, stop)
    master.add_columns(start.A, start.profit)
    master.add_columns(covers.A, covers.profit)
    pool = join(start, covers)
    while not stop.now and (solution := master.solve()) is not None:
        value, dual, _ = solution
        if bound - value <= 1e-9 * value:
            break
        if bound - value < NEARING * covers_at.tolerance * value:
            covers_at.sharpen()
        weight = SMOOTHING
        while True:
            trial = np.rint(weight * price + (1 - weight) * np.minimum(dual[t:], highest)).astype(np.int64)
            if (tried := covers_at.evaluate(trial, flag)) is None:
                return _settled(covers_at, bound, price, stop), price, pool
            if tried[0] < bound:
                bound, price = tried[0], trial
                stop.report(bound=bound)
            covers = tried[1]
            entering = np.flatnonzero(covers.profit - covers.A.T @ dual > 1e-6 * unit)
            if entering.size or (weight == 0 and not covers_at.sharpen()):
                break
            weight = max(0.0, 2 * weight - 1)  # mispriced: twice as far towards the master's own prices
        if not entering.size:
            break
        new = covers.only(entering)
        master.add_columns(new.A, new.profit)
        pool = join(pool, new)
    return _settled(covers_at, bound, price, stop), price, pool


def _settled(covers_at: Covers, bound: int, price: Int, stop: Stop) -> int:
    """The bound that the prices prove, exactly where a moment is enough."""
    rough = covers_at.tolerance > 0
    while covers_at.sharpen():
        pass
    with flag_of(with_grace(stop)) as flag:
        exact = covers_at.evaluate(price, flag) if rough else None
    return bound if exact is None else min(bound, exact[0])
