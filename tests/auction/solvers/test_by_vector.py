"""Prices by slot vector: their certificates, and allocations beside exact solvers."""

from dataclasses import replace

import highspy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auction import solvers
from auction.allocation import check
from auction.certificate import derived_bound
from auction.market import READINGS, Market
from auction.search import Stop
from auction.solvers._vector_prices import coarsening
from auction.solvers._vector_prices import dual as vector_dual
from auction.solvers.column_generation import by_vector
from auction.welfare import welfare


def solved(market, reading="bundle", gap=0.0, seconds=None):
    """What was found and its welfare, feasible and below a bound that its certificate proves."""
    found = by_vector.solve(market, reading, Stop(seconds), gap)
    worth = welfare(market, found.allocation)
    assert not check(market, found.allocation, reading)
    proof = found.certificate
    assert (proof.market_digest, proof.reading, proof.bound) == (market.digest, reading, found.bound)
    assert derived_bound(market, reading, proof.price, proof.vector, proof.unit) == found.bound >= worth
    assert found.status.startswith("optimal") == (found.bound == worth)
    return found, worth


@pytest.mark.parametrize("reading", READINGS)
@given(market=st.from_type(Market))
def test_the_bound_is_proven_and_above_the_optimum(reading, market):
    found, worth = solved(market, reading)
    assert worth <= solvers.solve(market, "brute_force", reading=reading).welfare <= found.bound


@given(market=st.from_type(Market), data=st.data())
def test_any_prices_give_the_value_of_the_dual(market, data):
    for reading in READINGS:
        grid = vector_dual.group_market(market, reading)
        count = len(grid.vectors)
        price = np.array(data.draw(st.lists(st.integers(0, 10**8), min_size=count, max_size=count)), dtype=np.int64)
        at = vector_dual.evaluate_dual(grid, price)
        exact = derived_bound(market, reading, price, grid.vectors)
        assert (
            vector_dual.derive_bound(grid, price, at.cover)
            == exact
            >= (lowered := vector_dual.derive_bound(grid, at.price, at.cover))
        )
        assert lowered == derived_bound(market, reading, at.price, grid.vectors) == pytest.approx(at.value, rel=1e-12)


@pytest.mark.parametrize("reading", READINGS)
def test_nobody_trades(generate, reading):
    market = generate("uniform", 3, 4, 2, 0)
    for nothing in (
        generate("uniform", 0, 4),
        generate("uniform", 3, 0),
        generate("uniform", 0, 0),
        replace(market, value=np.zeros_like(market.value)),
        replace(market, slots=np.zeros_like(market.slots)),
        replace(market, resource=np.zeros_like(market.resource)),
    ):
        found, worth = solved(nothing, reading)
        assert found.status == "optimal" and worth == found.bound == 0


@pytest.mark.parametrize("size", [1000, 10_000])
def test_large_markets_are_certified(generate, size):
    few = generate("classes", size, size, 3, 0)
    distinct = generate("classes", size, size, 3, 1, classes=size)
    larger = generate("classes", size, size, 3, 2, classes=size, largest=12)
    for market in (few, distinct, replace(distinct, resource=larger.resource, cost=larger.cost)):
        found, worth = solved(market)
        assert worth >= (1 - 2 / size) * found.bound


def test_whole_is_as_good_as_the_assignment(generate):
    for seed in range(3):
        market = generate("classes", 3000, 2000, 2, seed, classes=200)
        found, worth = solved(market, "whole")
        optimum = solvers.solve(market, "assignment", reading="whole").welfare
        assert 0.9995 * found.bound <= worth <= optimum <= found.bound <= 1.0001 * optimum


def test_slots_of_one_provider_go_to_different_tasks(generate):
    """Several slots a provider, then one that holds nearly all: the bound then ignores that A is binary."""
    market = generate("classes", 600, 400, 2, 0, classes=20)
    several = replace(market, slots=np.random.default_rng(0).integers(0, 5, 400))
    found, worth = solved(several)
    assert worth >= 0.99 * found.bound
    one = replace(market, slots=np.where(np.arange(400) == 7, 10**12, 1))
    assert solved(one)[1] > 0


