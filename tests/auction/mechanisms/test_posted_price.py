"""A posted price: cheapest covers by enumeration, no task gains by what it reports, nobody loses."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auction import mechanisms
from auction.incentives.misreports import regrets
from auction.market import MICRO, READINGS, Market
from auction.mechanisms import posted_price
from auction.search import Stop
from auction.welfare import provider_utility, user_utility


def subsets(items, most):
    chosen = [[]]
    for item in items.tolist():
        chosen += [subset + [item] for subset in chosen if len(subset) < most]
    return chosen[1:]


@pytest.mark.parametrize("reading", READINGS)
@given(market=st.from_type(Market), price=st.sampled_from((1, MICRO // 2, MICRO, 5 * MICRO)), seed=st.integers(0, 9))
def test_tasks_take_the_cheapest_cover_at_the_price(reading, price, market, seed):
    order = np.random.default_rng(seed).permutation(market.tasks)
    sold = posted_price.sell(market, reading, price, order, Stop(None))
    units = market.resource.sum(axis=1)
    left = np.where(market.cost <= price * units, market.slots, 0)
    for i in order:
        taken = sold.provider[sold.task == i]
        covers = [
            price * int(units[list(chosen)].sum())
            for chosen in subsets(np.flatnonzero(left), 1 if reading == "whole" else market.providers)
            if (market.resource[list(chosen)].sum(axis=0) >= market.demand[i]).all()
        ]
        affordable = [cost for cost in covers if cost <= market.net_bid[i]]
        assert [price * int(units[taken].sum())] * bool(taken.size) == ([min(affordable)] if affordable else [])
        left[taken] -= 1
    assert (left >= 0).all()


@pytest.mark.parametrize("reading", READINGS)
@given(market=st.from_type(Market), seed=st.integers(0, 5))
def test_nobody_loses_and_payments_are_receipts(reading, market, seed):
    settled = mechanisms.run(market, "posted_price", reading=reading, seed=seed)
    assert settled.budget_surplus == 0
    assert (user_utility(market, settled.allocation, settled.payment) >= 0).all()
    assert (provider_utility(market, settled.allocation, settled.receipt) >= 0).all()


@given(st.from_type(Market), st.integers(0, 5))
def test_no_task_gains_by_another_value_or_more_demand(market, seed):
    def settle(reported):
        return mechanisms.run(reported, "posted_price", seed=seed)

    most = regrets(market, settle, np.arange(market.tasks), (0.5, 0.9, 1.1, 3.0), ("value", "demand"))
    assert not most["value"].any() and not most["demand"].any()


def test_price_is_the_markup_on_the_median_ask(generate):
    market = generate("uniform", 30, 21, seed=1)
    ask = sorted(c / sum(s) for c, s in zip(market.cost.tolist(), market.resource.tolist(), strict=True))[10]
    for markup in (1.2, 2.0):
        settled = mechanisms.run(market, "posted_price", options={"markup": markup})
        units = np.zeros(market.tasks, dtype=np.int64)
        np.add.at(units, settled.allocation.task, market.resource.sum(axis=1)[settled.allocation.provider])
        assert units.any() and settled.payment.tolist() == (round(markup * ask) * units).tolist()


def test_refuses_a_markup_that_is_no_price(refusal, generate):
    market = generate("uniform", 3, 3)
    for markup in ("0", "-1", "nan", "inf", "1e300"):
        assert "markup" in refusal(mechanisms.run, market, "posted_price", options={"markup": markup})


def test_a_market_without_providers_sells_nothing(generate):
    market = generate("uniform", 3, 3)
    settled = mechanisms.run(replace(market, slots=[0, 0, 0]), "posted_price")
    assert not settled.allocation.task.size and not settled.payment.any()
