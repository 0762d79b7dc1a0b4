"""e_i to the last micro-token: against 60 digits, powers of the base, and on processors with other logarithms."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auction import extra_cost
from auction.market import MICRO, Market


def in_decimals(work, alpha):
    with localcontext(prec=60):
        return round(MICRO * Decimal(work) * (Decimal(work).ln() / Decimal(alpha).ln()))


def costs(work, alpha):
    return extra_cost.rounded(np.array(work, dtype=float), alpha, MICRO).tolist()


@given(st.lists(st.floats(1.0, 2.0**35), max_size=20), st.integers(2, 2**63 - 1))
def test_costs_are_those_of_sixty_digits(work, alpha):
    assert costs(work, alpha) == [in_decimals(tau, alpha) for tau in work]


@pytest.mark.parametrize("seed", range(3))
def test_costs_as_large_as_a_market_holds(seed):
    rng = np.random.default_rng(seed)
    work = np.exp2(rng.uniform(20, 36, 300))
    alpha = int(rng.integers(2, 100))
    assert costs(work, alpha) == [in_decimals(float(tau), alpha) for tau in work]


@pytest.mark.parametrize("base, q", [(2, 62), (3, 32), (3, 39), (5, 16), (7, 22), (2**31 - 1, 2), (6, 3)])
def test_powers_of_the_base_are_exact(base, q):
    """log_alpha(tau) = p / q: the result is a fraction whose rounding integers give."""
    powers = [p for p in range(q + 1) if base**p < 2**40]
    expected = [round(Decimal(MICRO * base**p * p) / q) for p in powers]
    assert costs([base**p for p in powers], base**q) == expected


@pytest.mark.parametrize("bits", [-3, -2, -1, 0, 1, 2, 3])
def test_costs_do_not_depend_on_the_last_bits_of_a_logarithm(monkeypatch, bits):
    work = np.random.default_rng(bits + 3).uniform(1.0, 1e7, 20_000)
    right = costs(work, 2)
    logarithm = np.log
    monkeypatch.setattr(extra_cost.np, "log", lambda x: logarithm(x) * (1.0 + bits * 2.0**-52))
    assert costs(work, 2) == right


def test_a_work_whose_cost_processors_disagreed_on():
    market = Market(demand=[[5399527]], value=[2 * 10**14], unit_work=[1.0], alpha=2, beta=1, resource=[[5399527]],
                    slots=[1], cost=[0], ability=[[0.5]])  # fmt: skip
    assert market.extra_cost.tolist() == [in_decimals(5399527, 2) + MICRO]