def test_a_gap_is_enough(generate):
    market = generate("classes", 2000, 2000, 3, 0, classes=2000)
    found, worth = solved(market, gap=0.01)
    assert 0.99 * found.bound <= worth and found.bound > solved(market)[0].bound


@pytest.mark.parametrize("seconds", [1e-6, 0.05])
def test_a_deadline_keeps_what_was_found(generate, seconds):
    market = generate("classes", 2000, 2000, 3, 0, classes=2000)
    found, worth = solved(market, seconds=seconds)
    assert found.status == "time limit" and worth > 0


def test_the_same_market_gives_the_same(generate):
    market = generate("classes", 1000, 1000, 3, 0, classes=1000)
    first, second = solved(market)[0], solved(market)[0]
    assert first.bound == second.bound and first.certificate.price.tolist() == second.certificate.price.tolist()
    assert first.allocation.task.tolist() == second.allocation.task.tolist()
    assert first.allocation.provider.tolist() == second.allocation.provider.tolist()


@pytest.mark.parametrize("points", [1, 2, 5, 20])
@pytest.mark.parametrize("reading", READINGS)
@settings(max_examples=40)
@given(market=st.from_type(Market))
def test_a_coarse_lattice_keeps_the_bound_valid(points, reading, market):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coarsening, "POINTS", points)
        unit = coarsening.units(market)
        found, worth = solved(market, reading)
    assert np.prod(coarsening.in_units(market.demand.max(axis=0, initial=0), unit) + 1) <= points
    assert worth <= solvers.solve(market, "brute_force", reading=reading).welfare <= found.bound
    assert ("units of" in found.status) == (found.certificate.unit is not None) == (unit != 1).any()


def test_a_vast_lattice_is_made_coarse(generate):
    """Demands and slots 500 times as large are the same market; smaller units tell nearly all of it."""
    market = generate("classes", 100, 100, 2, 0)
    demand, resource, unit_work = market.demand * 500, market.resource * 500, market.unit_work / 500
    vast = replace(market, demand=demand, resource=resource, unit_work=unit_work)
    found, worth = solved(vast)
    assert found.status.endswith(f"demands in units of {', '.join(map(str, found.certificate.unit))} requests")
    assert 0.5 * found.bound <= worth <= found.bound <= 1.01 * solved(market)[0].bound


def test_with_very_many_types_some_are_left_out(generate):
    found, worth = solved(generate("uniform", 10, 20, 30, 0), seconds=5.0)
    assert (found.certificate.unit == 0).any() and worth > 0


@pytest.mark.parametrize("rows, family, size", [("vectors", "classes", 400), ("providers", "uniform", 25)])
def test_masters_that_highs_does_not_vouch_for_are_solved_afresh(generate, monkeypatch, rows, family, size):
    """From the last basis duals may be off by more than the tolerance; it is no end of time."""
    state, market = {}, generate(family, size, 2 * size, 3, 0)
    right = solvers.solve(market, "column_generation", options={"rows": rows})
    run, clear, told = highspy.Highs.run, highspy.Highs.clearSolver, highspy.Highs.getModelStatus

    def ran(highs):
        state[id(highs)] = "cold" if state.get(id(highs), "cleared") == "cleared" else "warm"
        return run(highs)

    def cleared(highs):
        state[id(highs)] = "cleared"
        return clear(highs)

    def doubted(highs):
        return highspy.HighsModelStatus.kUnknown if state[id(highs)] == "warm" else told(highs)

    for name, function in (("run", ran), ("clearSolver", cleared), ("getModelStatus", doubted)):
        monkeypatch.setattr(highspy.Highs, name, function)
    found = solvers.solve(market, "column_generation", options={"rows": rows})
    assert "cold" in state.values() and found.status == right.status
    assert found.bound == pytest.approx(right.bound, rel=1e-5)
