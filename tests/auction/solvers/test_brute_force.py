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
