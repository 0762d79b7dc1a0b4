"""The pairs that are left: by their definition, and losing no welfare."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auction.market import READINGS, Market
from auction.solvers import _formulation as formulation
from auction.solvers import solve
from auction.solvers._formulation import candidates


def useful_pairs(market, reading):
    """Slot by slot, then tasks that all their pairs together do not cover are dropped."""
    demand, resource = market.demand.tolist(), market.resource.tolist()
    bid, cost, slots = market.net_bid.tolist(), market.cost.tolist(), market.slots.tolist()
    kept = {}
    for i, C in enumerate(demand):
        pairs = {}
        for j, s in enumerate(resource):
            cut = [min(a, b) for a, b in zip(s, C, strict=True)]
            helps = cut == C if reading == "whole" else any(cut)
            if slots[j] > 0 and helps and cost[j] <= bid[i] and bid[i] > 0:
                pairs[i, j] = cut
        if pairs and all(sum(column) >= c for column, c in zip(zip(*pairs.values(), strict=True), C, strict=True)):
            kept |= pairs
    return kept


@given(st.from_type(Market), st.sampled_from(READINGS))
def test_pairs_are_those_of_the_definition(market, reading):
    kept, expected = candidates(market, reading), useful_pairs(market, reading)
    assert list(zip(kept.task.tolist(), kept.provider.tolist(), strict=True)) == list(expected)
    assert kept.useful.tolist() == list(expected.values())
    assert kept.tasks.tolist() == sorted({i for i, _ in expected})


@given(st.from_type(Market), st.sampled_from(READINGS))
def test_no_welfare_is_lost(market, reading):
    """Providers without any pair, tasks without any: the optimum of the market without them is the same."""
    kept = candidates(market, reading)
    slots = np.where(np.isin(np.arange(market.providers), kept.provider), market.slots, 0)
    value = np.where(np.isin(np.arange(market.tasks), kept.tasks), market.value, 0)
    smaller = replace(market, slots=slots, value=value)
    one, other = (solve(each, "brute_force", reading=reading).welfare for each in (market, smaller))
    assert one == other


@pytest.mark.parametrize("solver", ["ilp_pulp", "ilp_cpsat", "ilp_scip", "lp_bound"])
def test_too_many_pairs_are_refused(generate, refusal, monkeypatch, solver):
    monkeypatch.setattr(formulation, "PAIR_LIMIT", 11)
    message = refusal(solve, generate("uniform", 3, 4), solver)
    assert message.startswith("market: 3 tasks x 4 providers is beyond 11 pairs")
