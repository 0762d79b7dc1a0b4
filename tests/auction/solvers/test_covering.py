"""Cheapest covers against all subsets of slots."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from auction.solvers import _covering as covering
from auction.solvers._covering import cheapest_cover


@st.composite
def covers(draw, largest=5, most_slots=6):
    """Demand, supply and cost of a covering problem."""
    types, slots = draw(st.integers(1, 3)), draw(st.integers(0, most_slots))
    demand = draw(arrays(np.int64, types, elements=st.integers(0, largest)).filter(np.any))
    supply = draw(arrays(np.int64, (slots, types), elements=st.integers(0, largest)))
    cost = draw(arrays(np.int64, slots, elements=st.integers(0, 3) | st.integers(0, 10**12)))
    return demand, supply, cost


def least_cost(demand, supply, cost):
    """By exhaustion; None where nothing covers."""
    subsets = (list(s) for size in range(1, len(cost) + 1) for s in combinations(range(len(cost)), size))
    return min((int(cost[s].sum()) for s in subsets if (supply[s].sum(axis=0) >= demand).all()), default=None)


@given(covers())
def test_cover_is_the_cheapest_of_all_subsets(problem):
    demand, supply, cost = problem
    chosen, least = cheapest_cover(demand, supply, cost), least_cost(*problem)
    assert np.unique(chosen).size == chosen.size
    if least is None:
        assert chosen.size == 0
    else:
        assert (supply[chosen].sum(axis=0) >= demand).all() and cost[chosen].sum() == least


@given(covers(), st.integers(covering.STATE_LIMIT, 2**50))
def test_fallback_covers_whatever_can_be_covered_without_redundant_slots(problem, factor):
    demand, supply, cost = problem
    assume((supply * demand).any())
    demand, supply = demand * factor, supply * factor
    chosen, least = cheapest_cover(demand, supply, cost), least_cost(demand, supply, cost)
    if least is None:
        assert chosen.size == 0
        return
    assert (supply[chosen].sum(axis=0) >= demand).all() and cost[chosen].sum() >= least
    for slot in chosen[cost[chosen] > 0]:
        rest = chosen[chosen != slot]
        assert (supply[rest].sum(axis=0) < demand).any()


def test_fallback_is_taken_beyond_the_limit_and_can_be_dearer():
    # Per request the slot of 3 is cheapest, yet the pair 2 + 2 covers for less than 3 + 2.
    demand, supply, cost = np.array([4]), np.array([[3], [2], [2]]), np.array([30, 21, 21])
    assert sorted(cheapest_cover(demand, supply, cost)) == [1, 2]
    scale = covering.STATE_LIMIT
    assert sorted(cheapest_cover(demand * scale, supply * scale, cost)) == [0, 1]


@pytest.mark.parametrize("copies", [1, 2, 3])
def test_a_slot_is_used_at_most_once(copies):
    chosen = cheapest_cover(np.array([6]), np.array([[3]] * copies), np.full(copies, 5))
    assert chosen.size == (2 if copies > 1 else 0)


@pytest.mark.parametrize("demand", [[10**6, 10**6], [2**61]], ids=str)
@pytest.mark.parametrize("slots", [0, 1, 7, 8])
def test_demands_of_any_size(demand, slots):
    demand = np.array(demand)
    some, none = np.tile(demand // 8, (slots, 1)), np.zeros((slots, demand.size), dtype=np.int64)
    assert cheapest_cover(demand, none, np.arange(slots)).size == 0
    assert cheapest_cover(demand, some, np.arange(slots)).size == (8 if slots == 8 else 0)


def literal(demand, supply, cost):
    """Dobson's greedy as it is stated, then redundant slots dropped, dearest first."""
    q, chosen = demand.copy(), []
    while q.any():
        useful = np.minimum(q, supply).sum(axis=1)
        ratio = np.array([cost[a] / useful[a] if useful[a] and a not in chosen else np.inf for a in range(cost.size)])
        if not cost.size or ratio.min() == np.inf:
            return []
        chosen.append(int(ratio.argmin()))
        q = np.maximum(q - supply[chosen[-1]], 0)
    for a in np.argsort(-cost):
        rest = [b for b in chosen if b != a]
        if a in chosen and (supply[rest].sum(axis=0) >= demand).all():
            chosen = rest
    return sorted(chosen)


@given(covers(most_slots=12))
def test_the_heap_takes_what_the_literal_greedy_takes(problem):
    """Equal ratios and all: ties go by index."""
    assert np.flatnonzero(covering._greedy_cover(*problem)).tolist() == literal(*problem)


def test_one_task_of_very_many_slots_is_covered():
    supply = np.random.default_rng(0).integers(1, 600, (100_000, 1))
    chosen = cheapest_cover(np.array([10**7]), supply, supply[:, 0] ** 2)
    assert supply[chosen].sum() >= 10**7
