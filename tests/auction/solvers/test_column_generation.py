"""Column generation: agrees with exact solvers, bounds at any time limit, certificates that re-derive."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auction import instances, solvers
from auction.allocation import check
from auction.certificate import derived_bound
from auction.market import READINGS, Market
from auction.search import Stop
from auction.solvers import column_generation
from auction.solvers._time import NEVER_RAISED
from auction.solvers.column_generation import by_provider
from auction.solvers.column_generation.columns import reduce_market
from auction.solvers.column_generation.enumeration import covers_within
from auction.solvers.column_generation.pricing import NEVER, cheapest_covers, cover_prices, lattice_points
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
    assert re.fullmatch(r"enumeration: [\d,]+ columns; \d+ subset-row cuts; [\d,]+ nodes", found.proof)


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


def test_a_table_beyond_memory_is_refused(generate, refusal):
    market = generate("uniform", 3, 4, 3, 0)
    huge = replace(market, demand=market.demand * 10_000, value=market.value + 10**12, alpha=10**13)
    assert "tables of" in refusal(run, huge)
    assert not by_provider.fits(huge, "bundle") and by_provider.fits(huge, "whole")


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
