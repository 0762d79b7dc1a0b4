"""The simulation draws what it says, and intervals hold the mean of normal data as often as they must."""

import numpy as np
import pytest

from experiments import interval_coverage, statistics
from experiments.interval_coverage import DATA, Case


@pytest.mark.parametrize("data", DATA)
def test_data_have_the_mean_they_are_said_to_have(data):
    draw, mean = DATA[data]
    drawn = draw(np.random.default_rng(0), 400_000)
    assert abs(drawn.mean() - mean) < 4 * drawn.std() / np.sqrt(drawn.size)


@pytest.mark.parametrize("interval", ["mean", "mean over families"])
def test_all_and_none_are_covered_by_the_widest_and_the_narrowest(interval, monkeypatch):
    for wide, covered in ((np.inf, 1.0), (0.0, 0.0)):
        for name in ("mean_interval", "stratified"):
            monkeypatch.setattr(statistics, name, lambda *_, wide=wide: (0.1, 0.1 - wide, 0.1 + wide))
        assert interval_coverage.coverage(Case(interval, "normal", 4), 20) == covered


@pytest.mark.parametrize("interval, units", [("mean", 4), ("mean", 10), ("mean over families", 3)])
def test_student_s_intervals_hold_the_mean_of_normal_data(interval, units):
    assert interval_coverage.coverage(Case(interval, "normal", units), 1000) >= 0.93


@pytest.mark.slow
def test_no_interval_holds_the_mean_of_normal_data_less_than_93_times_in_100():
    table = interval_coverage.table(4000)
    normal = table[table["data"] == "normal"]
    assert (normal["coverage"] >= 0.93).all(), normal
    skewed = table[(table["data"] != "normal") & (table["interval"] == "mean")]
    assert skewed["coverage"].between(0.80, 0.93).all(), skewed
