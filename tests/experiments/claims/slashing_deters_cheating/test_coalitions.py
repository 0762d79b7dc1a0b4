"""Coalitions and drains agree with their closed forms; draws are the market's; what the rules bound stays bounded."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from experiments.claims.slashing_deters_cheating import coalitions, drains
from experiments.claims.slashing_deters_cheating.deterrence import MARKET

NONE, FIFTH, HALF = Fraction(0), Fraction(1, 5), Fraction(1, 2)


@pytest.fixture(scope="module")
def found():
    return pd.DataFrame(coalitions.play(2500)).set_index(["coalition", "part"])


def test_shares_and_gains_are_what_the_closed_forms_say(found):
    """Within 4 standard errors in every setting; exactly where nothing is drawn."""
    p = found["escaped, closed form"]
    error = np.sqrt(p * (1 - p) / 2500)
    assert ((found["escaped"] - p).abs() <= 4 * error + 1e-12).all()
    error = (found["gain, high"] - found["gain, low"]) / (2 * 1.96)
    assert ((found["gain"] - found["gain, closed form"]).abs() <= 4 * error + 1e-12).all()
    assert ((found["escaped, low"] <= found["escaped"]) & (found["escaped"] <= found["escaped, high"])).all()


def test_the_markets_rules_deter_what_they_say_and_no_more(found):
    closed = found["gain, closed form"]
    assert (closed[coalitions.BOTH] < 0).all() and closed[coalitions.BOTH].idxmax() == 0.3
    assert closed[coalitions.BUSY][0.2] == 0 < closed[coalitions.BUSY][0.25]
    assert (closed[coalitions.VERIFIER] <= 0).all() and closed[coalitions.ALONE].item() == pytest.approx(-0.8)
    assert closed[coalitions.COORDINATOR][0.0] == 1 and closed[coalitions.COORDINATOR][0.25] < 0


def test_who_is_absent_is_passed_over():
    audited, friendly = coalitions.audits(2000, FIFTH, Fraction(1), "all strangers")
    assert (friendly == audited).all() and 0.15 < audited.mean() < 0.25
    assert not coalitions.audits(500, NONE, HALF, "no friends")[1].any()
    assert (coalitions.audits(50, FIFTH, NONE, "one")[0] != coalitions.audits(50, FIFTH, NONE, "other")[0]).any()


@pytest.fixture(scope="module")
def funds():
    return pd.DataFrame(drains.play(30, 12_000)).set_index("orders")


def test_the_fund_goes_where_the_closed_forms_say(funds):
    error = (funds["fund a task, high"] - funds["fund a task, low"]) / (2 * 1.96)
    assert ((funds["fund a task"] - funds["fund a task, closed form"]).abs() <= 4 * error + 1e-12).all()
    assert np.allclose(funds["coalition a task"], funds["coalition a task, closed form"], atol=0.01)


def test_what_the_bound_keeps_is_kept_and_the_rest_runs_out(funds):
    kept = funds["bound"] < 1
    assert kept.sum() == 4 and (funds["ran out"][kept] == 0).all() and (funds["bound"][kept] < 1e-5).all()
    evading = funds[~kept & (funds["fund a task, closed form"] < 0)]
    assert len(evading) == 2 and (evading["ran out"] == 1).all()


def test_only_evaded_fees_and_unbounded_pay_make_a_coalition_gain_by_orders_to_itself():
    gains = {orders.name: orders.expected()[1] for orders in drains.STRATEGIES if orders.sham}
    assert [gain > 0 for gain in gains.values()] == [False, False, True, True]
    assert drains.STRATEGIES[2].expected() == (Fraction(1, 50), Fraction(1, 25) - MARKET.fee)
