"""CDARA: a walk in exact fractions beside the compiled one, unit bids above unit asks, a market by hand."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auction import mechanisms
from auction.allocation import check
from auction.market import AMOUNT_LIMIT, MICRO, READINGS, Market
from auction.mechanisms import cdara
from auction.welfare import provider_utility, user_utility


def rank(price, capacity):
    """(price / sqrt(capacity))^2 with the sign of the price: the order of densities, exactly."""
    return Fraction(price * abs(price), capacity) if capacity else float("inf")


def reference(market, reading):
    """CDARA in Python's integers and fractions: {(task, provider): price}."""
    demand, supply = market.demand.tolist(), market.resource.tolist()
    bid, cost, left = market.net_bid.tolist(), market.cost.tolist(), market.slots.tolist()
    trades = {}
    for i in sorted(range(len(bid)), key=lambda i: -rank(bid[i], sum(demand[i]))):
        q, taken = list(demand[i]), {}
        for j in sorted(range(len(cost)), key=lambda j: rank(cost[j], sum(supply[j]))):
            useful = sum(map(min, q, supply[j]))
            alone = reading == "bundle" or useful == sum(demand[i])
            if left[j] and useful and alone and Fraction(bid[i], sum(demand[i])) >= Fraction(cost[j], useful):
                taken[i, j] = (bid[i] * useful // sum(demand[i]) + cost[j]) // 2
                q = [max(0, need - given) for need, given in zip(q, supply[j], strict=True)]
        if not any(q):
            trades |= taken
            for _, j in taken:
                left[j] -= 1
    return trades


@st.composite
def rich_markets(draw) -> Market:
    """Values and costs that add up to just below 2^62, and demands and slots of up to 2^58 requests."""
    market = draw(st.from_type(Market).filter(lambda market: market.tasks and market.providers))
    share = st.sampled_from((0, 1, 7, 60, 100))

    def parts(length, total):
        drawn = draw(st.lists(share, min_size=length, max_size=length))
        return [part * total // max(1, sum(drawn)) for part in drawn]

    used = int(np.minimum(market.slots, market.tasks).max(initial=1))
    size = draw(st.sampled_from((1, 2**31 - 1, 2**53 + 1, 2**56)))
    return replace(
        market,
        value=parts(market.tasks, AMOUNT_LIMIT - 10**13),
        cost=parts(market.providers, AMOUNT_LIMIT // (2 * max(1, used))),
        demand=market.demand * size,
        resource=market.resource * size,
        unit_work=np.zeros(market.types),
    )


@pytest.mark.parametrize("reading", READINGS)
@given(market=st.one_of(st.from_type(Market), rich_markets()))
def test_the_walk_is_that_of_exact_fractions(reading, market):
    settled = mechanisms.run(market, "cdara", reading=reading)
    trades = reference(market, reading)
    assert list(zip(settled.allocation.task, settled.allocation.provider, strict=True)) == sorted(trades)
    for i in range(market.tasks):
        assert int(settled.payment[i]) == sum(price for (task, _), price in trades.items() if task == i)
    for j in range(market.providers):
        assert int(settled.receipt[j]) == sum(price for (_, provider), price in trades.items() if provider == j)


@pytest.mark.parametrize("reading", READINGS)
@given(market=st.one_of(st.from_type(Market), rich_markets()))
def test_payments_are_receipts_unit_bids_meet_unit_asks_and_nobody_loses(reading, market):
    settled = mechanisms.run(market, "cdara", reading=reading)
    task, provider = settled.allocation.task.tolist(), settled.allocation.provider.tolist()
    assert not check(market, settled.allocation, reading)
    assert sum(settled.payment.tolist()) == sum(settled.receipt.tolist())
    for i, j in zip(task, provider, strict=True):
        unit_bid = Fraction(int(market.net_bid[i]), sum(market.demand[i].tolist()))
        assert unit_bid >= Fraction(int(market.cost[j]), sum(market.resource[j].tolist()))
    assert (user_utility(market, settled.allocation, settled.payment) >= 0).all()
    assert (provider_utility(market, settled.allocation, settled.receipt) >= 0).all()
    assert not settled.payment[~np.isin(np.arange(market.tasks), task)].any()


def by_hand(demand, bid, resource, cost):
    """One type, extra costs of one token, one slot a provider; bids and costs in tokens."""
    return Market(
        demand=[[units] for units in demand],
        value=[(tokens + 1) * MICRO for tokens in bid],
        unit_work=[0.0],
        alpha=2,
        beta=1,
        resource=[[units] for units in resource],
        slots=[1] * len(cost),
        cost=[tokens * MICRO for tokens in cost],
        ability=[[1.0]] * len(cost),
    )


def test_a_market_by_hand():
    # Users by density: 0 (20 / 2), 2 (16 / 1.73), 3 (13 / 1.41), 1 (8 / 1).
    # Providers: 1 (2 / 1), 0 (6 / 1.73), 2 (10 / 1.41).
    market = by_hand(demand=[4, 1, 3, 2], bid=[20, 8, 16, 13], resource=[3, 1, 2], cost=[6, 2, 10])
    settled = mechanisms.run(market, "cdara")
    # Task 0 takes 1 unit at (5 + 2) / 2 and 3 at (5 + 2) / 2. Task 2 takes two units of provider 2, lacks the third and
    # returns them to task 3, which pays (13 + 10) / 2. Nothing is left for task 1.
    assert settled.allocation.task.tolist() == [0, 0, 3] and settled.allocation.provider.tolist() == [0, 1, 2]
    assert (settled.payment / MICRO).tolist() == [14.0, 0.0, 0.0, 11.5]
    assert (settled.receipt / MICRO).tolist() == [10.5, 3.5, 11.5]


def test_units_that_nobody_needs_make_the_others_dearer():
    market = by_hand(demand=[1], bid=[4], resource=[3], cost=[6])
    assert not mechanisms.run(market, "cdara").payment.any()  # 6 / 3 is below the bid of 4, but the unit needed costs 6
    assert mechanisms.run(by_hand([1], [7], [3], [6]), "cdara").payment.tolist() == [6 * MICRO + MICRO // 2]


def test_what_rounding_leaves_over_stays_with_the_user():
    market = by_hand(demand=[3], bid=[10], resource=[1, 2], cost=[0, 1])
    market = replace(market, cost=market.cost - [0, MICRO - 1])
    assert mechanisms.run(market, "cdara").receipt.tolist() == [3_333_333 // 2, (6_666_666 + 1) // 2]


def test_density_is_the_price_over_the_root_of_the_capacity_times_the_priority():
    assert cdara.density(np.array([6, 5, 0]), np.array([9, 0, 4]), 2).tolist() == [4.0, np.inf, 0.0]
