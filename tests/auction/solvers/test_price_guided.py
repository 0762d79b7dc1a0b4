"""The price-guided auction: feasible, its bounds proven, better than the greedy, the same every time."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auction import solvers
from auction.allocation import check
from auction.certificate import derived_bound
from auction.market import READINGS, Market
from auction.search import Stop
from auction.solvers import _minimal_covers, price_guided
from auction.welfare import welfare


@pytest.mark.parametrize("changed", [{}, {"SMALL": 0}, {"PAIRS": -1}], ids=["tables", "lists", "vectors"])
@pytest.mark.parametrize("reading", READINGS)
def test_bounds_are_proven_and_above_the_optimum(reading, changed):
    """By provider, covers from a table or a list, and by vector."""

    @given(market=st.from_type(Market))
    def holds(market):
        found = price_guided.solve(market, reading, Stop(None), 0, rounds=30)
        assert not check(market, found.allocation, reading)
        optimum = solvers.solve(market, "brute_force", reading=reading).welfare
        assert welfare(market, found.allocation) <= optimum <= found.bound
        proof = found.certificate
        assert derived_bound(market, reading, proof.price, proof.vector) == found.bound == proof.bound

    with pytest.MonkeyPatch.context() as patch:
        for name, value in changed.items():
            patch.setattr(price_guided, name, value)
        holds()


def test_covers_of_vast_demands_are_exact_where_they_are_few(generate, monkeypatch):
    """All amounts a thousand times as large: what is found out of lists is what tables found."""
    market = generate("uniform", 8, 12, 2, 0)
    vast = replace(
        market, demand=market.demand * 1000, resource=market.resource * 1000, unit_work=market.unit_work / 1000
    )
    listed = price_guided.solve(vast, "bundle", Stop(None), 0)
    tables = price_guided.solve(market, "bundle", Stop(None), 0)
    assert vast.net_bid.tolist() == market.net_bid.tolist() and not check(vast, listed.allocation, "bundle")
    assert listed.bound == tables.bound
    assert welfare(vast, listed.allocation) == welfare(market, tables.allocation)
    monkeypatch.setattr(_minimal_covers, "COVERS", 0)
    searched = price_guided.solve(vast, "bundle", Stop(None), 0)
    price = searched.certificate.price
    assert searched.bound == derived_bound(vast, "bundle", price, None) >= welfare(market, tables.allocation)


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("pairs", [price_guided.PAIRS, -1])
def test_a_pair_that_nobody_else_wants_trades(pairs, reading, monkeypatch):
    """A bid of 8 tokens, a cost of 1: no price moves, and the first allocation is the best."""
    monkeypatch.setattr(price_guided, "PAIRS", pairs)
    market = Market(
        demand=[[1]],
        value=[9_000_000],
        unit_work=[0.0],
        alpha=2,
        beta=1,
        resource=[[1]],
        slots=[1],
        cost=[1_000_000],
        ability=[[0.5]],
    )
    outcome = solvers.solve(market, "price_guided", reading=reading)
    assert outcome.welfare == 7_000_000 and outcome.proven_optimal


@pytest.mark.parametrize("pairs", [price_guided.PAIRS, -1])
def test_without_time_there_is_an_allocation_and_a_valid_bound(generate, pairs, monkeypatch):
    monkeypatch.setattr(price_guided, "PAIRS", pairs)
    market = generate("uniform", 20, 40, 3, 0)
    outcome = solvers.solve(market, "price_guided", time_limit=1e-9)
    walked = solvers.solve(market, "bid_density", options={"backfill": True}).welfare
    assert outcome.welfare >= walked > 0 and outcome.bound >= solvers.solve(market, "price_guided").welfare


@pytest.mark.parametrize("family", ["uniform", "correlated", "classes"])
def test_it_beats_the_greedy_on_average(generate, family):
    markets = [generate(family, 20, 40, 2, seed) for seed in range(8)]
    mean = {
        solver: np.mean([solvers.solve(market, solver).welfare for market in markets])
        for solver in ("greedy", "price_guided")
    }
    assert mean["price_guided"] > mean["greedy"]


@pytest.mark.parametrize("types", [2, 4])
def test_prices_bring_the_bound_near_the_optimum(generate, types):
    """The first prices' bound is a quarter and more above it."""
    market = generate("uniform", 12, 24, types)
    bound = solvers.solve(market, "price_guided").bound
    optimum = solvers.solve(market, "column_generation", time_limit=20)
    assert optimum.proven_optimal and optimum.welfare <= bound <= 1.03 * optimum.welfare


def test_it_comes_near_in_large_markets(generate):
    outcome = solvers.solve(generate("classes", 20_000, 20_000, 3, 0, classes=20_000), "price_guided")
    assert outcome.gap < 0.01


def test_more_rounds_than_time(generate):
    market = generate("uniform", 40, 80, 3, 0)
    outcome = solvers.solve(market, "price_guided", time_limit=0.3, options={"rounds": 10**6})
    assert outcome.seconds < 2 and outcome.status == "heuristic"


def test_the_same_seed_or_another_gives_the_same(generate):
    for size in (20, 1000):
        market = generate("classes", size, size, 2, 0)
        runs = [solvers.solve(market, "price_guided", seed=seed) for seed in (0, 0, 1)]
        assert len({(run.welfare, run.bound, run.allocation.provider.tobytes()) for run in runs}) == 1


@pytest.mark.parametrize("demand", [[653715, 927462, 324210, 55258], [332085733814, 0]])
def test_without_providers_nothing_trades_however_much_is_asked_for(demand):
    none = np.zeros((0, len(demand)))
    market = Market(
        demand=[demand],
        value=[10**8],
        unit_work=[1e-9] * len(demand),
        alpha=10,
        beta=0,
        resource=none.astype(int),
        slots=[],
        cost=[],
        ability=none,
    )
    outcome = solvers.solve(market, "price_guided")
    assert outcome.welfare == outcome.bound == 0
