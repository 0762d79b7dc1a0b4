"""The criterion judges the bundle reading at the largest size in which anything can be won, against the best known."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from experiments.claims import optimality_gap as claim
from experiments.sweep import BACKFILL, BEST_VARIANT, GREEDY, PRINTED


def results(printed, best, elsewhere=0.0):
    """Of 20 markets, so many lose everything in the auction as printed and so many in its best variant."""
    key = {"family": "x", "providers": 40, "best": 1, "upper": 2}
    judged = key | {"tasks": 20, "reading": "bundle"}
    lost = {PRINTED.label: printed, BEST_VARIANT: best, GREEDY[0].label: 3}
    rows = [
        judged | {"solver": solver, "market": market, "gap": float(market < count)}
        for solver, count in lost.items()
        for market in range(20)
    ]
    others = (
        {"tasks": 10},  # a smaller size
        {"reading": "whole"},
        {"best": 0},  # nothing to be won
        {"best": 0, "tasks": 40},
        {"solver": claim.LP},
        {"solver": BACKFILL.label},
    )
    rows += [
        judged | {"solver": solver, "market": 99, "gap": elsewhere} | other
        for solver in lost
        for other in others
        for _ in range(20)
    ]
    return {"gaps": pd.DataFrame(rows).assign(gap_bound=1 - elsewhere)}


@pytest.mark.parametrize("elsewhere", [0.0, 1.0])
@pytest.mark.parametrize(
    "printed, best, verdict",
    [
        (1, 20, "upheld"),
        (2, 20, "qualified"),
        (4, 20, "qualified"),
        (5, 1, "qualified"),
        (5, 2, "refuted"),
        (20, 0, "qualified"),
    ],
)
def test_the_criterion_judges_the_largest_bundles(printed, best, verdict, elsewhere):
    assert claim.check(results(printed, best, elsewhere)).verdict == verdict


@pytest.mark.parametrize("elsewhere", [0.0, 1.0])
def test_the_figure_is_the_mean_with_its_interval(elsewhere):
    # Two families, of which one loses everything: the mean over families, and Student's t of the spread within.
    found = results(2, 4, elsewhere)
    gaps = found["gaps"]
    found["gaps"] = pd.concat([gaps, gaps.assign(family="y", market=gaps["market"] + 100, gap=1.0)])
    verdict = claim.check(found)
    own = np.repeat([1.0, 0.0], [2, 18])
    half = stats.t.ppf(0.975, 19) * own.std(ddof=1) / np.sqrt(20) / 2  # the other family does not vary
    assert verdict.figure == f"55.0% ({0.55 - half:.1%} to {0.55 + half:.1%}) of the optimal welfare is lost"
    assert "over 2 families, whose means run from 10% (x) to 100% (y);" in verdict.explanation
    assert "variants, chosen with hindsight, loses 60.0%" in verdict.explanation
    assert "cheapest covers 57.5%" in verdict.explanation


def test_the_explanation_counts_the_optima_that_are_proven():
    found = results(1, 1)
    gaps = found["gaps"]
    assert "; 0% of the optima are proven" in claim.check(found).explanation
    found["gaps"] = gaps.assign(upper=np.where((gaps["market"] % 4 == 0) & (gaps["market"] < 20), 1, 2))
    assert "; 24% of the optima" in claim.check(found).explanation
    assert "21 markets of 20 tasks and 40 providers over 1 families, whose" in claim.check(found).explanation
