"""McAfee's reduction: by hand, truthful on both sides, and the published shares of the gain from trade."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auction import mechanisms
from auction.market import MICRO, Market
from auction.welfare import provider_utility, user_utility, welfare

AMOUNTS = st.lists(st.integers(0, 6), min_size=0, max_size=6)
FEE = MICRO  # e_i of a request without work: beta = 1


def alike(bids, costs) -> Market:
    """Tasks of one request each, with these bids, and providers of one slot each."""
    return Market(
        demand=np.ones((len(bids), 1), dtype=np.int64),
        value=np.asarray(bids, dtype=np.int64) + FEE,
        unit_work=[1.0],
        alpha=2,
        beta=1,
        resource=np.ones((len(costs), 1), dtype=np.int64),
        slots=np.ones(len(costs), dtype=np.int64),
        cost=np.asarray(costs, dtype=np.int64),
        ability=np.zeros((len(costs), 1)),
    )


def settle(market):
    return mechanisms.run(market, "mcafee")


def test_all_efficient_pairs_trade_where_the_next_pair_sets_a_price_between():
    settled = settle(alike([9, 4, 7], [1, 8, 3]))  # 9-1, 7-3; p = (4 + 8) / 2
    assert settled.payment.tolist() == [6, 0, 6] and settled.receipt.tolist() == [6, 0, 6]
    assert settled.allocation.task.tolist() == [0, 2] and settled.allocation.provider.tolist() == [0, 2]


def test_last_efficient_pair_is_given_up_where_no_price_lies_between():
    settled = settle(alike([9, 5, 3], [1, 4, 9]))  # 9-1, 5-4; p = (3 + 9) / 2 > 5
    assert settled.payment.tolist() == [5, 0, 0] and settled.receipt.tolist() == [4, 0, 0]
    assert settled.budget_surplus == 1
    settled = settle(alike([9, 5], [1, 4]))  # no third pair
    assert settled.payment.tolist() == [5, 0] and settled.receipt.tolist() == [4, 0]
    assert not settle(alike([9], [1])).payment.any()


@given(AMOUNTS, AMOUNTS)
def test_nobody_loses_and_never_a_deficit(bids, costs):
    market = alike(bids, costs)
    settled = settle(market)
    assert settled.budget_surplus >= 0
    assert (user_utility(market, settled.allocation, settled.payment) >= 0).all()
    assert (provider_utility(market, settled.allocation, settled.receipt) >= 0).all()


@given(AMOUNTS.filter(len), AMOUNTS.filter(len), st.data())
def test_no_report_beats_the_truth_on_either_side(bids, costs, data):
    market = alike(bids, costs)
    honest = settle(market)
    lie = data.draw(st.integers(0, 8))
    i, j = data.draw(st.integers(0, len(bids) - 1)), data.draw(st.integers(0, len(costs) - 1))
    reported, offered = market.value.copy(), market.cost.copy()
    reported[i], offered[j] = lie + FEE, lie
    lied = settle(replace(market, value=reported))
    utility = user_utility(market, lied.allocation, lied.payment)[i]
    assert utility <= user_utility(market, honest.allocation, honest.payment)[i]
    lied = settle(replace(market, cost=offered))
    utility = provider_utility(market, lied.allocation, lied.receipt)[j]
    assert utility <= provider_utility(market, honest.allocation, honest.receipt)[j]


@pytest.mark.parametrize("traders, published", [(2, 69.0), (10, 91.8), (100, 99.0)])
def test_traders_keep_the_published_share_of_the_optimal_gain(traders, published):
    """Segal-Halevi, Hassidim and Aumann (2016): uniform values, mean gain of the traders over the mean optimal gain."""
    rng = np.random.default_rng(traders)
    kept = optimal = 0
    for _ in range(10_000 // traders + 500):
        bids, costs = rng.integers(0, 10**6, traders), rng.integers(0, 10**6, traders)
        market = alike(bids, costs)
        settled = settle(market)
        kept += welfare(market, settled.allocation) - settled.budget_surplus
        optimal += int(np.maximum(np.sort(bids)[::-1] - np.sort(costs), 0).sum())
    assert abs(100 * kept / optimal - published) < 1


def test_ends_of_int64_do_not_wrap():
    large = 2**60
    settled = settle(alike([large, large - 1, large - 3], [large - 4, large - 2, large]))
    assert settled.payment.tolist() == settled.receipt[[0, 1, 2]].tolist() == [large - 2, large - 2, 0]


def test_refuses_what_is_not_alike(refusal):
    market = alike([9, 5], [1, 4])
    two_types = replace(
        market, unit_work=[1.0, 1.0], demand=[[1, 0]] * 2, resource=[[1, 1]] * 2, ability=np.zeros((2, 2))
    )
    assert "2 types" in refusal(settle, two_types)
    assert "demand[1] is 2" in refusal(settle, replace(market, demand=[[1], [2]]))
    assert "slots[0] is 3" in refusal(settle, replace(market, slots=[3, 1]))
    assert "resource[1] is 0" in refusal(settle, replace(market, resource=[[1], [0]]))
    assert "bundle" in refusal(mechanisms.run, market, "mcafee", reading="bundle")
