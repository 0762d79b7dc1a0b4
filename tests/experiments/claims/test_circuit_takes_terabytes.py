"""A line through what was measured, drawn out, and the criterion on it."""

import numpy as np
import pandas as pd
import pytest

from experiments.claims import circuit_takes_terabytes as claim
from experiments.claims.circuit_takes_terabytes import LARGE, TERABYTE


def results(each, base=6e7, noise=0.0):
    macs = np.array([1e3, 1e5, 2e5, 4e5, 8e5])
    memory = base + each * macs + noise * np.array([1, -1, 1, -1, 1])
    columns = {"date": "today", "machine": "a", "ezkl": "1", "widths": "x", "macs": macs.astype(int)}
    return {"circuits": pd.DataFrame(columns | {"circuit_cpu": 1.0, "circuit_memory": memory})}


@pytest.mark.parametrize(
    "each, noise, verdict",
    [
        (350.0, 0.0, "upheld"),
        (350.0, 1e8, "qualified"),  # the interval begins below a terabyte
        (1.01 * TERABYTE / LARGE, 0.0, "upheld"),
        (0.99 * TERABYTE / LARGE, 0.0, "refuted"),
        (1e9, 0.0, "refuted"),  # beyond petabytes
    ],
)
def test_the_criterion_asks_for_terabytes_to_petabytes(each, noise, verdict):
    assert claim.check(results(each, noise=noise)).verdict == verdict


def test_the_figure_is_the_line_s_end():
    verdict = claim.check(results(350.0))
    assert verdict.figure.startswith(f"{350 * LARGE / TERABYTE:.1f} TB")
    assert "Some 350 bytes a weight" in verdict.explanation
    assert "16 times the 2^28 rows" in verdict.explanation
