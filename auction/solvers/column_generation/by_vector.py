"""Column generation with a price for each slot vector: for the largest markets.

A lattice of demands too large for that is made coarse: its bound stays valid, allocations come from elsewhere.
"""

from auction.allocation import Allocation
from auction.market import Market, Reading
from auction.search import Found, Stop
from auction.solvers._time import half_of, with_grace
from auction.solvers._vector_prices.descent import descend
from auction.solvers._vector_prices.dual import DualPoint, GroupedMarket, certify, evaluate_dual, group_market, report
from auction.solvers._vector_prices.master import VectorMaster
from auction.solvers._vector_prices.rounding import round_flow
from auction.solvers._vector_prices.rounds import rounds_of_prices
from auction.solvers._vector_prices.serving import serve_at_prices
from auction.solvers._warm_start import best_heuristic
from auction.solvers.column_generation.neighbourhoods import search_neighbourhoods
from auction.welfare import welfare

WARM, LATE = 60, 10  # rounds of prices to start from; the last of them give the first steps
RECENT = 60  # evaluations of the descent whose steps a large master has
NEAR = 1e-3  # between the dual and the master, relative: roundings are tried from here on
TOLERANCE = 1e-5  # the same: finer than rounding can follow


def solve(market: Market, reading: Reading, stop: Stop, gap: float) -> Found:
    """Prices by column generation, then rounding; bound and allocation are those of the last prices.

    The bound is sum_i max(0, b_i - f(C_i; p)) + sum_j w_j max(0, p_v(j) - c_j), convex in the prices p (V,): see
    ``auction.certificate``. Each round the master LP proposes prices; the dual there and halfway to the best prices
    so far (Wentges 1997: the master's own prices jump) gives new steps of covers and perhaps better prices. Where the
    master is too large for that, the dual is descended without it, and one interior solution is rounded and improved.

    Args:
        market: any number of tasks and providers.
        reading: ``bundle`` or ``whole``.
        stop: deadline and interrupt.
        gap: stop as soon as (bound - welfare) / bound is at most this.
    """
    grid = group_market(market, reading)
    master = VectorMaster(grid, stop)
    allocation = Allocation.empty() if grid.exact else best_heuristic(market, reading, half_of(stop))
    best = None
    for number, at in enumerate(rounds_of_prices(grid, WARM, half_of(stop))):
        best = at if best is None or at.value < best.value else best
        if number >= WARM - LATE:
            master.add(at)
    assert best is not None
    if stop.remaining() is not None:  # something to return, whatever follows
        allocation = max(allocation, serve_at_prices(grid, best, stop), key=lambda one: welfare(market, one))
    if master.interior:
        for at in (tried := descend(grid, best, stop))[-RECENT:]:
            if stop.now:
                break
            master.add(at)
        best = min(tried, key=lambda one: one.value)
    master.add(best)
    if not grid.exact:
        allocation = max(allocation, serve_at_prices(grid, best, stop), key=lambda one: welfare(market, one))
    achieved = welfare(market, allocation)
    stop.report(welfare=achieved)
    while best.value - achieved > gap * best.value:
        master.centre(best)
        solution = None if stop.now else master.solve()
        if solution is None:
            allocation = max(allocation, serve_at_prices(grid, best, stop), key=lambda one: welfare(market, one))
            return _report(grid, best, allocation, "time limit")
        value, price = solution
        if master.interior:
            candidate = _allocate(grid, master, best, stop)
            allocation = max(allocation, candidate, key=lambda one: welfare(market, one))
            allocation = search_neighbourhoods(grid, best, allocation, stop)
            break
        proposed, halfway = evaluate_dual(grid, price), evaluate_dual(grid, (best.price + price) // 2)
        new = master.add(proposed) + master.add(halfway)
        best = min(best, proposed, halfway, key=lambda one: one.value)
        report(best, stop)
        done = not new or best.value - value <= TOLERANCE * best.value
        if done or (grid.exact and best.value - value <= max(gap / 2, NEAR) * best.value):
            candidate = _allocate(grid, master, best, stop)
            if (worth := welfare(market, candidate)) > achieved:
                allocation, achieved = candidate, worth
                stop.report(welfare=achieved)
        if done:
            break
    return _report(grid, best, allocation, "feasible")


def _allocate(grid: GroupedMarket, master: VectorMaster, best: DualPoint, stop: Stop) -> Allocation:
    """Near the master's flow or, on a coarse lattice, at the prices."""
    if grid.exact:
        return round_flow(grid, master.flow(), best, with_grace(stop))
    return serve_at_prices(grid, best, stop)


def _report(grid: GroupedMarket, best: DualPoint, allocation: Allocation, status: str) -> Found:
    certificate = certify(grid, best)
    if certificate.bound == welfare(grid.market, allocation):
        status = "optimal"
    return Found(allocation, certificate.bound, status + grid.remark, certificate)
