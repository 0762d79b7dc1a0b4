"""Clearing: one price a slot vector, no trade either side refuses, and nearly all of the certified welfare."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auction import instances, mechanisms, solvers
from auction.market import READINGS, Market
from auction.solvers._vectors import distinct_rows
from auction.welfare import provider_utility, user_utility, welfare


def vector_prices(market, settled):
    """The price of each slot vector that trades; fails where one vector has two."""
    _, vector_of = distinct_rows(market.resource)
    number = np.bincount(settled.allocation.provider, minlength=market.providers)
    price: dict[int, int] = {}
    for j in np.flatnonzero(number):
        each, rest = divmod(int(settled.receipt[j]), int(number[j]))
        assert not rest and price.setdefault(int(vector_of[j]), each) == each
    return [price.get(int(v), 0) for v in vector_of]


@pytest.mark.parametrize("reading", READINGS)
@settings(max_examples=60)
@given(market=st.from_type(Market), seed=st.integers(0, 3))
def test_every_slot_trades_at_the_price_of_its_vector(reading, market, seed):
    settled = mechanisms.run(market, "clearing", reading=reading, seed=seed)
    price = np.array(vector_prices(market, settled), dtype=np.int64)
    payment = np.zeros(market.tasks, dtype=np.int64)
    np.add.at(payment, settled.allocation.task, price[settled.allocation.provider])
    assert settled.payment.tolist() == payment.tolist()
    assert settled.budget_surplus == 0


@pytest.mark.parametrize("family", instances.names())
def test_nobody_loses_on_any_family(generate, family):
    for seed in range(2):
        market = generate(family, 40, 80, 3, seed)
        settled = mechanisms.run(market, "clearing")
        assert settled.budget_surplus >= 0
        assert (user_utility(market, settled.allocation, settled.payment) >= 0).all()
        assert (provider_utility(market, settled.allocation, settled.receipt) >= 0).all()


@pytest.mark.parametrize("family, most", [("classes", 0.001), ("marketplace", 0.01)])
def test_little_of_the_certified_bound_is_lost_in_a_large_market(generate, family, most):
    market = generate(family, 2000, 2000, 3, 0)
    bound = solvers.solve(market, "column_generation", options={"gap": 0.01}).bound
    assert welfare(market, mechanisms.run(market, "clearing").allocation) >= (1 - most) * bound > 0


def test_one_of_several_equal_tasks_wins(generate):
    """Four equal tasks and one slot: whatever the price and whoever wins, it is one of them, at most at its bid."""
    market = replace(
        generate("uniform", 4, 1, 1), demand=[[1]] * 4, value=[90_000_000] * 4, resource=[[1]], cost=[5], slots=[1]
    )
    for seed in range(5):
        settled = mechanisms.run(market, "clearing", seed=seed)
        assert settled.allocation.task.size == 1 and 5 <= settled.payment.sum() <= market.net_bid[0]
