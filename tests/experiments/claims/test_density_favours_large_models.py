"""The density puts small slots first; the criterion judges profits on the marketplace, the first one the queue."""

import numpy as np
import pandas as pd
import pytest

from experiments import statistics
from experiments.claims import density_favours_large_models as claim
from experiments.claims.density_favours_large_models import FLOORS

RANK = ("marketplace", "throughput", "work")


def test_the_density_puts_small_slots_first_on_a_market_made_for_it():
    resource = np.arange(1, 51).reshape(-1, 1)
    front = claim.provider_density(resource, np.full((50, 1), 0.5))
    assert statistics.rank_correlation(resource[:, 0], front) == pytest.approx(-1.0)


def profits(correlations, lost):
    """Of markets in which large cards earn 100 tokens in random orders."""
    columns = {"seed": range(len(correlations)), "correlation": correlations, "large": [100 - each for each in lost]}
    return pd.DataFrame(columns | {"large, random order": 100.0})


def results(by_floor, elsewhere=0.0, earned=None):
    """Correlations of three markets a setting; ``by_floor`` of those that count, each a number or three."""
    settings = [
        (family, read, m) for family in claim.FAMILIES for read in ("throughput", "latency") for m in claim.MEASURES
    ]
    rows = [
        (family, seed, read, floor, measure, value)
        for family, read, measure in settings
        for floor, own in zip(FLOORS, by_floor, strict=True)
        for seed, value in enumerate(np.broadcast_to(own if (family, read, measure) == RANK else elsewhere, 3))
    ]
    correlations = pd.DataFrame(rows, columns=["family", "seed", "s read as", "floor", "measure", "correlation"])
    return {"correlations": correlations, "profits": profits([0.4] * 3, [20.0] * 3) if earned is None else earned}


@pytest.mark.parametrize("elsewhere", [-1.0, 1.0])
@pytest.mark.parametrize(
    "by_floor, verdict",
    [
        ([0.31] * 4, "upheld"),
        ([0.31, 0.31, 0.31, 0.3], "qualified"),
        ([0.9, 0.9, 0.9, (0.2, 0.9, 0.9)], "qualified"),  # the interval reaches below 0.3
        ([-0.01] * 4, "refuted"),
        ([-0.01, -0.01, 0.0, -0.01], "qualified"),
        ([-0.5, -0.5, -0.5, (-0.9, -0.9, 0.1)], "qualified"),  # above 0
        ([0.31, 0.31, 0.31, -0.5], "qualified"),
    ],
)
def test_the_first_criterion_judges_every_floor(by_floor, verdict, elsewhere):
    assert claim.by_place(results(by_floor, elsewhere)) == verdict


@pytest.mark.parametrize(
    "correlations, lost, verdict",
    [
        ([0.4, 0.4, 0.4], [-20.0] * 3, "upheld"),
        ([0.4, 0.4, 0.4], [20.0] * 3, "qualified"),  # they earn by work, and less than in a random order
        ([0.4, 0.4, 0.4], [-90.0, 0.0, 30.0], "qualified"),  # the interval reaches a loss
        ([0.1, 0.9, 0.4], [-20.0] * 3, "qualified"),  # below 0.3
        ([0.2, 0.2, 0.2], [20.0] * 3, "refuted"),
        ([0.2, 0.2, 0.2], [-20.0] * 3, "qualified"),
        ([-0.2, -0.2, -0.2], [-20.0] * 3, "refuted"),
    ],
)
def test_the_criterion_judges_what_providers_earn(correlations, lost, verdict):
    assert claim.check(results([-0.5] * 4, earned=profits(correlations, lost))).verdict == verdict


def test_the_place_that_is_told_is_that_of_the_package_s_floor():
    verdict = claim.check(results([0.1, 0.2, 0.3, 0.4], -0.25))
    assert FLOORS.index(claim.FLOOR) == 1
    assert "with work is +0.20 (+0.20 to +0.20)" in verdict.explanation
    assert "-0.25 to -0.25" in verdict.explanation
    assert "+0.40 (+0.40 to +0.40)" in verdict.figure and "lose 20% (20% to 20% lost)" in verdict.figure
