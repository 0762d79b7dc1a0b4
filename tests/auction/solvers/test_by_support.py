"""A programme a support: certificates, and allocations beside exact solvers."""

import os
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auction import solvers
from auction.allocation import check
from auction.certificate import derived_bound
from auction.errors import InputError
from auction.market import READINGS, Market
from auction.search import Stop
from auction.solvers._support_prices import dive, dual, grid, search
from auction.solvers.column_generation import by_support
from auction.welfare import welfare


def few_of_many(tasks, providers, types, seed):
    """Tasks of one to three types, providers of one to four."""
    rng = np.random.default_rng(seed)

    def rows(count, most):
        chosen = rng.random((count, types)).argsort(axis=1) < rng.integers(1, most + 1, (count, 1))
        return np.where(chosen, rng.integers(1, 6, (count, types)), 0)

    demand, resource = rows(tasks, 3), rows(providers, 4)
    return Market(
        demand=demand, value=demand.sum(axis=1) * rng.integers(1_000_000, 3_000_000, tasks) + 2_000_000,
        unit_work=np.full(types, 0.1), alpha=2, beta=1, resource=resource, slots=rng.integers(0, 3, providers),
        cost=resource.sum(axis=1) * rng.integers(500_000, 1_500_000, providers), ability=np.ones((providers, types)),
    )  # fmt: skip


def solved(market, reading="bundle", stop=None):
    """What was found and its welfare, feasible and below a bound that its certificate proves."""
    found = by_support.solve(grid.group(market, reading), stop or Stop(None), 0, 0.0)
    worth = welfare(market, found.allocation)
    assert not check(market, found.allocation, reading)
    proof = found.certificate
    assert (proof.market_digest, proof.reading, proof.bound) == (market.digest, reading, found.bound)
    assert derived_bound(market, reading, proof.price, None, repeat=proof.repeat) == found.bound >= worth
    assert (found.status == "optimal") == (found.bound == worth)
    return found, worth


@pytest.fixture(scope="module", autouse=True)
def few_rounds():
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SMALL", "MIDDLE", "WHOLE", "ALONE"):
            patch.setattr(search, name, getattr(search, name)._replace(number=4))
        yield


@pytest.fixture
def without_columns(monkeypatch):
    monkeypatch.setattr(by_support, "ROWS", 0)


@pytest.mark.parametrize(("rows", "wide"), [(0, 1 << 18), (10_000, 1 << 18), (10_000, 0)])
@pytest.mark.parametrize("reading", READINGS)
@settings(max_examples=50)
@given(market=st.from_type(Market))
def test_the_bound_is_proven_and_above_the_optimum(reading, rows, wide, market):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(by_support, "ROWS", rows)
        patch.setattr(grid, "WIDE", wide)
        found, worth = solved(market, reading)
    assert worth <= solvers.solve(market, "brute_force", reading=reading).welfare <= found.bound


@given(market=st.from_type(Market), data=st.data())
def test_any_prices_give_the_bound_they_prove(market, data):
    """Lowered to what slots are worth they prove no more, and every cover costs what it did."""
    for reading in READINGS:
        both = grid.group(market, reading)
        count = market.providers
        premium = np.array(data.draw(st.lists(st.integers(0, 10**8), min_size=count, max_size=count)), dtype=np.int64)
        at = dual.evaluate(both, both.offers.cost + premium[both.offers.provider], Stop(None))
        used = np.zeros(market.providers, dtype=np.int64)
        used[both.offers.provider] = both.offers.slots
        before, lowered = replace(market, slots=used), np.zeros_like(premium)
        lowered[both.offers.provider] = at.price - both.offers.cost
        assert derived_bound(before, reading, lowered, None, repeat=True) == at.value
        assert at.value <= derived_bound(before, reading, premium, None, repeat=True)


@pytest.mark.parametrize(("rows", "near"), [(0, 0.95), (10_000, 0.985)])
@pytest.mark.parametrize("reading", READINGS)
def test_near_the_optimum_of_a_market_of_many_types(monkeypatch, reading, rows, near):
    monkeypatch.setattr(search, "ALONE", search.ALONE._replace(number=60))
    monkeypatch.setattr(by_support, "ROWS", rows)
    market = few_of_many(40, 80, 12, 1)
    _, worth = solved(market, reading)
    optimum = solvers.solve(market, "ilp_cpsat", reading=reading, time_limit=60)
    assert optimum.proven_optimal and near * optimum.welfare <= worth <= optimum.welfare


def test_wide_boxes_leave_time_for_columns(monkeypatch):
    """Covers of theirs are searched for; what certifies the bound takes a programme once or twice."""
    monkeypatch.setattr(grid, "WIDE", 0)
    monkeypatch.setattr(by_support, "dive", None)  # is not used
    market = few_of_many(40, 80, 12, 1)
    found, worth = solved(market)
    optimum = solvers.solve(market, "ilp_cpsat", time_limit=60)
    assert optimum.proven_optimal and 0.985 * optimum.welfare <= worth <= optimum.welfare
    assert found.certificate.repeat


