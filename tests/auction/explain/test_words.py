"""Amounts are exact where they are copied, rounded half to even where they are looked at."""

from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auction.explain.thresholds import Threshold
from auction.explain.words import aligned, decimals, exact, fixed, trades_below, wins_above
from auction.tables.notes import count, listed, tokens

MICRO_TOKENS = st.integers(-(2**62), 2**62)


@given(MICRO_TOKENS, st.integers(0, 6))
def test_fixed_rounds_half_to_even(micro, places):
    rounded = Decimal(micro).scaleb(-6).quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    assert fixed(micro, places) == f"{rounded:,f}".replace("-0", "-0" if rounded else "0", 1)


@given(MICRO_TOKENS, st.integers(0, 6))
def test_exact_amounts_are_the_amounts(micro, places):
    for text in (exact(micro, places), tokens(micro), *aligned([micro])):
        assert Decimal(text.replace(",", "")).scaleb(6) == micro


def test_names_with_commas_are_parted_by_semicolons():
    assert listed(["a", "b c"]) == "a, b c" and listed(["a, b", "c"]) == "a, b; c" and listed([]) == ""


def test_a_column_has_one_number_of_places():
    assert aligned([1_500_000, None, 2_000_000, 1_230_000]) == ["1.50", "", "2.00", "1.23"]
    assert aligned([3_000_000]) == ["3"] and aligned([]) == []
    assert [decimals(np.array(each)) for each in ([10**6], [10**5], [1], [0, 20_000])] == [0, 1, 6, 2]


@pytest.mark.parametrize(
    "threshold, above, below",
    [
        (Threshold(2_000_000, 2_000_000), "3.00", "2.00"),
        (Threshold(1_000_000, 2_000_000), "2.00 to 3.00", "1.00 to 2.00"),
        (Threshold(1_000_000), "at least 2.00", "at least 1.00"),
        (Threshold(None, 2_000_000), "at most 3.00", "at most 2.00"),
        (Threshold(None, 0), "at most 1.00", "never"),
        (Threshold(), "", ""),
        (Threshold(never=True), "never", ""),
        (Threshold(-1_000_000), "", ""),  # above 0, as every amount is
        (Threshold(-2_000_000, 2_000_000), "at most 3.00", "at most 2.00"),
    ],
)
def test_thresholds_in_words(threshold, above, below):
    assert wins_above(threshold, 1_000_000, 2) == above  # a task's extra cost is added
    assert trades_below(threshold, 2) == below


def test_one_and_several():
    assert (count(1, "task", "tasks"), count(1200, "task", "tasks")) == ("1 task", "1,200 tasks")
