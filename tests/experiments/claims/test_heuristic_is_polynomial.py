"""The criterion judges the steepest of the auction's fits, over sizes at which running takes longer than calling."""

import numpy as np
import pandas as pd
import pytest

from experiments.claims import heuristic_is_polynomial as claim
from experiments.claims.heuristic_is_polynomial import BACKFILL, FAMILIES, PRINTED

SIZES = np.array([1000, 1000, 10_000, 10_000, 100_000, 100_000])


def timed(tasks, power, noise=0.0, **key):
    jitter = np.exp(noise * np.resize([1, -1], len(tasks)))
    return pd.DataFrame(key | {"tasks": tasks, "seconds": 1e-7 * np.array(tasks, float) ** power * jitter})


def results(power, noise=0.0, which=(FAMILIES[1], BACKFILL.label), small=0.0, exact=9.0):
    """One family and solver of that power, the others linear; another power below 1,000 tasks."""
    parts = [
        timed(SIZES, *((power, noise) if (family, plan.label) == which else (1.0,)), family=family, solver=plan.label)
        for family in FAMILIES
        for plan in (PRINTED, BACKFILL)
    ]
    parts += [part[:4].assign(tasks=[100, 100, 300, 300], seconds=[1, 1, 3**small, 3**small]) for part in parts]
    solved = timed([4, 4, 8, 8], exact, family="uniform", solver="CP-SAT").assign(proven=[True, True, True, False])
    return {"auction": pd.concat(parts, ignore_index=True).assign(proven=False), "exact": solved}


@pytest.mark.parametrize("small", [0.0, 9.0])
@pytest.mark.parametrize(
    "power, noise, verdict",
    [
        (1.0, 0.0, "upheld"),
        (1.999, 0.0, "upheld"),
        (2.001, 0.0, "qualified"),
        (1.95, 0.5, "qualified"),  # the interval reaches 2
        (2.999, 0.0, "qualified"),
        (3.001, 0.0, "refuted"),
        (2.95, 0.5, "refuted"),
    ],
)
@pytest.mark.parametrize("which", [(FAMILIES[0], PRINTED.label), (FAMILIES[1], BACKFILL.label)])
def test_the_criterion_judges_the_steepest_fit(power, noise, verdict, which, small):
    assert claim.check(results(power, noise, which, small)).verdict == verdict


def test_the_figure_is_the_steepest_fit():
    found = claim.check(results(1.5))
    assert found.figure == "exponent 1.50 (1.50 to 1.50) at worst"
    assert found.explanation.startswith("100,000 tasks × 100,000 providers take at most 3.16 s.")
    assert "exponents of 9.0 to 9.0" in found.explanation and "prove 50% at 8 tasks" in found.explanation