def test_samples_carry_prices_up(monkeypatch, without_columns):
    """From a sixth of the market, and each round some of the supports alone."""
    for name in ("SMALL", "WHOLE"):
        monkeypatch.setattr(search, name, getattr(search, name)._replace(number=30))
    monkeypatch.setattr(search, "SMALLEST", 20)
    monkeypatch.setattr(search, "AT_ONCE", 30)
    found, worth = solved(few_of_many(200, 400, 12, 2))
    assert worth > 0.9 * found.bound


def test_the_dive_asks_all_supports(monkeypatch):
    part = grid.group(few_of_many(60, 120, 12, 2), "bundle")
    at = dual.evaluate(part, part.offers.cost, Stop(None))
    of_all = dive.dive(part, at, np.random.default_rng(0), Stop(None))
    monkeypatch.setattr(search, "AT_ONCE", 5)
    again = dive.dive(part, at, np.random.default_rng(0), Stop(None))
    assert (of_all.task == again.task).all() and (of_all.provider == again.provider).all()


def test_the_number_of_threads_shows_in_nothing(monkeypatch, without_columns):
    market = few_of_many(60, 120, 12, 3)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    alone, _ = solved(market)
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    together, _ = solved(market)
    assert (alone.certificate.price == together.certificate.price).all()
    assert (alone.allocation.task == together.allocation.task).all()
    assert (alone.allocation.provider == together.allocation.provider).all()


def test_a_gap_that_is_reached_needs_no_columns():
    market = few_of_many(60, 120, 12, 8)
    rough, fine = (by_support.solve(grid.group(market, "bundle"), Stop(None), 0, gap) for gap in (0.5, 0.0))
    assert rough.bound > fine.bound and not fine.certificate.repeat
    assert welfare(market, rough.allocation) >= 0.5 * rough.bound


class After(Stop):
    """Interrupts once it has been looked at so many times."""

    def __init__(self, looks):
        super().__init__(None)
        self.looks = looks

    @property
    def now(self):
        self.looks -= 1
        if self.looks == 0:
            self.interrupt()
        return super().now


@pytest.mark.parametrize("looks", [2, 30, 80, 90, 100, 110])
def test_an_interrupt_at_any_time_keeps_what_was_found(looks):
    market = few_of_many(60, 120, 12, 4)
    stop = After(looks)
    found, worth = solved(market, stop=stop)
    assert stop.interrupted and worth > 0.7 * found.bound


def test_time_that_is_over_still_leaves_an_allocation_and_a_bound():
    market = few_of_many(60, 120, 12, 4)
    stop = Stop(None)
    stop.interrupt()
    found, worth = solved(market, stop=stop)
    assert worth > 0 and found.status == "time limit"


def test_more_slots_than_tasks_are_worth_nothing():
    market = few_of_many(30, 60, 12, 5)
    vast = replace(market, slots=np.where(np.arange(60) % 3, market.slots, 2**40))
    found, _ = solved(vast)
    assert not found.certificate.price[::3].any()


@pytest.mark.parametrize(("limit", "size"), [("POINTS", 5), ("STEPS", 100)])
def test_tables_beyond_memory_are_refused(monkeypatch, generate, limit, size):
    monkeypatch.setattr(grid, limit, size)
    market = few_of_many(30, 60, 12, 6)
    with pytest.raises(InputError, match="too many types at once"):
        solvers.solve(market, "column_generation", options={"rows": "supports"})


def test_many_types_take_supports_and_few_take_vectors():
    market = few_of_many(300, 400, 12, 7)
    found = solvers.solve(market, "column_generation", time_limit=20)
    assert found.certificate.vector is None and not check(market, found.allocation, "bundle")


class Over:
    """It is time once that has been asked so many times."""

    def __init__(self, times):
        self.times = times

    @property
    def now(self):
        self.times -= 1
        return self.times < 0


def test_a_bound_that_time_cuts_short_holds(monkeypatch):
    """Whoever is not asked counts with the bid, one support after another where boxes are wide."""
    market = few_of_many(12, 20, 6, 3)
    part = grid.group(market, "bundle")
    most = solvers.solve(market, "ilp_cpsat").welfare
    price = part.offers.cost + 1_000_000
    supports = part.supports.first.size - 1
    assert dual.evaluate(part, price, Over(0)).value == dual.evaluate(part, price, Stop(None)).value
    monkeypatch.setattr(dual, "WIDE", 0)
    values = [dual.evaluate(part, price, Over(times)).value for times in range(2 * supports + 1)]
    assert values[0] == int(part.supports.bid.sum()) + int((part.offers.slots * 1_000_000).sum())
    assert min(values) >= most and values[-1] == dual.evaluate(part, price, Stop(None)).value < values[0]
    assert sum(value not in (values[0], values[-1]) for value in values) > 2


def test_a_round_that_time_is_over_in_moves_no_price(monkeypatch):
    monkeypatch.setattr(dual, "WIDE", 0)
    part = grid.group(few_of_many(12, 20, 6, 3), "bundle")
    walk = search.Walk(part, 2.0 * part.offers.cost, part.offers.slots, np.random.default_rng(0))
    before = walk.price()
    every = np.ones(part.supports.first.size - 1, dtype=bool)
    walk.step(0.1, 0.1, every, Over(0))
    assert (walk.price() == before).all()
    walk.step(0.1, 0.1, every, Stop(None))
    assert (walk.price() != before).any()
