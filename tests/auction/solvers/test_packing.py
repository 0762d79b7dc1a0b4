"""HiGHS over a pool of columns and the project's own branching find the same worth."""

import ctypes

import highspy
import numpy as np
from scipy import sparse

from auction import solve
from auction.search import Stop
from auction.solvers.column_generation import by_provider, primal
from auction.solvers.column_generation.branching import branch_and_bound
from auction.solvers.column_generation.columns import Pool, price_columns
from auction.solvers.column_generation.packing import pack
from auction.solvers.column_generation.primal import improve_by_packing, improve_from_pool
from auction.solvers.column_generation.tabled import TabledCovers


def drawn(rng):
    """Up to 30 different columns over 6 tasks and 8 providers with one slot or two."""
    tasks, providers = 6, 8
    draws = (sorted(rng.choice(providers, 3, replace=False))[: rng.integers(1, 4)] for _ in range(30))
    columns = sorted({(int(rng.integers(tasks)), *used) for used in draws})
    A = sparse.lil_array((tasks + providers, len(columns)), dtype=np.int64)
    for c, (task, *used) in enumerate(columns):
        A[task, c] = 1
        for j in used:
            A[tasks + j, c] = 1
    limit = np.concatenate((np.ones(tasks, dtype=np.int64), rng.integers(1, 3, providers)))
    A = sparse.csc_array(A)
    A.sort_indices()
    profit = rng.integers(1, 40, len(columns)) * int(rng.choice([1, 7, 10**9]))
    return Pool(A, profit, limit, tasks, tasks + providers)


def test_both_engines_agree_on_two_hundred_pools():
    rng = np.random.default_rng(0)
    for _ in range(200):
        pool = drawn(rng)
        nothing = pool.only(np.arange(0))
        bound, slack = price_columns(pool, np.zeros(pool.limit.size - pool.tasks, dtype=np.int64))
        branched, upper, _ = branch_and_bound(pool, slack, bound, 0, nothing, 0.0, Stop(None))
        packed = pack(pool, nothing, 0.0, Stop(None))
        assert packed.fits() and packed.profit.sum() == branched.profit.sum() == upper
        assert pack(pool, packed, 0.0, Stop(None)) is packed


def test_neighbourhoods_that_hold_all_tasks_are_packed_at_best_and_smaller_ones_lose_nothing(monkeypatch):
    rng = np.random.default_rng(2)
    for _ in range(30):
        pool = drawn(rng)
        nothing, most = pool.only(np.arange(0)), int(pool.profit.sum())
        best = pack(pool, nothing, 0.0, Stop(None))
        whole = improve_by_packing(pool, nothing, most, Stop(None))
        assert whole.fits() and whole.profit.sum() >= best.profit.sum() * (1 - 2 * primal.CLOSE)
        monkeypatch.setattr(primal, "FIRST", 2)
        grown = improve_by_packing(pool, nothing, most, Stop(None))
        assert grown.fits() and grown.profit.sum() >= best.profit.sum() * (1 - 2 * primal.CLOSE)
        monkeypatch.setattr(primal, "LAST", 1)
        assert improve_by_packing(pool, best, most, Stop(None)).profit.sum() == best.profit.sum()
        assert improve_by_packing(pool, nothing, 0, Stop(None)) is nothing
        monkeypatch.undo()


def test_columns_that_gain_nothing_are_worth_nothing():
    pool = drawn(np.random.default_rng(1))
    idle, nothing = Pool(pool.A, pool.profit * 0, pool.limit, pool.tasks, pool.base), pool.only(np.arange(0))
    assert pack(idle, nothing, 0.0, Stop(None)) is nothing


def test_profits_beyond_doubles_are_packed_too():
    rng = np.random.default_rng(1)
    for scale in (1, 2**38, 2**52):
        pool = drawn(rng)
        vast = Pool(pool.A, pool.profit * scale + np.arange(pool.profit.size), pool.limit, pool.tasks, pool.base)
        nothing = vast.only(np.arange(0))
        bound, slack = price_columns(vast, np.zeros(vast.limit.size - vast.tasks, dtype=np.int64))
        _, upper, _ = branch_and_bound(vast, slack, bound, 0, nothing, 0.0, Stop(None))
        packed = pack(vast, nothing, 0.0, Stop(None))
        assert packed.fits() and upper * (1 - 1e-9) <= packed.profit.sum() <= upper


def test_what_highs_prints_is_not_seen(capfd, monkeypatch):
    run, libc = highspy.Highs.run, ctypes.CDLL(None)

    def chatty(highs):
        libc.puts(b"HighsMipSolverData: noise")
        return run(highs)

    monkeypatch.setattr(highspy.Highs, "run", chatty)
    pool = drawn(np.random.default_rng(2))
    packed = pack(pool, pool.only(np.arange(0)), 0.0, Stop(None))
    libc.fflush(None)
    assert packed.profit.size and capfd.readouterr().out == ""


def test_trees_of_many_tasks_begin_with_neighbourhoods(generate, monkeypatch):
    """Whose best allocation fits, cuts or none, and is found by them: the tree of one node before left it."""
    markets = [generate("uniform", 20, 40, 3, seed) for seed in range(4)]
    right = [solve(market, "column_generation").welfare for market in markets]
    given, gained = [], 0

    def listened(pool, best, enough, stop):
        given.append((pool, best))
        return improve_by_packing(pool, best, enough, stop)

    small = {"LARGE": 0, "FAR": 0.0, "SEARCHED": 1, "CHOSEN": 1000, "SMALL": 10**9, "improve_by_packing": listened}
    for name, value in small.items():
        monkeypatch.setattr(by_provider, name, value)
    monkeypatch.setattr(primal, "LAST", 3)
    for market, welfare in zip(markets, right, strict=True):
        outcome = solve(market, "column_generation")
        assert outcome.proven_optimal and outcome.welfare == welfare
    for pool, best in given:
        assert best.fits() and pool.limit.size == best.limit.size == best.base
        gained += int(improve_by_packing(pool, best, 2**62, Stop(None)).profit.sum() > best.profit.sum())
    assert len(given) >= 2 and gained


def test_where_columns_are_too_many_the_nearest_are_built_from(generate, monkeypatch):
    """Of those near the prices, fewer of less slack may be listed: more is built from than a heuristic found."""
    built = []
    within = TabledCovers.within
    monkeypatch.setattr(by_provider, "SMALL", 10**9)
    monkeypatch.setattr(by_provider, "NEAR", 0.5)
    monkeypatch.setattr(
        TabledCovers,
        "within",
        lambda self, price, spread, *rest: None if spread > 10**8 else within(self, price, spread, *rest),
    )
    monkeypatch.setattr(
        by_provider, "improve_from_pool", lambda *given: built.append(given) or improve_from_pool(*given)
    )
    market = generate("uniform", 20, 40, 3, 0)
    outcome = solve(market, "column_generation", time_limit=60)
    assert len(built) == 1 and built[0][0].profit.size
    assert outcome.welfare == solve(market, "ilp_cpsat").welfare
