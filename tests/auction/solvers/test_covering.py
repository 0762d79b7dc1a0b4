"""Cheapest covers against all subsets of slots, in Python's integers."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from auction.solvers._covering import ANY_NODES, UNINTERRUPTED, cheapest_cover, greedy_cover
from auction.solvers._covering.by_size import CHEAPEST, covers_by_size
from auction.solvers._covering.enumeration import covers_within
from auction.solvers._covering.search import branch_and_bound

BEYOND = 2**62  # no cover of the tests costs so much
FACTORS = [1, 7, 10**4, 10**14]  # from 10^4 on demands have no small lattice


@st.composite
def covers(draw, largest=6, most_slots=7, most_types=4):
    """Demand, supply and cost of a covering problem; ties and free slots are common."""
    types, slots = draw(st.integers(1, most_types)), draw(st.integers(0, most_slots))
    factor = draw(st.sampled_from(FACTORS))
    demand = draw(arrays(np.int64, types, elements=st.integers(0, largest)).filter(np.any))
    supply = draw(arrays(np.int64, (slots, types), elements=st.integers(0, largest)))
    noise = draw(arrays(np.int64, (slots, types), elements=st.integers(0, factor - 1)))
    amounts = draw(st.sampled_from([st.integers(0, 3), st.integers(1, 50), st.integers(2**56, 2**57), st.just(2**59)]))
    cost = draw(arrays(np.int64, slots, elements=amounts))
    return demand * factor, supply * factor + noise * (supply > 0), cost


def all_covers(demand, supply, cost):
    """(cost, slots) of every subset that covers."""
    demand, supply, cost = demand.tolist(), supply.tolist(), cost.tolist()
    for size in range(len(cost) + 1):
        for slots in combinations(range(len(cost)), size):
            if all(sum(supply[j][k] for j in slots) >= q for k, q in enumerate(demand)):
                yield sum(cost[j] for j in slots), slots


def covered(problem, limit=BEYOND, multiplier=None, nodes=ANY_NODES, tolerance=0, flag=UNINTERRUPTED):
    u = np.zeros(problem[0].size) if multiplier is None else multiplier
    lower, upper, members = cheapest_cover(*problem, limit, u, nodes, tolerance, flag)
    demand, supply, cost = problem
    assert np.unique(members).size == members.size and 0 <= lower <= upper <= limit
    assert (upper == limit) if not members.size else upper < limit
    if members.size:
        assert sum(cost[members].tolist()) == upper and (supply[members].sum(axis=0) >= demand).all()
    return lower, upper


@given(covers(), st.none() | st.integers(0, 200) | st.integers(2**56, 2**60))
def test_bounds_meet_at_the_cheapest_of_all_subsets(problem, limit):
    limit = BEYOND if limit is None else limit
    least = min((cost for cost, _ in all_covers(*problem)), default=limit)
    assert covered(problem, limit) == (min(least, limit), min(least, limit))


@given(covers(), st.integers(0, 3), st.integers(0, 2**57), st.sampled_from([0.0, 1e-12, 1e-3, 1.0, 1e9, 1e40]))
def test_cut_short_or_from_any_multipliers_bounds_hold(problem, nodes, tolerance, start):
    least = min((cost for cost, _ in all_covers(*problem)), default=BEYOND)
    u = np.full(problem[0].size, start)
    lower, upper = covered(problem, multiplier=u, nodes=nodes, tolerance=tolerance)
    assert lower <= least <= upper
    assert np.isfinite(u).all() and (u >= 0).all()
    assert covered(problem, multiplier=u, tolerance=tolerance)[0] >= least - tolerance
    assert covered(problem, multiplier=u) == (least, least)


@given(covers(), st.integers(0, 200) | st.integers(2**58, 2**61))
def test_every_minimal_cover_within_a_budget_is_listed_once(problem, budget):
    demand, supply, cost = problem
    slot = np.ascontiguousarray(np.minimum(supply, demand)[:, demand > 0])
    need = demand[demand > 0]
    ends, members = covers_within(need, slot, cost, budget, np.zeros(need.size), 10**6, UNINTERRUPTED)
    listed = [tuple(sorted(part.tolist())) for part in np.split(members, ends[:-1])] if ends.size else []
    of_all = [(price, set(slots)) for price, slots in all_covers(*problem)]
    minimal = [slots for price, slots in of_all if price <= budget and not any(other < slots for _, other in of_all)]
    assert sorted(listed) == sorted(tuple(sorted(slots)) for slots in minimal)
    few, _ = covers_within(need, slot, cost, budget, np.zeros(need.size), 1, UNINTERRUPTED)
    assert few.size == min(ends.size, 2)


def test_a_raised_flag_ends_the_search():
    rng = np.random.default_rng(3)
    demand, supply = np.full(6, 40_000), rng.integers(0, 9_000, (60, 6))
    problem = demand, supply, rng.integers(10_000, 50_000, 60)
    lower, upper = covered(problem, flag=np.ones(1, dtype=np.int64))
    least, same = covered(problem)
    assert lower < least == same <= upper


def test_larger_problems_are_solved_as_the_lattice_solves_them():
    """The same programme by plain dynamic programming in Python, with some slots equal."""
    rng = np.random.default_rng(5)
    for _ in range(20):
        demand = rng.integers(2, 5, 3)
        supply = rng.integers(0, 3, (12, 3)).repeat(2, axis=0)
        cost = rng.integers(1, 30, 12).repeat(2)
        reached = {tuple(demand.tolist()): 0}
        for slot, price in zip(supply.tolist(), cost.tolist(), strict=True):
            for q, spent in list(reached.items()):
                rest = tuple(max(a - b, 0) for a, b in zip(q, slot, strict=True))
                reached[rest] = min(reached.get(rest, BEYOND), spent + price)
        least = reached.get((0, 0, 0), BEYOND)
        assert covered((demand, supply, cost)) == (least, least)
        assert covered((demand * 1000, supply * 1000, cost)) == (least, least)


@pytest.mark.parametrize("copies", [1, 2, 3])
def test_a_slot_is_used_at_most_once(copies):
    problem = np.array([6]), np.array([[3]] * copies), np.full(copies, 5)
    assert covered(problem) == ((10, 10) if copies > 1 else (BEYOND, BEYOND))


@pytest.mark.parametrize("demand", [[10**6, 10**6], [2**61]], ids=str)
@pytest.mark.parametrize("slots", [0, 1, 7, 8])
def test_demands_of_any_size(demand, slots):
    demand = np.array(demand)
    some, none = np.tile(demand // 8, (slots, 1)), np.zeros((slots, demand.size), dtype=np.int64)
    assert covered((demand, none, np.arange(slots))) == (BEYOND, BEYOND)
    assert covered((demand, some, np.arange(slots)))[1] == (28 if slots == 8 else BEYOND)


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
    demand, supply, cost = problem
    cost = np.minimum(cost, 50)
    assert np.flatnonzero(greedy_cover(demand, supply, cost, np.ones(demand.size))).tolist() == literal(
        demand, supply, cost
    )


def test_one_task_of_very_many_slots_is_covered():
    supply = np.random.default_rng(0).integers(1, 600, (100_000, 1))
    lower, upper = covered((np.array([10**7]), supply, supply[:, 0] ** 2), nodes=2)
    assert 0.99 * upper <= lower <= upper


@pytest.mark.parametrize("seed", range(3))
def test_few_nodes_prove_covers_of_few_slots_of_many_types(seed):
    rng = np.random.default_rng(seed)
    demand, supply = rng.integers(0, 23, 30), rng.integers(0, 11, (100, 30))
    cost = rng.integers(800, 1200, 100) + 20 * supply.sum(axis=1)
    lower, upper = covered((demand, supply, cost), nodes=2_000)
    assert lower == upper < BEYOND


@given(covers(largest=9, most_slots=9, most_types=5), st.integers(-1, 60))
def test_by_size_nothing_is_searched_or_all_of_interest(problem, limit):
    demand, supply, cost = problem
    order = np.argsort(cost)
    slot = np.ascontiguousarray(np.minimum(supply, demand)[order][:, demand > 0])
    need, price = demand[demand > 0], cost[order]
    limit = int(price.sum()) + 1 if limit < 0 else limit
    kept = price < limit
    if (slot[kept].sum(axis=0) < need).any():
        return
    arguments = limit, 0, np.zeros(need.size), ANY_NODES, 0
    lower, upper, ends, chosen = covers_by_size(need, slot[kept], price[kept], *arguments, CHEAPEST, UNINTERRUPTED)
    least = min((amount for amount, _ in all_covers(need, slot, price)), default=limit)
    if lower >= 0:
        assert lower == upper == min(least, limit)
        assert price[kept][chosen].sum() == upper or not ends.size
    else:
        assert upper == limit and not ends.size


def test_the_search_itself_finds_the_cheapest_of_many_slots():
    """Larger problems than hypothesis draws, which neither a lattice nor sizes decide before the search does."""
    rng, searched = np.random.default_rng(0), 0
    subsets = (np.arange(2**14)[:, None] >> np.arange(14) & 1).astype(np.int64)
    for _ in range(100):
        supply, cost = rng.integers(0, 7, (14, 3)), rng.integers(5, 12, 14)
        demand = supply.sum(axis=0) // 2
        least = (subsets @ cost)[(subsets @ supply >= demand).all(axis=1)].min()
        problem = (demand, np.minimum(supply, demand), cost, BEYOND)
        lower, upper, members = branch_and_bound(*problem, np.zeros(3), ANY_NODES, 0.0, UNINTERRUPTED)
        assert lower == upper == least == cost[members].sum()
        assert (supply[members].sum(axis=0) >= demand).all()
        first = branch_and_bound(*problem, np.zeros(3), 1, 0.0, UNINTERRUPTED)
        searched += first[0] < first[1]
    assert searched > 50
