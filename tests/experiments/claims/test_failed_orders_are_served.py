"""Of the orders that came back, how many are served is what is judged."""

import numpy as np
import pandas as pd
import pytest

from experiments.claims import failed_orders_are_served as claim


def results(back, served, others=100):
    """So many orders that came back, of which so many are served, and others that no device failed."""
    rows = [(2.0, 1.0, "served" if each < served else "expired", 1 + each % 2) for each in range(back)]
    rows += [(1.0, np.nan, "served", 0)] * others
    frame = pd.DataFrame(rows, columns=["over", "back", "outcome", "failed"])
    return {"orders": frame.assign(placed=0.0, output=1.0, seed=0)}


@pytest.mark.parametrize(("served", "verdict"), [(400, "upheld"), (380, "qualified"), (300, "refuted")])
def test_the_share_of_those_that_came_back_decides(served, verdict):
    found = claim.check(results(400, served))
    assert found.verdict == verdict and found.figure.startswith(f"{served / 400:.1%} (")
    assert "400 orders that came back" in found.figure and "it was 1.0 rounds on the median" in found.explanation
    assert "at most 2 devices" in found.explanation


def test_where_nothing_failed_nothing_is_said():
    assert claim.check(results(0, 0)).verdict == "undecided"


def test_orders_that_come_back_are_those_that_a_device_failed(tiny):
    orders = tiny("failed_orders_are_served")["orders"]
    back = orders["back"].notna()
    assert back.any() and (back == (orders["failed"] > 0)).all()
    assert (orders[back]["over"] >= orders[back]["back"]).all()
    assert set(orders["outcome"]) <= {"served", "expired"}
