"""Every mechanism there is: feasible, repeatable, exact at the ends of int64, or one line that says why not."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auction import mechanisms
from auction.allocation import check
from auction.market import AMOUNT_LIMIT, MICRO, Market
from auction.welfare import provider_utility, user_utility

NEVER_LOSING = ("cdara", "clearing", "mcafee", "posted_price", "private", "vcg", "whitepaper")
WITHOUT_A_DEFICIT = NEVER_LOSING


def fitting(mechanism, market):
    """The market itself, or for a mechanism of one type and unit demand what is left of it then."""
    if mechanism != "mcafee":
        return market
    return replace(
        market,
        demand=np.ones((market.tasks, 1), dtype=np.int64),
        unit_work=market.unit_work[:1],
        resource=np.ones((market.providers, 1), dtype=np.int64),
        slots=np.minimum(market.slots, 1),
        ability=market.ability[:, :1],
    )


@pytest.mark.parametrize("mechanism", mechanisms.names())
@settings(max_examples=40)
@given(market=st.from_type(Market), seed=st.integers(0, 3), data=st.data())
def test_allocations_are_feasible_losers_pay_nothing_and_same_seed_same_settlement(mechanism, market, seed, data):
    reading = data.draw(st.sampled_from(mechanisms.load(mechanism).READINGS))
    market = fitting(mechanism, market)
    settled = mechanisms.run(market, mechanism, reading=reading, seed=seed)
    assert not check(market, settled.allocation, reading)
    assert settled.payment.dtype == settled.receipt.dtype == np.int64
    lost, idle = np.ones(market.tasks, dtype=bool), np.ones(market.providers, dtype=bool)
    lost[settled.allocation.task], idle[settled.allocation.provider] = False, False
    assert not settled.payment[lost].any() and not settled.receipt[idle].any()
    again = mechanisms.run(market, mechanism, reading=reading, seed=seed)
    assert settled.payment.tolist() == again.payment.tolist()
    assert settled.allocation.provider.tolist() == again.allocation.provider.tolist()


@st.composite
def extreme_markets(draw) -> Market:
    """Three tasks and four providers whose values and costs add up to just below 2^62."""
    market = draw(st.from_type(Market).filter(lambda market: market.tasks and market.providers))
    share = st.sampled_from((0, 1, 5, 60, 100))

    def scaled(length, total):
        parts = np.array(draw(st.lists(share, min_size=length, max_size=length)), dtype=object)
        return np.array([int(part) * total // max(1, int(parts.sum())) for part in parts], dtype=np.int64)

    value = scaled(market.tasks, AMOUNT_LIMIT - market.tasks * 10**10)
    used = int(np.minimum(market.slots, market.tasks).max(initial=1))
    return replace(market, value=value, cost=scaled(market.providers, AMOUNT_LIMIT // (2 * max(1, used))))


@pytest.mark.parametrize("mechanism", [name for name in mechanisms.names() if name != "private"])
@settings(max_examples=40)
@given(market=extreme_markets())
def test_amounts_near_the_end_of_int64_never_wrap(mechanism, market):
    market = fitting(mechanism, market)
    settled = mechanisms.run(market, mechanism, options={"markup": "0.01"} if mechanism == "posted_price" else {})
    exact = sum(map(int, settled.payment.tolist())) - sum(map(int, settled.receipt.tolist()))
    assert exact == settled.budget_surplus
    bid = [int(v) - int(e) for v, e in zip(market.value.tolist(), market.extra_cost.tolist(), strict=True)]
    served = np.bincount(settled.allocation.provider, minlength=market.providers)
    for i in set(settled.allocation.task.tolist()):
        assert 0 <= int(settled.payment[i]) <= bid[i]
    for j in set(settled.allocation.provider.tolist()):
        assert int(settled.receipt[j]) >= int(market.cost[j]) * int(served[j])


@pytest.mark.parametrize("mechanism", NEVER_LOSING)
@settings(max_examples=40)
@given(market=st.from_type(Market))
def test_nobody_loses_and_payments_cover_receipts(mechanism, market):
    market = fitting(mechanism, market)
    settled = mechanisms.run(market, mechanism)
    assert (user_utility(market, settled.allocation, settled.payment) >= 0).all()
    assert (provider_utility(market, settled.allocation, settled.receipt) >= 0).all()
    assert settled.budget_surplus >= 0


def test_unknown_names_readings_and_options_are_refused_in_a_line(refusal, generate):
    market = generate("uniform", 4, 6)
    assert "unknown mechanism" in refusal(mechanisms.run, market, "english")
    assert "unknown reading" in refusal(mechanisms.run, market, "vcg", reading="partial")
    assert "unknown option" in refusal(mechanisms.run, market, "whitepaper", options={"price": "1"})
    for seed in (-1, 1.5, True):
        assert "seed" in refusal(mechanisms.run, market, "posted_price", seed=seed)
    for text in ("0", "-3", "nan"):
        for mechanism in ("vcg", "clearing"):
            assert "time_limit" in refusal(mechanisms.run, market, mechanism, options={"time_limit": text})


def test_extra_costs_are_no_part_of_payments(generate):
    market = generate("uniform", 10, 20, seed=2)
    settled = mechanisms.run(market, "whitepaper", options={"task_order": "ratio", "provider_order": "ratio"})
    won = np.unique(settled.allocation.task)
    utility = market.value[won] - settled.payment[won] - market.extra_cost[won]
    assert won.size and utility.tolist() == user_utility(market, settled.allocation, settled.payment)[won].tolist()
    assert (market.extra_cost[won] >= MICRO).all()
