"""The criterion judges the largest size against the certified bound, where there is anything to be won."""

import pandas as pd
import pytest

from experiments.claims import gap_at_scale as claim
from experiments.sweep import BACKFILL, BEST_VARIANT, PRINTED


def results(printed, best, elsewhere=0.0):
    """Of 20 markets, so many lose the whole bound in the auction as printed and so many in its best variant."""
    lost = {PRINTED.label: printed, BEST_VARIANT: best, claim.GUIDED: 3, claim.BOUND: 0}
    judged = {"tasks": 1000, "upper": 2}
    rows = [
        judged | {"solver": solver, "family": f"f{market % 5}", "gap_bound": float(market < count)}
        for solver, count in lost.items()
        for market in range(20)
    ]
    rows += [
        judged | {"solver": solver, "family": "f0", "gap_bound": elsewhere} | other
        for solver in lost
        for other in ({"tasks": 100}, {"upper": 0}, {"upper": 0, "tasks": 10_000}, {"solver": BACKFILL.label})
        for _ in range(20)
    ]
    return {"gaps": pd.DataFrame(rows).assign(gap=1 - elsewhere)}


@pytest.mark.parametrize("elsewhere", [0.0, 1.0])
@pytest.mark.parametrize(
    "printed, best, verdict",
    [(1, 20, "upheld"), (2, 20, "qualified"), (4, 20, "qualified"), (5, 1, "qualified"), (5, 2, "refuted")],
)
def test_the_criterion_judges_the_largest_size_against_the_bound(printed, best, verdict, elsewhere):
    assert claim.check(results(printed, best, elsewhere)).verdict == verdict


@pytest.mark.parametrize("elsewhere", [0.0, 1.0])
def test_the_figure_is_the_mean_with_its_interval(elsewhere):
    verdict = claim.check(results(2, 4, elsewhere))
    assert verdict.figure == "10.0% (0.0% to 24.4%) of the certified bound is lost"
    assert "At 1,000 tasks and as many providers, over 5 families." in verdict.explanation
    assert "hindsight loses 20.0%; an auction guided by prices, as polynomial, 15.0%;" in verdict.explanation
    assert "column generation 0.00%" in verdict.explanation
