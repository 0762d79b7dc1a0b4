"""Prices against exact rational arithmetic, the midpoints they must equal, and amounts at the end of int64."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from auction import prices
from auction.allocation import Allocation
from auction.market import Market
from auction.search import Stop
from auction.solvers import greedy


def served(market):
    """An allocation with winners of one and of several slots."""
    return greedy.solve(market, "bundle", Stop(None), 0).allocation


def pairs_of(allocation):
    return list(zip(allocation.task.tolist(), allocation.provider.tolist(), strict=True))


@pytest.fixture
def market():
    """Task 0 takes slots of 2 and of 6 units, task 1 one of 4; e_i = 1 token."""
    return Market(
        demand=[[3, 3], [0, 4]],
        value=[81_000_003, 9_000_000],
        unit_work=[0.0, 0.0],
        alpha=2,
        beta=1,
        resource=[[2, 0], [3, 3], [0, 4], [0, 0]],
        slots=[1, 1, 1, 1],
        cost=[30_000_000, 6_000_000, 2_000_001, 5],
        ability=np.zeros((4, 2)),
    )


ALLOCATION = Allocation.of([0, 0, 1], [0, 1, 2])


def test_prices_per_unit_by_hand(market):
    assert prices.slot_units(market).tolist() == [2, 6, 4, 0]
    assert prices.won_units(market, ALLOCATION).tolist() == [8, 4]
    assert prices.ask_per_unit(market).tolist() == [15_000_000, 1_000_000, 500_000.25, np.inf]
    assert prices.bid_per_unit(market, ALLOCATION).tolist() == [80_000_003 / 8, 2_000_000]
    # Provider 0 asks 15 tokens a unit of a task that bids 10: the print pays its ask, above the bid.
    expected = [15_000_000, (1_000_000 + 80_000_003 / 8) / 2, (500_000.25 + 2_000_000) / 2]
    assert prices.unit_prices(market, ALLOCATION).tolist() == expected
    assert np.isnan(prices.bid_per_unit(market, Allocation.of([1], [2]))[0])


def test_trade_prices_by_hand(market):
    payment, receipt = prices.trade_prices(market, ALLOCATION)
    # Task 0: (80,000,003 + 36,000,000) / 2; the other half, 22,000,001, is split 2 to 6, the first gets what is left.
    assert payment.tolist() == [58_000_001, 5_000_000]
    assert receipt.tolist() == [35_500_001, 22_500_000, 5_000_000, 0]
    payment, receipt = prices.trade_prices(market, ALLOCATION, printed=True)
    assert receipt.tolist() == [30_000_000, 33_000_001, 5_000_000, 0]
    assert payment.tolist() == [63_000_001, 5_000_000]


@given(st.from_type(Market))
def test_corrected_prices_are_the_midpoint_of_bid_and_cost_shared_by_units(market):
    allocation = served(market)
    payment, receipt = prices.trade_prices(market, allocation)
    units = market.resource.sum(axis=1).tolist()
    bid, cost = market.net_bid.tolist(), market.cost.tolist()
    due = [Fraction(0)] * market.providers
    slack = [0] * market.providers
    for i in range(market.tasks):
        own = [j for task, j in pairs_of(allocation) if task == i]
        spent = sum(cost[j] for j in own)
        assert payment[i] == (bid[i] + spent) // 2 * bool(own)
        for j in own:
            due[j] += cost[j] + Fraction(int(payment[i]) - spent) * units[j] / sum(units[k] for k in own)
            slack[j] += len(own)
    assert payment.sum() == receipt.sum()
    assert all(abs(r - d) <= s for r, d, s in zip(receipt.tolist(), due, slack, strict=True))


@given(st.from_type(Market))
def test_printed_prices_are_lines_13_to_15_and_equal_the_midpoints_where_every_ask_is_below_the_bid(market):
    allocation = served(market)
    payment, receipt = prices.trade_prices(market, allocation, printed=True)
    corrected, _ = prices.trade_prices(market, allocation)
    units = market.resource.sum(axis=1).tolist()
    won = [sum(units[j] for task, j in pairs_of(allocation) if task == i) for i in range(market.tasks)]
    for i in range(market.tasks):
        exact, below, number = Fraction(0), True, 0
        for j in (j for task, j in pairs_of(allocation) if task == i):
            ask, offer = Fraction(int(market.cost[j]), units[j]), Fraction(int(market.net_bid[i]), won[i])
            price = (ask + offer) / 2
            exact += (price if ask <= price <= offer else ask) * units[j]
            below, number = below and ask <= offer, number + 1
        assert 0 <= exact - int(payment[i]) <= number
        assert not below or abs(int(payment[i]) - int(corrected[i])) <= number
    assert payment.sum() == receipt.sum()


@given(st.from_type(Market))
def test_prices_per_unit_follow_lines_13_to_15(market):
    allocation = served(market)
    ask, bid = prices.ask_per_unit(market), prices.bid_per_unit(market, allocation)
    for (i, j), price in zip(pairs_of(allocation), prices.unit_prices(market, allocation).tolist(), strict=True):
        midpoint = (ask[j] + bid[i]) / 2
        assert price == (midpoint if ask[j] <= midpoint <= bid[i] else ask[j])


LARGE = st.integers(0, 2**62)


@example([(1, 2**62, 2**62), (2**62, 2**62, 2**62)])
@given(st.lists(st.tuples(LARGE, LARGE, LARGE).filter(lambda row: row[1] <= row[2] and row[2] > 0), max_size=5))
def test_fractions_are_exact_up_to_the_end_of_int64(rows):
    amount, part, whole = (np.array([row[k] for row in rows], dtype=np.int64) for k in range(3))
    assert prices.fraction(amount, part, whole).tolist() == [a * p // w for a, p, w in rows]
