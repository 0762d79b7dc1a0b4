"""The check of feasibility against a literal definition, on good allocations spoilt in every way."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auction.allocation import Allocation, check
from auction.market import READINGS, Market
from auction.solvers import solve

FEASIBLE = st.tuples(st.from_type(Market), st.sampled_from(READINGS))


def pairs_of(allocation):
    return list(zip(allocation.task.tolist(), allocation.provider.tolist(), strict=True))


def allocation_of(pairs):
    """Not sorted: a check must not rely on it."""
    task, provider = zip(*pairs, strict=True) if pairs else ((), ())
    return Allocation(np.array(task, dtype=np.int64), np.array(provider, dtype=np.int64))


def feasible(market, pairs, reading):
    """The exact model, constraint by constraint."""
    if any(i not in range(market.tasks) or j not in range(market.providers) for i, j in pairs):
        return False
    demand, resource, slots = market.demand.tolist(), market.resource.tolist(), market.slots.tolist()
    for i in {i for i, _ in pairs}:
        serving = [j for task, j in pairs if task == i]
        if reading == "whole" and len(serving) > 1:
            return False
        if any(sum(resource[j][k] for j in serving) < demand[i][k] for k in range(market.types)):
            return False
    binary = len(set(pairs)) == len(pairs)
    return binary and all(count <= slots[j] for j, count in Counter(j for _, j in pairs).items())


def mentions(faults, *words):
    return any(all(word in fault for word in words) for fault in faults)


def served(market, reading):
    return pairs_of(solve(market, "greedy", reading=reading).allocation)


@given(FEASIBLE, st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 5)), max_size=6))
def test_check_finds_nothing_exactly_where_the_definition_holds(drawn, pairs):
    market, reading = drawn
    assert (check(market, allocation_of(pairs), reading) == []) == feasible(market, pairs, reading)


@given(FEASIBLE)
def test_check_accepts_what_is_feasible(drawn):
    market, reading = drawn
    pairs = served(market, reading)
    assert feasible(market, pairs, reading) and check(market, allocation_of(pairs[::-1]), reading) == []


@given(FEASIBLE)
def test_a_pair_that_is_missing(drawn):
    market, reading = drawn
    pairs = served(market, reading)
    for i, j in pairs:
        rest = [pair for pair in pairs if pair != (i, j)]
        named = mentions(check(market, allocation_of(rest), reading), f"task {i} is short of", "requests of type")
        assert named == (not feasible(market, rest, reading))


@given(FEASIBLE)
def test_a_pair_that_is_doubled(drawn):
    market, reading = drawn
    pairs = served(market, reading)
    for i, j in pairs:
        faults = check(market, allocation_of([*pairs, (i, j)]), reading)
        assert mentions(faults, f"task {i} takes provider {j} more than once")


@given(FEASIBLE)
def test_more_tasks_than_slots(drawn):
    market, reading = drawn
    pairs = [(i, j) for i in range(market.tasks) for j in range(market.providers)]
    faults = check(market, allocation_of(pairs), reading)
    for j, slots in enumerate(market.slots.tolist()):
        named = mentions(faults, f"provider {j} serves {market.tasks} tasks with {slots} slots")
        assert named == (market.tasks > slots)


@given(FEASIBLE)
def test_indices_out_of_range(drawn):
    market, reading = drawn
    pairs = served(market, reading)
    for place, (i, j) in enumerate(pairs):
        for name, size in (("task", market.tasks), ("provider", market.providers)):
            for index in (-1, size, 2**62):
                spoilt = (index, j) if name == "task" else (i, index)
                faults = check(market, allocation_of([*pairs[:place], spoilt, *pairs[place + 1 :]]), reading)
                assert faults == [f"pair {place}: {name} {index} does not exist; the market has {size}"]


INDICES = st.one_of(st.integers(-3, 6), st.sampled_from([2**31, 2**62, 2**63 - 1, -(2**62), -(2**63)]))


@given(st.lists(st.tuples(INDICES, INDICES), max_size=8))
def test_pairs_are_sorted_whatever_they_are(pairs):
    assert pairs_of(Allocation.of(*zip(*pairs, strict=True)) if pairs else Allocation.empty()) == sorted(pairs)


def test_each_constraint_is_named():
    market = Market(
        demand=[[3, 0], [1, 1]],
        value=[1, 1],
        unit_work=[0, 0],
        alpha=2,
        beta=1,
        resource=[[2, 0], [1, 1], [0, 5]],
        slots=[1, 1, 0],
        cost=[1, 1, 1],
        ability=np.zeros((3, 2)),
    )
    assert check(market, allocation_of([(0, 1), (0, 0)]), "bundle") == []
    assert check(market, allocation_of([(0, 0), (0, 1)]), "whole") == ["task 0 is split over 2 providers"]
    assert check(market, allocation_of([(1, 2), (0, 0), (1, 0)]), "bundle") == [
        "provider 0 serves 2 tasks with 1 slots",
        "provider 2 serves 1 tasks with 0 slots",
        "task 0 is short of 1 requests of type 0",
    ]


@pytest.mark.parametrize("reading", READINGS)
def test_nothing_is_feasible(reading):
    market = Market(
        demand=np.empty((0, 1)),
        value=[],
        unit_work=[0],
        alpha=2,
        beta=1,
        resource=np.empty((0, 1)),
        slots=[],
        cost=[],
        ability=np.empty((0, 1)),
    )
    assert check(market, Allocation.empty(), reading) == []
    assert len(check(market, allocation_of([(0, 0)]), reading)) == 2
