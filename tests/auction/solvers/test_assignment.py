"""The matching against SciPy's assignment on all slots, and against exact matchings where floats do not reach."""

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from auction import instances
from auction.certificate import derived_bound
from auction.market import MICRO, Market
from auction.search import Stop
from auction.solvers import assignment, greedy, solve
from auction.welfare import welfare


def matched(market):
    """The weight of the best assignment of tasks to slots; a pair that does not cover or does not pay weighs 0."""
    slot = np.repeat(np.arange(market.providers), np.minimum(market.slots, market.tasks))
    covers = (market.resource[slot] >= market.demand[:, None]).all(axis=2)
    weight = np.where(covers, np.maximum(market.net_bid[:, None] - market.cost[slot], 0), 0)
    return int(weight[linear_sum_assignment(weight, maximize=True)].sum())


def matched_exactly(market):
    """The same by a blossom algorithm in Python's integers."""
    bid, cost = market.net_bid.tolist(), market.cost.tolist()
    graph = nx.Graph()
    for i, demand in enumerate(market.demand.tolist()):
        for j, resource in enumerate(market.resource.tolist()):
            if bid[i] > cost[j] and all(c <= s for c, s in zip(demand, resource, strict=True)):
                for slot in range(min(int(market.slots[j]), market.tasks)):
                    graph.add_edge(("task", i), ("slot", j, slot), weight=bid[i] - cost[j])
    return sum(graph.edges[pair]["weight"] for pair in nx.max_weight_matching(graph))


def mixed(generate, family, seed, tasks=60, providers=80):
    market = generate(family, tasks, providers, 1 + seed % 3, seed)
    slots = np.random.default_rng(seed).integers(0, 4, providers) if seed % 2 else market.slots
    return replace(market, slots=slots)


def drawn(rng, tasks, providers, types, top, amount):
    """Demands to ``top``, amounts to ``amount``, few different ones where it is small."""
    return Market(
        demand=rng.integers(1, top + 1, (tasks, types)),
        value=rng.integers(0, amount + 1, tasks) + MICRO,
        unit_work=[0.0] * types,
        alpha=2,
        beta=1,
        resource=rng.integers(0, top + 1, (providers, types)),
        slots=rng.integers(0, 3, providers),
        cost=rng.integers(0, amount // 2 + 1, providers),
        ability=np.full((providers, types), 0.5),
    )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("family", instances.names())
def test_welfare_is_that_of_the_assignment(generate, family, seed):
    market = mixed(generate, family, seed)
    outcome = solve(market, "assignment", reading="whole")
    assert outcome.welfare == outcome.bound == matched(market)
    assert outcome.status == "optimal"


@pytest.mark.parametrize("top, amount", [(2, 6), (4, 3), (4000, 50), (2**40, 2**57), (10**15, 10**10), (3, 2**57)])
def test_any_demands_and_amounts(top, amount):
    """Near ties, and amounts that float64 does not hold."""
    rng = np.random.default_rng(top % 1000)
    for _ in range(40):
        market = drawn(rng, int(rng.integers(1, 9)), int(rng.integers(1, 9)), int(rng.integers(1, 4)), top, amount)
        outcome = solve(market, "assignment", reading="whole")
        assert outcome.welfare == outcome.bound == matched_exactly(market)


@given(st.from_type(Market))
def test_prices_prove_it(market):
    outcome = solve(market, "assignment", reading="whole")
    assert outcome.proven_optimal and outcome.welfare == matched_exactly(market)
    assert derived_bound(market, "whole", outcome.certificate.price, None) == outcome.certified_bound == outcome.bound


@pytest.mark.parametrize("types", [1, 2, 3])
def test_many_demands(types):
    market = drawn(np.random.default_rng(types), 300, 300, types, 4000, 10**9)
    outcome = solve(market, "assignment", reading="whole")
    assert outcome.welfare == outcome.bound == matched(market) > 0


class Looks(Stop):
    """Stops after so many looks."""

    def __init__(self, looks):
        super().__init__(None)
        self.looks = looks

    @property
    def now(self):
        self.looks -= 1
        return self.looks < 0


@pytest.mark.parametrize("looks", [0, 1, 2])
def test_cut_short_the_best_found_and_a_valid_bound_are_kept(generate, looks):
    market = mixed(generate, "uniform", 2)
    found = assignment.solve(market, "whole", Looks(looks), 0)
    known = welfare(market, greedy.solve(market, "whole", Stop(None), 0).allocation)
    assert known <= welfare(market, found.allocation) <= matched(market) <= found.bound
    assert found.status == ("optimal" if looks == 2 else "time limit")


def test_cut_short_between_tasks(monkeypatch):
    market = drawn(np.random.default_rng(0), 3000, 3000, 2, 4000, 10**9)
    optimum = solve(market, "assignment", reading="whole").welfare
    for looks in (1, 2, 3):
        found = assignment.solve(market, "whole", Looks(looks), 0)
        assert 0 < welfare(market, found.allocation) <= optimum <= found.bound


def test_more_vectors_than_it_takes(monkeypatch, refusal, generate):
    monkeypatch.setattr(assignment, "VECTOR_LIMIT", 5)
    line = refusal(solve, generate("uniform", 22, 22), "assignment", reading="whole")
    assert line.startswith("market: its providers have ") and line.endswith("; assignment takes at most 5")


@pytest.mark.parametrize("seed", range(4))
def test_relaxation_is_tight_under_whole(generate, seed):
    market = mixed(generate, "uniform", seed)
    assert solve(market, "lp_bound", reading="whole").bound == matched(market)
