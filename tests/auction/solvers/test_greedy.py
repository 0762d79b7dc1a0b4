"""The greedy against a literal coding with exhaustive covers."""

from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auction.allocation import check
from auction.market import READINGS, Market
from auction.search import Stop
from auction.solvers import greedy, solve


def cheapest(market, i, left, reading):
    """(cost, providers) of the cheapest cover of a task among the slots left; None where there is none."""
    free = [j for j in range(market.providers) if left[j] > 0]
    most = 1 if reading == "whole" else len(free)
    sets = (list(s) for size in range(1, most + 1) for s in combinations(free, size))
    covers = [s for s in sets if (market.resource[s].sum(axis=0) >= market.demand[i]).all()]
    return min(((int(market.cost[s].sum()), s) for s in covers), default=None)


@pytest.mark.parametrize("norm", ["unit", "root"])
@pytest.mark.parametrize("reading", READINGS)
@given(market=st.from_type(Market))
def test_tasks_by_their_ratio_take_their_cheapest_covers(reading, norm, market):
    """Follow the greedy's own choice among equally cheap covers; everything else is forced."""
    outcome = solve(market, "greedy", reading=reading, options={"norm": norm})
    assert not check(market, outcome.allocation, reading)
    bid, size = market.net_bid.tolist(), market.demand.sum(axis=1).tolist()
    power = 2 if norm == "unit" else 1  # squares, so that roots stay exact; bids below 0 never win

    def ratio(i):
        return Fraction(max(bid[i], 0) ** 2, size[i] ** power)

    left, welfare = market.slots.tolist(), 0
    for i in sorted(range(market.tasks), key=lambda i: (-ratio(i), i)):
        taken = outcome.allocation.provider[outcome.allocation.task == i].tolist()
        least = cheapest(market, i, left, reading)
        wins = least is not None and least[0] <= bid[i]
        assert bool(taken) == wins
        if wins:
            assert market.cost[taken].sum() == least[0]
            welfare += bid[i] - least[0]
        for j in taken:
            left[j] -= 1
    assert outcome.welfare == welfare and min(left, default=0) >= 0


def test_a_raised_flag_ends_it_between_two_tasks(generate):
    market = generate("classes", 300, 400, 2)
    stop = Stop(None)
    stop.interrupt()
    assert not greedy.solve(market, "bundle", stop, 0).allocation.task.size
