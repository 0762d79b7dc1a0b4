"""Column generation: agrees with exact solvers, bounds at any time limit, certificates that re-derive."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from auction import instances, solvers
from auction.allocation import Allocation, check
from auction.certificate import derived_bound
from auction.market import READINGS, Market
from auction.search import Stop
from auction.solvers import _minimal_covers, column_generation
from auction.solvers._exact import dot
from auction.solvers._time import NEVER_RAISED
from auction.solvers._vector_prices import dual
from auction.solvers.column_generation import branching, by_provider
from auction.solvers.column_generation import lattices as lattice_limits
from auction.solvers.column_generation.branching import branch_and_bound
from auction.solvers.column_generation.columns import (
    Pool,
    columns_of,
    minimal_columns,
    price_columns,
    reduce_market,
)
from auction.solvers.column_generation.enumeration import covers_within
from auction.solvers.column_generation.lattices import lattices
from auction.solvers.column_generation.pricing import NEVER, cheapest_covers, cover_prices, lattice_points
from auction.solvers.column_generation.searched import SearchedCovers
from auction.solvers.column_generation.tabled import TabledCovers
from auction.welfare import welfare


def run(market, reading="bundle", limit=None, **options):
    """Solved with a row a provider; what must hold of any result is checked."""
    found = column_generation.solve(market, reading, Stop(limit), 0, **{"rows": "providers"} | options)
    worth = welfare(market, found.allocation)
    assert found.bound is not None and found.certificate is not None
    assert not check(market, found.allocation, reading)
    assert worth <= found.bound <= found.certificate.bound
    assert found.certificate.bound == derived_bound(market, reading, found.certificate.price, None)
    assert (found.proof is None) == (found.bound == found.certificate.bound)
    assert (found.status == "optimal") == (found.bound == worth)
    return found, worth


@given(market=st.from_type(Market), reading=st.sampled_from(READINGS))
def test_agrees_with_brute_force(market, reading):
    _, worth = run(market, reading)
    found, _ = run(market, reading)
    assert found.status == "optimal"
    assert worth == solvers.solve(market, "brute_force", reading=reading).welfare


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("family", instances.names())
def test_agrees_with_cpsat_on_every_family(generate, family, reading):
    for seed in range(3):
        market = generate(family, 8, 12, 3, seed)
        market = replace(market, slots=np.minimum(market.slots, 1 + seed))
        found, worth = run(market, reading)
        assert found.status == "optimal"
        assert worth == solvers.solve(market, "ilp_cpsat", reading=reading, time_limit=60).welfare


@pytest.mark.parametrize("seed", range(3))
def test_twenty_tasks_are_proved_with_a_gap_that_prices_alone_leave(generate, seed):
    found, worth = run(generate("uniform", 20, 40, 3, seed), limit=60)
    assert found.status == "optimal"
    assert worth < found.certificate.bound
    assert re.fullmatch(r"enumeration: [\d,]+ columns; \d+ cuts; [\d,]+ nodes", found.proof)


@pytest.mark.parametrize("limit", [1e-9, 0.05, 0.2, 0.5, 1.0])
def test_cut_short_the_bound_holds(generate, limit):
    market = generate("uniform", 40, 80, 3, 1)
    found, worth = run(market, limit=limit)
    assert worth <= 680_940_591 <= found.bound  # the optimum, proved in ten seconds
    assert found.status in ("time limit", "optimal")


def test_a_gap_stops_the_search(generate):
    market = generate("uniform", 40, 80, 3, 1)
    found, worth = run(market, gap=0.01, limit=60)
    assert found.status == "feasible"
    assert 0 < (found.bound - worth) / found.bound <= 0.01


def test_same_result_twice(generate):
    market = generate("uniform", 20, 40, 3, 4)
    (one, _), (two, _) = run(market), run(market)
    assert one.bound == two.bound and one.proof == two.proof
    assert np.array_equal(one.certificate.price, two.certificate.price)
    assert np.array_equal(one.allocation.task, two.allocation.task)
    assert np.array_equal(one.allocation.provider, two.allocation.provider)


def test_covers_beyond_tables_and_lists_are_searched_for(generate, monkeypatch):
    market = generate("uniform", 3, 12, 3, 0)
    vast = {"demand": market.demand * 10_000, "resource": market.resource * 10_000}
    huge = replace(market, unit_work=market.unit_work / 10_000, **vast)
    assert lattice_limits.lattices(reduce_market(huge)) is None
    monkeypatch.setattr(_minimal_covers, "COVERS", 0)
    found, worth = run(huge)
    assert found.status == "optimal" and worth == run(market)[1]


@pytest.mark.parametrize("family", instances.names())
def test_many_types_are_proved_as_cpsat_proves_them(generate, family, monkeypatch):
    monkeypatch.setattr(_minimal_covers, "COVERS", 0)
    for seed, types in enumerate((4, 5, 6)):
        market = generate(family, 8, 12, types, seed)
        market = replace(market, slots=np.minimum(market.slots, 1 + seed))
        found, worth = run(market, limit=60)
        assert found.status == "optimal"
        assert worth == solvers.solve(market, "ilp_cpsat", time_limit=60).welfare


@given(market=st.from_type(Market))
def test_searched_covers_agree_with_brute_force(market):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(by_provider, "TABLED", 0)
        patch.setattr(_minimal_covers, "COVERS", 0)
        found, worth = run(market)
    assert found.status == "optimal"
    assert worth == solvers.solve(market, "brute_force").welfare


def test_cover_prices_and_covers(generate):
    """Every entry of the table against all subsets of the providers."""
    market = generate("uniform", 6, 7, 2, 3)
    reduced = reduce_market(market)
    table = cover_prices(reduced.top, reduced.slot, reduced.cost, NEVER_RAISED)
    subsets = np.array(list(np.ndindex(*(2,) * reduced.provider.size)))
    price, supply = subsets @ reduced.cost, subsets @ reduced.slot
    ends, provider = cheapest_covers(reduced.top, reduced.slot, table, reduced.demand)
    chosen = np.split(provider, ends[:-1])
    for i, demand in enumerate(reduced.demand):
        covering = (supply >= demand).all(axis=1)
        least = price[covering].min(initial=NEVER)
        assert table[0, lattice_points(reduced.top, reduced.demand)[i]] == least
        assert reduced.cost[chosen[i]].sum() == least or not covering.any()

        needed = [
            {int(j) for j in np.flatnonzero(row)}
            for row in subsets[covering & (price <= 2 * least)]
            if not any(
                (reduced.slot[(row > 0) & (np.arange(row.size) != j)].sum(axis=0) >= demand).all()
                for j in np.flatnonzero(row)
            )
        ]
        budget = min(2 * least, NEVER - 1)
        prices = reduced.top, reduced.slot, reduced.cost, table
        stop, member = covers_within(*prices, demand, budget, 1_000, NEVER_RAISED)
        found = [set(part.tolist()) for part in np.split(member, stop[:-1])] if stop.size else []
        assert sorted(map(sorted, found)) == sorted(map(sorted, needed))


@pytest.mark.parametrize("types", [2, 3, 5])
@pytest.mark.parametrize("spread", [1, 5 * 10**4, 2 * 10**6])
def test_columns_near_the_prices_are_all_of_them(generate, types, spread):
    """Every minimal cover of slack below the spread, at premiums drawn, by tables and by searches."""
    market = generate("uniform", 7, 8, types, 5)
    reduced = reduce_market(market)
    price = np.random.default_rng(types).integers(0, 10**6, reduced.provider.size)
    subsets = np.array(list(np.ndindex(*(2,) * reduced.provider.size)))
    paid, supply = subsets @ (reduced.cost + price), subsets @ reduced.slot
    expected = set()
    for i, demand in enumerate(reduced.demand):
        covering = (supply >= demand).all(axis=1)
        spare = supply[:, None, :] - subsets[:, :, None] * reduced.slot >= demand
        minimal = covering & ~(spare.all(axis=2) & (subsets > 0)).any(axis=1)
        budget = min(int(reduced.bid[i]), paid[covering].min(initial=NEVER)) + spread - 1
        expected |= {(i, *np.flatnonzero(row)) for row in subsets[minimal & (paid <= budget)]}
    searched = SearchedCovers(reduced)
    while searched.sharpen():
        pass
    for covers_at in (TabledCovers(reduced, lattices(reduced)), searched):
        pool = covers_at.within(price, spread, Stop(None), NEVER_RAISED)
        rows = np.split(pool.A.indices, pool.A.indptr[1:-1])
        found = [(row[0], *np.sort(row[1:] - reduced.task.size)) for row in rows]
        assert len(found) == len(set(found)) and set(found) == expected


def goods(bids, count, seed):
    """A combinatorial auction (CATS, decay): goods are types, one provider a good, a bid names its goods."""
    rng, demand, value = np.random.default_rng(seed), np.zeros((bids, count), dtype=np.int64), []
    for row in demand:
        size = min(count, rng.geometric(0.25))
        row[rng.choice(count, size, replace=False)] = 1
        value.append(10**6 + round(size * rng.uniform(0, 1) * 10**7))
    return Market(
        demand=demand,
        value=value,
        unit_work=np.zeros(count),
        alpha=2,
        beta=1,
        resource=np.eye(count, dtype=np.int64),
        slots=np.ones(count, dtype=np.int64),
        cost=np.zeros(count, dtype=np.int64),
        ability=np.full((count, count), 0.5),
    )


def test_many_bids_for_many_goods_are_proved_where_each_has_one_cover():
    """More tasks and providers than a row each is taken for otherwise, and more types than an array has axes."""
    market = instances.generate("bundles", 700, 100, 100, 3, {"recipe": "paths"})
    assert market.tasks + market.providers > by_provider.ROW_LIMIT and market.types > 64
    assert by_provider.fits(market, "bundle") and not by_provider.fits(market, "whole")
    found = column_generation.solve(market, "bundle", Stop(60.0), 0)
    assert found.status == "optimal" and found.bound == welfare(market, found.allocation)


def test_types_that_nobody_asks_for_are_no_axes():
    """An array of numpy has no more than 64."""
    market = instances.generate("uniform", 12, 24, 2, 0)

    def padded(array):
        return np.pad(array, (*[(0, 0)] * (array.ndim - 1), (0, 70)))

    wide = {name: padded(getattr(market, name)) for name in ("demand", "resource", "unit_work", "ability")}
    found = column_generation.solve(replace(market, **wide), "bundle", Stop(60.0), 0, rows="vectors")
    assert found.bound == column_generation.solve(market, "bundle", Stop(60.0), 0, rows="vectors").bound


def test_of_many_types_a_remark_tells_how_many_are_left_out():
    market = instances.generate("bundles", 40, 30, 30, 3, {"recipe": "paths"})
    grid = dual.group_market(market, "bundle")
    left_out = int((grid.unit == 0).sum())
    assert (
        left_out
        and grid.remark == f"; of {market.types} types {left_out} are left out, 0 counted in units of several requests"
    )


def test_bids_for_sets_of_forty_goods_are_proved():
    """One lattice of all demands would have 2^40 points; every cover needs all its goods."""
    market = goods(60, 40, 1)
    assert by_provider.fits(market, "bundle")
    found = column_generation.solve(market, "bundle", Stop(60.0), 0)
    worth = welfare(market, found.allocation)
    assert found.status == "optimal"
    assert worth == solvers.solve(market, "ilp_cpsat", time_limit=60).welfare
    assert worth < int(market.net_bid.sum()) // 4


@pytest.mark.parametrize("scale", [1, 10**12])
def test_a_price_per_demand_agrees_with_brute_force(generate, monkeypatch, scale):
    """Lattices of a demand each, with and without providers that all its covers need; vast demands by listing."""
    monkeypatch.setattr(lattice_limits, "SMALL", 0)
    for seed in range(12):
        market = generate("uniform", 4, 6, 3, seed)
        market = replace(market, demand=market.demand * scale, resource=market.resource * scale, unit_work=np.zeros(3))
        market = replace(market, slots=np.minimum(market.slots, 2))
        found, worth = run(market)
        assert found.status == "optimal" and worth == solvers.solve(market, "brute_force").welfare


def test_needed_providers_are_in_every_cover(generate):
    market = generate("uniform", 6, 7, 3, 2)
    reduced = reduce_market(market)
    subsets = np.array(list(np.ndindex(*(2,) * reduced.provider.size)))
    for i, demand in enumerate(reduced.demand):
        part = lattice_limits._lattice(reduced, demand, np.arange(reduced.task.size) == i)
        covering = subsets[(subsets @ reduced.slot >= demand).all(axis=1)]
        assert (part is None) == (not covering.size)
        if part is not None:
            assert np.array_equal(part.needed, np.flatnonzero(covering.all(axis=0)))


def test_all_minimal_covers_are_listed(generate):
    market = generate("uniform", 6, 8, 2, 5)
    reduced = reduce_market(market)
    pool = minimal_columns(reduced)
    listed = {
        (int(i), tuple(sorted(rows[1:] - pool.tasks)))
        for i, rows in zip(pool.task, np.split(pool.A.indices, pool.A.indptr[1:-1]), strict=True)
    }
    subsets = np.array(list(np.ndindex(*(2,) * reduced.provider.size)))
    for i, demand in enumerate(reduced.demand):
        covers = {
            tuple(np.flatnonzero(row).tolist()) for row in subsets[(subsets @ reduced.slot >= demand).all(axis=1)]
        }
        minimal = {c for c in covers if not any(set(other) < set(c) for other in covers)}
        assert {chosen for task, chosen in listed if task == i} == minimal


def test_too_many_covers_are_not_listed(generate, monkeypatch):
    monkeypatch.setattr(_minimal_covers, "COVERS", 3)
    assert minimal_columns(reduce_market(generate("uniform", 6, 8, 2, 5))) is None
    monkeypatch.undo()
    monkeypatch.setattr(_minimal_covers, "STEPS", 3)
    assert minimal_columns(reduce_market(generate("uniform", 6, 8, 2, 5))) is None


def test_prices_beyond_int64_in_sum_prove_nothing_and_do_not_wrap(generate):
    market = generate("uniform", 4, 6, 2, 0)
    reduced = reduce_market(market)
    pool = minimal_columns(reduced)
    vast = np.full(reduced.provider.size, 2**61, dtype=np.int64)
    bound, slack = price_columns(pool, vast)
    none, _ = price_columns(pool, np.zeros_like(vast))
    assert bound == none and slack.min() == 0
    assert dot(np.full(6, 2**40), np.full(6, 2**40)) == 6 * 2**80


def test_nodes_close_only_where_integers_say_so():
    """Two columns of one task: whatever the relaxation says, the better is taken and the bound meets it."""
    A = sparse.csc_array(np.array([[1, 1, 0], [0, 0, 1], [1, 0, 1], [0, 1, 0]]))
    for first, second, third in ((5, 4, 3), (5, 4, 2), (2**59, 2**59 - 1, 1), (2**59, 2**59 - 1, 2)):
        pool = Pool(A, np.array([first, second, third]), np.ones(4, dtype=np.int64), 2, 4)
        bound, slack = price_columns(pool, np.zeros(2, dtype=np.int64))
        best, upper, _ = branch_and_bound(pool, slack, bound, 0, pool.only(np.arange(0)), 0.0, Stop(None))
        assert int(best.profit.sum()) == upper == max(first, second + third)


def test_the_number_of_processors_shows_in_nothing(monkeypatch):
    """The nodes that are taken, the columns that are best and the bound when the search is cut off."""
    rng, columns = np.random.default_rng(0), 600
    A = np.zeros((50, columns), dtype=np.int64)
    for c in range(columns):
        A[rng.integers(20), c] = A[20 + rng.choice(30, 3, replace=False), c] = 1
    profit = rng.integers(900, 1000, columns)
    pool = Pool(sparse.csc_array(A), profit, np.ones(50, dtype=np.int64), 20, 50)
    bound, slack = price_columns(pool, np.zeros(pool.limit.size - pool.tasks, dtype=np.int64))
    found = []
    for processors in (1, 2, 8):
        monkeypatch.setattr(branching.os, "cpu_count", lambda processors=processors: processors)
        nothing = pool.only(np.arange(0))
        best, upper, nodes = branch_and_bound(pool, slack, bound, 0, nothing, 0.0, Stop(None), 60)
        found.append((best.A.indices.tolist(), upper, nodes))
    assert found[0] == found[1] == found[2] and found[0][2] > 2 * branching.PLUNGES


def test_a_heuristic_s_task_loses_where_it_needs_a_provider_of_no_use():
    """Provider 0 costs all that anybody bids; provider 2 gives nothing that anybody wants, and task 1 pays for it."""
    market = Market(
        demand=[[4, 0], [2, 0]],
        value=[3, 3],
        unit_work=[0.0, 0.0],
        alpha=2,
        beta=1,
        resource=[[2, 0], [2, 0], [0, 1]],
        slots=[1, 2, 1],
        cost=[3, 1, 1],
        ability=[[0.5, 0.5]] * 3,
    )
    market = replace(market, value=market.value - market.net_bid + 3)
    assert market.net_bid.tolist() == [3, 3]
    reduced = reduce_market(market)
    assert reduced.provider.tolist() == [1]
    pool = columns_of(reduced, Allocation.of([0, 0, 1, 1], [0, 1, 1, 2]))
    assert pool.task.tolist() == [1] and pool.profit.tolist() == [2]
    assert not columns_of(reduced, Allocation.empty()).profit.size
