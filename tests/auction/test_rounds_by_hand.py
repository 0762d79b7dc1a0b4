"""Rounds worked out by hand: raises, cheats, patience."""

import pytest

from auction.market import AMOUNT_LIMIT, Market
from auction.rounds import CHEATED, DONE, MISSED, NEVER, failing_at_random, simulate


def test_a_task_ranked_higher_pays_by_the_bid_it_came_with(fated):
    # Two tasks, one slot a round. Task 1 is worth more and fails first; then task 0 would still be behind it. Task 2,
    # worth most, comes in round 1: only the raise puts task 1 before it.
    market = Market(
        demand=[[1], [1], [1]],
        value=[10_000_000, 20_000_000, 25_000_000],
        unit_work=[0.0],
        alpha=2,
        beta=1,
        resource=[[1]],
        slots=[1],
        cost=[1_000_000],
        ability=[[0.5]],
    )
    perform = fated([[MISSED], [DONE], [DONE], [DONE]])
    for factor, printed, served, price in ((1.0, False, 2, 10.0), (1.5, False, 1, 10.0), (1.5, True, 1, 15.0)):
        history = simulate(market, [0, 0, 31], rounds=4, perform=perform, raise_factor=factor, printed=printed)
        assert history.served.tolist() == [3, served, 3 - served]
        assert history.payment[1] == price * 1_000_000 and history.failures.tolist() == [0, 1, 0]
        assert history.ranked_by[1] == 20_000_000 * factor and history.first_failed.tolist() == [NEVER, 0, NEVER]
        assert history.in_vain.tolist() == [1_000_000, 0, 0, 0] and history.welfare[0] == -1_000_000


def test_the_printed_raise_can_cost_more_than_the_task_is_worth(fated):
    market = Market(
        demand=[[1]],
        value=[10_000_000],
        unit_work=[0.0],
        alpha=2,
        beta=1,
        resource=[[1]],
        slots=[1],
        cost=[8_000_000],
        ability=[[0.5]],
    )
    perform = fated([[MISSED], [MISSED], [DONE]])
    history = simulate(market, [0], rounds=3, perform=perform, printed=True)
    assert history.payment.tolist() == [(8_000_000 + 21_500_000) // 2]
    assert history.utility.tolist() == [9_000_000 - 14_750_000]


def test_a_cheat_is_removed_and_one_that_missed_its_time_stays(fated):
    market = Market(
        demand=[[1], [1]],
        value=[20_000_000, 20_000_000],
        unit_work=[0.0],
        alpha=2,
        beta=1,
        resource=[[1], [1]],
        slots=[1, 1],
        cost=[1, 1],
        ability=[[0.5], [0.5]],
    )
    history = simulate(market, [0, 0], rounds=3, perform=fated([[CHEATED, MISSED], [DONE, MISSED], [DONE, DONE]]))
    assert history.removed.tolist() == [0, NEVER]
    assert sorted(history.failures.tolist()) == [1, 2] and sorted(history.served.tolist()) == [NEVER, 2]


def test_patience_ends():
    market = Market(
        demand=[[1]],
        value=[1_000_000],
        unit_work=[0.0],
        alpha=2,
        beta=1,
        resource=[[1]],
        slots=[1],
        cost=[9],
        ability=[[0.5]],
    )
    forever, gone = (simulate(market, [40.0], rounds=6, patience=patience) for patience in (None, 2))
    assert forever.waiting.tolist() == [0, 1, 1, 1, 1, 1] and forever.waited.tolist() == [5]
    assert gone.waiting.tolist() == [0, 1, 1, 0, 0, 0] and gone.waited.tolist() == [2]


@pytest.mark.parametrize("value", [AMOUNT_LIMIT - 4_000_000, 2**61, 2**52])
def test_raised_values_never_leave_int64(value):
    market = Market(
        demand=[[1], [1]],
        value=[value - 1_000_000, 1_000_000],
        unit_work=[0.0],
        alpha=2,
        beta=1,
        resource=[[1], [1]],
        slots=[1, 1],
        cost=[0, 0],
        ability=[[0.5], [0.5]],
    )
    history = simulate(
        market, [0, 0], rounds=9, perform=failing_at_random(2, 1.0, 0.0, 0), raise_factor=1000, printed=True
    )
    assert history.failures.tolist() == [9, 9]
    assert (history.ranked_by >= market.value).all() and history.ranked_by.sum() < AMOUNT_LIMIT
    unraised = simulate(market, [0, 0], rounds=2, perform=failing_at_random(2, 1.0, 0.0, 0), raise_factor=1)
    assert unraised.ranked_by.tolist() == market.value.tolist()
