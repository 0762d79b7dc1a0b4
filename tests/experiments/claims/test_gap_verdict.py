"""What a mean gap comes to, on both sides of each threshold and at it."""

import pytest

from experiments.claims._gap_verdict import MODERATE, SMALL, judged


@pytest.mark.parametrize(
    "printed, best, verdict",
    [
        (0.0, 0.0, "upheld"),
        (SMALL, 0.9, "upheld"),
        (SMALL + 1e-9, 0.9, "qualified"),
        (MODERATE, 0.9, "qualified"),
        (MODERATE + 1e-9, SMALL, "qualified"),
        (MODERATE + 1e-9, SMALL + 1e-9, "refuted"),
        (1.0, 1.0, "refuted"),
    ],
)
def test_the_verdict_on_gaps(printed, best, verdict):
    assert (SMALL, MODERATE) == (0.05, 0.2)
    assert judged(printed, best) == verdict
