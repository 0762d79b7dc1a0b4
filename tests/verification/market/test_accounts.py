"""Divisions are exact, and what is left over is burnt."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.ledger.state import BURNT, FUND, OUTSIDE, Draft, State
from verification.market.accounts import free, move_all, rounded_up, slash, split, stake


@given(st.integers(0, 2**63 - 1), st.fractions(0, Fraction(1, 2)), st.fractions(0, Fraction(1, 2)))
def test_a_split_sums_to_the_amount(amount, one, other):
    parts = split(amount, one, other)
    assert sum(parts) == amount and min(parts) >= 0
    assert parts[0] <= amount * one < parts[0] + 1 and parts[1] <= amount * other < parts[1] + 1


@given(st.integers(0, 2**63 - 1), st.fractions(0, 1))
def test_a_fee_is_the_least_whole_amount_that_is_its_share(amount, share):
    assert rounded_up(amount, share) - 1 < amount * share <= rounded_up(amount, share)


@pytest.mark.parametrize("held", [0, 1, 7, 8_001])
def test_a_slash_leaves_nothing(held):
    draft = Draft(State())
    if held:
        draft.move(OUTSIDE, stake("a", "lease"), held)
    slash(draft, stake("a", "lease"), (free("b"), Fraction(1, 8)), (FUND, Fraction(1, 4)))
    assert draft.balance(stake("a", "lease")) == draft.total("a") == 0
    assert (draft.balance(free("b")), draft.balance(FUND)) == (held // 8, held // 4)
    assert draft.balance(BURNT) == held - held // 8 - held // 4
    move_all(draft, free("b"), free("a"))
    move_all(draft, free("b"), free("a"))
    assert draft.balance(free("a")) == held // 8
