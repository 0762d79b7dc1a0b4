"""A page's speed is held against a worker's, turn by turn; another root refutes, no browser decides nothing."""

import pandas as pd
import pytest

from experiments.claims import browser_is_a_provider as claim


def results(share, same=True):
    """Three turns, a page at a share of the worker's speed."""
    rows = [(claim.NATIVE, "tiny", 100.0 + turn, same) for turn in range(3)]
    rows += [(claim.PAGE, "tiny", share * (100.0 + turn), same) for turn in range(3)]
    return {"runs": pd.DataFrame(rows, columns=["where", "model", "speed", "same root"])}


@pytest.mark.parametrize(
    ("share", "same", "verdict"),
    [
        (1.5, True, "upheld"),
        (0.6, True, "upheld"),
        (0.3, True, "qualified"),
        (0.05, True, "refuted"),
        (1, False, "refuted"),
    ],
)
def test_share_and_root_decide(share, same, verdict):
    found = claim.check(results(share, same))
    assert found.verdict == verdict and f"a page serves at {share:.0%} (" in found.figure
    assert f"{3 if same else 0} of 3 pairs" in found.explanation


def test_an_interval_that_holds_everything_decides_nothing():
    wide = results(1)
    wide["runs"].loc[wide["runs"]["where"] == claim.PAGE, "speed"] *= [0.05, 0.05, 8.0]
    assert claim.by_the_mean(wide) == "upheld" and claim.check(wide).verdict == "undecided"
    wide["runs"].loc[0, "same root"] = False
    assert claim.check(wide).verdict == "refuted"


def test_without_a_browser_it_is_not_tested():
    empty = {"runs": results(1)["runs"].iloc[:0]}
    assert claim.check(empty).verdict == "undecided" and claim.check(empty).explanation.startswith("Not tested")


def test_a_page_commits_to_the_worker_s_root(tiny):
    runs = tiny("browser_is_a_provider")["runs"]
    if runs.empty:
        pytest.skip("there is no Chromium, or no adapter for both")
    assert runs["same root"].all() and (runs["speed"] > 0).all()
