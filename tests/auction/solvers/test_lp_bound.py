"""The relaxation against SciPy's, written densely; any prices bound."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linprog

from auction import instances
from auction.market import READINGS, Market
from auction.solvers import lp_bound, solve
from auction.solvers._formulation import candidates
from auction.solvers._programme import Arithmetic, formulate


def relaxation(market, reading):
    """max b y - c A over 0 <= A_ij <= y_i <= 1, slots, covering with min(s, C), pairs with c_j <= b_i; all dense."""
    m, n, types = market.tasks, market.providers, market.types
    C, s, b, c = market.demand, market.resource, market.net_bid, market.cost
    covers = (s >= C[:, None]).all(axis=2)
    allowed = (c <= b[:, None]) & (b > 0)[:, None] & (covers if reading == "whole" else True)
    rows, limits = [], []

    def at_most(limit, y=(), A=()):
        row = np.zeros(m + m * n)
        for i, coefficient in y:
            row[i] = coefficient
        for i, j, coefficient in A:
            row[m + i * n + j] = coefficient
        rows.append(row)
        limits.append(limit)

    for j in range(n):
        at_most(market.slots[j], A=[(i, j, 1) for i in range(m)])
    for i in range(m):
        for k in range(types):
            at_most(0, y=[(i, C[i, k])], A=[(i, j, -min(s[j, k], C[i, k])) for j in range(n)])
        for j in range(n):
            at_most(0, y=[(i, -1)], A=[(i, j, 1)])
        if reading == "whole":
            at_most(1, A=[(i, j, 1) for j in range(n)])
    gain = np.concatenate((b, np.tile(-c, m))).astype(float)
    upper = np.concatenate((np.ones(m), allowed.ravel().astype(float)))
    solution = linprog(-gain, np.array(rows), limits, bounds=np.column_stack((np.zeros_like(upper), upper)))
    assert solution.status == 0
    return -solution.fun


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("family", instances.names())
def test_bound_is_that_of_the_relaxation(generate, family, reading, seed):
    market = generate(family, 8, 12, 1 + seed, seed)
    if seed == 2:
        market = replace(market, slots=np.random.default_rng(seed).integers(0, 3, market.providers))
    outcome, value = solve(market, "lp_bound", reading=reading), relaxation(market, reading)
    assert outcome.status == "bound" and outcome.welfare == 0
    assert value - 1e-6 * abs(value) - 1e-3 <= outcome.bound <= value + 1e-6 * abs(value) + 1
    exact = round(value)
    assert outcome.bound >= exact - 1 or abs(value - exact) > 1e-3


PRICES = st.sampled_from((0.0, 1.0, 1e5, 1e6, 5e6, -1.0, np.nan, np.inf)) | st.floats(0, 1e8)
ARITHMETICS = st.builds(Arithmetic, st.sampled_from((2**40, 2**24, 100)), st.sampled_from((2**15, 2, 1)))


@pytest.mark.parametrize("reading", READINGS)
@given(market=st.from_type(Market), data=st.data())
def test_any_prices_bound_the_optimum(reading, market, data):
    kept = candidates(market, reading)
    assume(kept.tasks.size)
    programme = formulate(market, reading, kept, data.draw(ARITHMETICS))
    slot_price = data.draw(arrays(np.float64, market.providers, elements=PRICES))
    request_price = data.draw(arrays(np.float64, (kept.tasks.size, market.types), elements=PRICES))
    optimum = solve(market, "brute_force", reading=reading).welfare
    assert programme.unit * lp_bound.dual_bound(programme, slot_price, request_price) >= optimum


def test_no_prices_bound_by_the_bids(generate):
    market = generate("uniform", 6, 8)
    kept = candidates(market, "bundle")
    programme = formulate(market, "bundle", kept, lp_bound.ARITHMETIC)
    zero = lp_bound.dual_bound(programme, np.zeros(8), np.zeros((kept.tasks.size, 2)))
    assert programme.unit * zero == market.net_bid[kept.tasks].sum()
