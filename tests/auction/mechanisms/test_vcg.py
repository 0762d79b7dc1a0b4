"""Vickrey-Clarke-Groves: payments from welfare by enumeration, no profitable lie, no loss, no deficit from users."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auction import mechanisms, solvers
from auction.incentives.misreports import regrets
from auction.market import MICRO, READINGS, Market
from auction.mechanisms import vcg
from auction.search import Found, Stop
from auction.solvers import brute_force
from auction.welfare import provider_utility, user_utility, welfare

FACTORS = (0.0, 0.5, 0.9, 1.1, 2.0, 10.0)


def optimum(market, reading):
    return welfare(market, brute_force.solve(market, reading, Stop(None), 0).allocation)


def without(amounts, index):
    return [0 if position == index else amount for position, amount in enumerate(amounts.tolist())]


@pytest.mark.parametrize("reading", READINGS)
@settings(max_examples=40)
@given(market=st.from_type(Market))
def test_everyone_pays_what_its_presence_costs_the_others(reading, market):
    total = optimum(market, reading)
    settled = mechanisms.run(market, "vcg", reading=reading, options={"sides": "both"})
    assert welfare(market, settled.allocation) == total
    users = user_utility(market, settled.allocation, settled.payment)
    for i in range(market.tasks):
        assert users[i] == total - optimum(replace(market, value=without(market.value, i)), reading)
    providers = provider_utility(market, settled.allocation, settled.receipt)
    for j in set(settled.allocation.provider.tolist()):
        assert providers[j] == total - optimum(replace(market, slots=without(market.slots, j)), reading)


@pytest.mark.parametrize("sides", ["users", "both"])
@settings(max_examples=25)
@given(market=st.from_type(Market), reading=st.sampled_from(READINGS))
def test_no_task_gains_by_another_value_or_inflated_demand_and_nobody_loses(sides, market, reading):
    def settle(reported):
        return mechanisms.run(reported, "vcg", reading=reading, options={"sides": sides})

    settled = settle(market)
    assert (user_utility(market, settled.allocation, settled.payment) >= 0).all()
    assert (provider_utility(market, settled.allocation, settled.receipt) >= 0).all()
    assert sides == "both" or settled.budget_surplus >= 0
    most = regrets(market, settle, np.arange(market.tasks), FACTORS[1:], ("value", "demand"))
    assert not most["value"].any() and not most["demand"].any()


@settings(max_examples=40)
@given(market=st.from_type(Market).filter(lambda market: market.providers), data=st.data())
def test_no_provider_gains_by_another_cost_where_both_sides_report(market, data):
    j = data.draw(st.integers(0, market.providers - 1))
    lie = data.draw(st.sampled_from((0, MICRO, 3 * MICRO, 10 * MICRO)))
    offered = replace(market, cost=[lie if k == j else c for k, c in enumerate(market.cost.tolist())])
    honest = mechanisms.run(market, "vcg", options={"sides": "both"})
    lied = mechanisms.run(offered, "vcg", options={"sides": "both"})
    truth = provider_utility(market, honest.allocation, honest.receipt)[j]
    assert provider_utility(market, lied.allocation, lied.receipt)[j] <= truth


@pytest.mark.parametrize(
    "family", ["classes", *(pytest.param(f, marks=pytest.mark.slow) for f in ("uniform", "marketplace"))]
)
def test_larger_markets_resist_lies_too_and_both_sides_run_a_deficit(generate, family):
    market = generate(family, 10, 20, 3, 1)

    def settle(reported):
        return mechanisms.run(reported, "vcg")

    settled = settle(market)
    assert settled.budget_surplus >= 0 and settled.payment.any()
    assert mechanisms.run(market, "vcg", options={"sides": "both"}).budget_surplus < 0
    most = regrets(market, settle, np.arange(3), (0.5, 1.5), ("value", "demand"))
    assert not most["value"].any() and not most["demand"].any()


def test_false_names_pay_under_vcg():
    """Two slots: as one bidder the task pays what it displaces, 8; as two with bids of 6.5 each, 1.5 each."""
    market = Market(
        demand=[[2], [2]],
        value=[15 * MICRO, 9 * MICRO],
        unit_work=[0.0],
        alpha=2,
        beta=1,
        resource=[[1], [1]],
        slots=[1, 1],
        cost=[0, 0],
        ability=[[0.0], [0.0]],
    )

    def settle(reported):
        return mechanisms.run(reported, "vcg")

    assert settle(market).payment.tolist() == [8 * MICRO, 0]
    gained = regrets(market, settle, np.array([0]), (2.0,), ("split",))["split"]
    assert gained.tolist() == [8 * MICRO - 2 * 1_500_000 - MICRO]  # and a second extra cost of one token


def test_refuses_an_optimum_that_is_not_proven(refusal, generate, monkeypatch):
    market = generate("uniform", 6, 12)
    unproven = solvers.solve(market, "greedy")
    monkeypatch.setattr(vcg.column_generation, "solve", lambda *_: Found(unproven.allocation, 2**61, "time limit"))
    line = refusal(mechanisms.run, market, "vcg")
    assert "proven" in line and "time_limit" in line
    assert "sides" in refusal(mechanisms.run, market, "vcg", options={"sides": "providers"})
    for limit in (0.0, -1.0):
        assert "positive" in refusal(mechanisms.run, market, "vcg", options={"time_limit": limit})
