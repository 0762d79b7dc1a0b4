"""The referee itself, against every 0-1 matrix of a tiny market."""

from dataclasses import replace
from itertools import compress, product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from auction.market import READINGS, Market
from auction.solvers import solve


def best_matrix(market, reading):
    """max sum_i b_i y_i - sum_ij c_j A_ij over all A, constraint by constraint; y_i = 1 where row i is not empty."""
    C, s, w = market.demand, market.resource, market.slots
    bid, cost, best = market.net_bid.tolist(), market.cost.tolist(), 0
    for entries in product((0, 1), repeat=market.tasks * market.providers):
        A = np.array(entries, dtype=np.int64).reshape(market.tasks, market.providers)
        y = A.any(axis=1)
        if (A.sum(axis=0) > w).any() or (A @ s < C * y[:, None]).any():
            continue
        if reading == "whole" and (A.sum(axis=1) > 1).any():
            continue
        best = max(best, sum(compress(bid, y)) - sum(compress(cost * market.tasks, entries)))
    return best


@pytest.mark.parametrize("reading", READINGS)
@given(market=st.from_type(Market))
def test_optimum_over_all_matrices(reading, market):
    assume(market.tasks * market.providers <= 9)
    outcome = solve(market, "brute_force", reading=reading)
    assert outcome.welfare == outcome.bound == best_matrix(market, reading)
    assert outcome.proven_optimal and outcome.status == "optimal"


@pytest.mark.parametrize("sizes, slots", [((2, 13), 1), ((8, 9), 8)])
def test_what_it_refuses(generate, refusal, sizes, slots):
    market = replace(generate("uniform", *sizes), slots=[slots] * sizes[1])
    assert refusal(solve, market, "brute_force").startswith("market: brute_force takes at most 12 providers")


def test_many_tasks(generate):
    """As deep as the tasks are many: one provider, the best bid that it covers."""
    market = generate("uniform", 3000, 1, 2)
    covered = (market.resource[0] >= market.demand).all(axis=1)
    best = max([0, *(market.net_bid[covered] - market.cost[0]).tolist()])
    assert solve(market, "brute_force").welfare == best > 0


def test_cut_short_it_keeps_what_it_found(generate):
    market = replace(generate("uniform", 200, 9, 2), slots=[2] * 9)
    outcome = solve(market, "brute_force", time_limit=0.3)
    assert outcome.status == "time limit" and not outcome.proven_optimal
    assert outcome.bound == market.net_bid.clip(0).sum() > outcome.welfare
