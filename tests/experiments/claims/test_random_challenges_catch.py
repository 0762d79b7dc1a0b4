"""The share of wrong results that a drawn audit caught is held against p d; a right one that fell refutes."""

import pandas as pd
import pytest

from experiments.claims import random_challenges_catch as claim

COLUMNS = ["seed", "strategy", "right", "audited", "fell by", "stated"]


def results(caught, wrong=1000, fell=0, stated=0.2):
    """Of so many wrong results so many were caught, and of 500 right ones so many fell."""
    rows = [(0, "lies", False, *["drawn" if each < caught else ""] * 2, stated) for each in range(wrong)]
    rows += [
        (0, "honest", True, "drawn" if each < 100 else "", "drawn" if each < fell else "", 0.2) for each in range(500)
    ]
    return {"results": pd.DataFrame(rows, columns=COLUMNS)}


@pytest.mark.parametrize(
    ("caught", "fell", "verdict"),
    [(200, 0, "upheld"), (222, 0, "upheld"), (235, 0, "qualified"), (300, 0, "refuted"), (200, 1, "refuted")],
)
def test_the_share_caught_decides(caught, fell, verdict):
    found = claim.check(results(caught, fell=fell))
    assert found.verdict == verdict and found.figure.startswith(f"{caught / 1000:.1%} (")
    assert f"were drawn, and {fell} fell" in found.explanation and "Of 500 right results 20.0%" in found.explanation


def test_what_is_stated_is_less_where_others_cheat_alike():
    assert claim.check(results(100, stated=0.1)).verdict == "upheld"
    assert "stated 10.0%" in claim.check(results(100, stated=0.1)).figure


def test_what_was_drawn_and_stood_is_told():
    found = results(100, wrong=500, stated=0.2)
    found["results"].loc[100:106, "audited"] = "drawn"
    assert "Of 107 wrong results that were drawn 7 stood" in claim.check(found).explanation


def test_without_a_wrong_result_nothing_is_said():
    assert claim.check(results(0, wrong=0)).verdict == "undecided"


def test_no_right_result_fell_and_what_fell_was_audited(tiny):
    found = tiny("random_challenges_catch")["results"]
    assert not found["right"].all() and not (found[found["right"]]["fell by"] != "").any()
    assert (found[found["fell by"] == "drawn"]["audited"] == "drawn").all()
    assert found["stated"].between(0.05, 0.2).all() and (found[found["right"]]["stated"] == 0.2).all()
