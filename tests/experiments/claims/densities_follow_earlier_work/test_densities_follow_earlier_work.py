"""The criterion judges the queues of drawn markets, users and providers apart; the scenario stands beside."""

import numpy as np
import pandas as pd
import pytest

from experiments.claims import densities_follow_earlier_work as claim
from experiments.claims.densities_follow_earlier_work import CDARA, CORRECTED, FROM_THE_FRONT, SCENARIO


def results(users, providers, scenario=0.0):
    """Correlations of 20 markets by side; welfare of two markets, one in which CDARA has none; two printed prices."""
    queues = [
        ("x", seed, side, float(value))
        for side, values in (("users", users), ("providers", providers))
        for seed, value in enumerate(np.broadcast_to(values, 20))
    ]
    queues += [(SCENARIO, 0, side, scenario) for side in ("users", "providers") for _ in range(20)]
    welfare = ((CDARA, (100, 0, 100)), (CORRECTED, (50, 9, 100)), (FROM_THE_FRONT, (80, 9, 80)))
    settled = [("x", seed, rule.label, value) for rule, values in welfare for seed, value in enumerate(values)]
    prices = pd.DataFrame(
        {
            "run": ["density"] * 4 + ["density x time"] * 2,
            "role": ["user"] * 3 + ["provider"] + ["user"] * 2,
            "printed price": [0.5, 0.25, np.nan, 0.5, 0.5, 0.5],
            "as stated": [0.4, 0.0, 0.3, 0.0, 0.0, 0.0],
            "as coded": [0.5, 0.25, 0.0, 0.0, 0.0, 0.0],
            "as printed": [0.4, 0.25, 0.0, 0.5, 0.5, 0.5],
        }
    )
    return {
        "queues": pd.DataFrame(queues, columns=["family", "seed", "side", "correlation"]),
        "settlements": pd.DataFrame(settled, columns=["family", "seed", "rule", "welfare"]),
        "densities": pd.DataFrame({"agrees": [True, True, False]}),
        "prices": prices,
    }


def ones(count):
    """Twenty numbers; Student's interval of a mean m of ones and zeros is m +- 2.093 sqrt(m (1 - m) / 19)."""
    return np.arange(20) < count


@pytest.mark.parametrize("scenario", [-1.0, 1.0])
@pytest.mark.parametrize(
    "one, other, verdict",
    [
        (0.5, 0.5, "upheld"),
        (0.9, 0.499, "qualified"),
        (0.9, ones(13), "qualified"),  # 65 %, from 45 %; half of all resamples lie above 55 %
        (0.9, ones(17), "upheld"),  # 85 %, from 70 %
        (0.9, 0.001, "qualified"),
        (0.9, 0.0, "refuted"),
        (-0.1, -0.1, "refuted"),
        (0.9, -ones(2).astype(float), "qualified"),  # to 4 %
        (0.9, -ones(5).astype(float), "refuted"),  # to -4 %
        (0.9, 0.1 - ones(4), "qualified"),  # -10 %, to 5 %
    ],
)
def test_the_criterion_judges_the_drawn_queues_of_both_sides(one, other, verdict, scenario):
    assert claim.check(results(one, other, scenario)).verdict == verdict
    assert claim.check(results(other, one, scenario)).verdict == verdict


def test_the_figure_is_both_sides_means_with_their_intervals():
    verdict = claim.check(results(ones(2), -0.25))
    assert verdict.figure == (
        "rank correlation of the queues: users +0.10 (-0.04 to +0.24), providers -0.25 (-0.25 to -0.25)"
    )
    assert "has 75% of CDARA's welfare, 80% where every task starts at the front" in verdict.explanation
    assert "2 of 3 densities agree to the printed digit; its rule serves 1 of the 2 printed winners, and 2 if" in (
        verdict.explanation
    )
    assert verdict.explanation.endswith("then 1 of the prices agree to the digit.")
