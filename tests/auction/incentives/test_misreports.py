"""Misreports change one task's report and nothing else; gains are counted at the true value."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from auction import mechanisms
from auction.allocation import Allocation
from auction.errors import InputError
from auction.incentives.misreports import gain, lies, regrets
from auction.market import MICRO, Market
from auction.mechanisms import Settlement

FACTORS = (0.5, 2.0)


@given(st.from_type(Market).filter(lambda market: market.tasks), st.data())
def test_only_the_liar_changes_and_parts_add_up(market, data):
    task = data.draw(st.integers(0, market.tasks - 1))
    others = np.arange(market.tasks) != task
    kinds = []
    for kind, reported, rows in lies(market, task, FACTORS):
        kinds.append(kind)
        assert reported.demand[: market.tasks][others].tolist() == market.demand[others].tolist()
        assert reported.value[: market.tasks][others].tolist() == market.value[others].tolist()
        assert reported.resource is not None and reported.cost.tolist() == market.cost.tolist()
        if kind == "split":
            assert rows == [task, market.tasks]
            assert reported.demand[rows].sum(axis=0).tolist() == market.demand[task].tolist()
            assert reported.demand[rows].any(axis=1).all()
            assert reported.value[rows].sum() == market.value[task]
        else:
            assert rows == [task] and reported.tasks == market.tasks
    assert kinds.count("value") == 2 and kinds.count("demand") == 1
    assert kinds.count("split") == (market.demand[task].sum() > 1)


def one_slot(values) -> Market:
    """Tasks of two requests for a provider with a slot for both and one with a slot of each."""
    return Market(
        demand=[[2]] * len(values),
        value=[value * MICRO for value in values],
        unit_work=[0.0],
        alpha=2,
        beta=1,
        resource=[[1], [1]],
        slots=[1, 1],
        cost=[0, 0],
        ability=[[0.0], [0.0]],
    )


def test_a_gain_counts_the_true_value_once_all_false_names_win():
    market = one_slot([11])
    split = next(reported for kind, reported, _ in lies(market, 0, FACTORS) if kind == "split")
    both = Settlement(Allocation.of([0, 1], [0, 1]), np.array([MICRO, 2 * MICRO]), np.array([MICRO, 2 * MICRO]))
    assert gain(0, market, 0, split, [0, 1], both) == (11 - 1 - 2 - 2) * MICRO  # an extra cost of 1 for each name
    half = Settlement(Allocation.of([1], [1]), np.array([0, 2 * MICRO]), np.array([0, 2 * MICRO]))
    assert gain(0, market, 0, split, [0, 1], half) == -(2 + 1) * MICRO
    assert gain(3 * MICRO, market, 0, market, [0], replace_payment(4)) == (11 - 1 - 4 - 3) * MICRO


def replace_payment(tokens):
    return Settlement(Allocation.of([0, 0], [0, 1]), np.array([tokens * MICRO]), np.array([tokens * MICRO, 0]))


def test_the_midpoint_rewards_a_bid_just_above_the_costs():
    """Alone, a task that bids 10 for slots of cost 0 pays 5; half its value, 5.5 - 1 = 4.5, costs it 2.25."""
    most = regrets(
        one_slot([11]), lambda reported: mechanisms.run(reported, "whitepaper"), np.array([0]), FACTORS, ("value",)
    )
    assert most["value"].tolist() == [5 * MICRO - 2_250_000]


def test_misreports_that_are_refused_gain_nothing():
    market = one_slot([11])

    def settle(reported):
        if reported is not market:
            raise InputError("no")
        return mechanisms.run(reported, "whitepaper")

    assert all(not most.any() for most in regrets(market, settle, np.array([0]), FACTORS).values())


def test_values_near_the_end_of_int64_are_left_out_not_wrapped():
    market = replace(one_slot([11]), value=[2**61])
    assert [kind for kind, _, _ in lies(market, 0, (2.0, 8.0))] == ["demand", "demand", "split"]
    assert [kind for kind, _, _ in lies(market, 0, (0.5, 1e30))] == ["value", "split"]
