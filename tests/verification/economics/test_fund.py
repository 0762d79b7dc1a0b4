"""The fund's closed forms against sums over draws; the bound on ruin against every path of small funds."""

from fractions import Fraction
from math import exp, inf, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.economics import fund

P, FEE, FIFTH = Fraction(1, 5), Fraction(11, 50), Fraction(1, 5)
chances = st.fractions(Fraction(1, 40), Fraction(1, 2), max_denominator=40)
pays = st.fractions(Fraction(1, 2), 2, max_denominator=20)


@given(p=chances, q=st.fractions(0, 1, max_denominator=40), pay=pays)
def test_what_a_lease_brings_is_summed_over_its_draws(p, q, pay):
    """A fee a lease; of a result that a stranger audits and that is wrong, a part of its stake instead."""
    draws = [(1 - p, False, False), (p * q, True, True), (p * (1 - q), True, False)]
    right = sum(chance * (FEE - audited * pay) for chance, audited, _ in draws)
    wrong = sum(c * ((2 if audited and not friend else FEE) - audited * pay) for c, audited, friend in draws)
    sham = sum(chance * (friend * pay - FEE) for chance, _, friend in draws)
    assert fund.drift(p, FEE, pay) == right
    assert fund.fallen(p, q, FEE, pay, Fraction(1, 4), 8) == wrong >= right
    assert fund.sham_order(p, q, FEE, pay) == sham


@given(q=st.fractions(0, Fraction(99, 100), max_denominator=100))
def test_no_sham_order_pays_while_the_fee_is_what_audits_cost(q):
    assert fund.sham_order(P, q, FEE, FEE / P) < 0


@given(p=chances, pay=pays, grown=st.fractions(Fraction(21, 20), 2, max_denominator=20))
def test_the_adjustment_solves_its_equation(p, pay, grown):
    fee = p * pay * grown
    if fee < pay:
        r = fund.adjustment(p, fee, pay)
        mean = (1 - p) * exp(-r * fee) + p * exp(r * (pay - fee))
        assert r > 0 and mean == pytest.approx(1, abs=1e-9)
        for x in (0.1, 0.5, 0.9):  # any price but the largest: E exp(-R x X) <= 1
            assert (1 - p) * exp(-r * x * fee) + p * exp(r * x * (pay - fee)) <= 1


def ever_ruined(start: int, p: float, steps: int) -> float:
    """Chance that a fund of whole prices falls below 0 in so many leases, each of fee 1/2 and pay 1: every path, by
    dynamic programming over halves."""
    chances, ruined = {2 * start: 1.0}, 0.0
    for _ in range(steps):
        after: dict[int, float] = {}
        for halves, chance in chances.items():
            for change, part in ((1, 1 - p), (-1, p)):
                if halves + change < 0:
                    ruined += chance * part
                else:
                    after[halves + change] = after.get(halves + change, 0.0) + chance * part
        chances = after
    return ruined


@pytest.mark.parametrize("start", [0, 1, 3])
def test_ruin_is_bounded_and_the_bound_is_near(start):
    """Steps of +1/2 and -1/2: R = 2 log((1 - p) / p); never below 0 but with chance (p / (1 - p))^(2 start + 1)."""
    p, fee, pay = Fraction(2, 5), Fraction(1, 2), Fraction(1)
    assert fund.adjustment(p, fee, pay) == pytest.approx(2 * log(1.5))
    exact, bound = ever_ruined(start, 0.4, 400), fund.ruin(start, p, fee, pay)
    assert exact == pytest.approx(1.5 ** -(2 * start + 1), rel=1e-3)
    assert exact <= bound == pytest.approx(1.5 ** (-2 * start))


def test_a_fund_that_does_not_grow_is_ruined_whatever_it_begins_with():
    assert fund.adjustment(P, FEE, FEE / P) == 0.0
    assert fund.ruin(10**6, P, FEE, FEE / P) == 1.0 and fund.least_fund(1e-6, P, FEE, FEE / P) == inf
    assert fund.least_fund(1e-6, P, FEE, Fraction(1)) == pytest.approx(57.902, abs=1e-3)
    assert fund.ruin(fund.least_fund(1e-6, P, FEE, Fraction(1)), P, FEE, Fraction(1)) == pytest.approx(1e-6)


def test_a_fee_that_pays_every_audit_cannot_be_outspent():
    assert fund.adjustment(Fraction(1), Fraction(11, 10), Fraction(1)) == inf == fund.adjustment(Fraction(0), FEE, P)
    assert fund.ruin(1, Fraction(1), Fraction(11, 10), Fraction(1)) == 0.0
