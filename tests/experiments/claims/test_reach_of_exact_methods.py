"""The figure is of the best solver on the last rung of the ladder, markets in which anything can be won."""

import numpy as np
import pandas as pd
import pytest

from experiments.claims import _ladder
from experiments.claims import reach_of_exact_methods as claim

FOUND = {"gap": 0.0, "bound": 12, "seconds": 3.0, "limit": 5.0, "only its start": False}


def results(best, others=0, elsewhere=True):
    """Of 20 markets on the last rung one solver proves so many and two others so many; elsewhere all or none."""
    solvers = {"SCIP": others, "HiGHS (PuLP)": best, claim.GENERATION: min(best, others)}
    last = {"tasks": 40, "providers": 80, "best": 10}
    rows = [last | {"solver": solver, "proven": n < count} for solver, count in solvers.items() for n in range(20)]
    rows += [
        last | {"solver": solver, "proven": elsewhere} | other
        for solver in solvers
        for other in ({"tasks": 20, "providers": 40}, {"best": 0}, {"best": 0, "tasks": 80})
        for _ in range(20)
    ]
    return {"runs": pd.DataFrame(rows).assign(**FOUND)}


@pytest.mark.parametrize("elsewhere", [True, False])
@pytest.mark.parametrize("best", [0, 9, 20])
def test_the_figure_is_of_the_last_rung(best, elsewhere):
    assert claim.check(results(best, 0, elsewhere)).figure.startswith(f"{5 * best}% (")


def test_few_markets_on_the_last_rung_decide_nothing():
    found = results(20)["runs"]
    for markets, verdict in ((9, "undecided"), (10, "found")):
        few = found[(found["tasks"] != 40) | (found.groupby(["tasks", "solver", "best"]).cumcount() < markets)]
        assert claim.check({"runs": few}).verdict == verdict


@pytest.mark.parametrize(
    "best, verdict", [(0, "upheld"), (9, "upheld"), (10, "qualified"), (19, "qualified"), (20, "refuted")]
)
def test_the_claim_that_it_was_judges_the_last_rung(best, verdict):
    assert claim.as_a_claim(results(best, 0)) == verdict


def test_the_figure_names_the_solver_that_proves_most():
    verdict = claim.check(results(15, 5))
    assert verdict.figure == "75% (51% to 91%) of 20 markets of 40 tasks and 80 providers are proved by HiGHS (PuLP)"
    assert verdict.explanation.startswith("The next best solver proves 25% within 5 s;")
    assert "began with on 0% to 0% of the markets." in verdict.explanation


def test_the_ladder_s_means():
    runs = pd.DataFrame(
        {
            "tasks": 4,
            "providers": 8,
            "solver": "x",
            "best": [10, 20],
            "bound": [10, 25],
            "proven": [True, False],
            "gap": [0.0, 0.5],
            "only its start": [True, False],
            "seconds": [0.0, 8.0],
        }
    )
    (row,) = _ladder.ladder(runs).to_dict("records")
    assert row["share proved"] == 0.5 and row["primal gap"] == 0.25 and row["dual gap"] == 0.125
    assert row["seconds (shifted geometric)"] == pytest.approx(np.sqrt(1 * 9) - 1)
