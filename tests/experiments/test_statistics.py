"""Intervals, exponents and profiles against what they must be."""

import numpy as np
import pandas as pd
import pytest

from experiments import statistics


def test_exponent_recovers_a_power_law_and_its_interval_covers_it():
    size = np.repeat([100.0, 1000.0, 10000.0, 100000.0], 5)
    noise = np.exp(np.random.default_rng(0).normal(0, 0.05, size.size))
    fit, low, high = statistics.exponent(size, 3e-6 * size**1.3 * noise)
    assert low < 1.3 < high
    assert fit == pytest.approx(1.3, abs=0.05)


def test_mean_interval_contains_the_mean_and_shrinks_with_the_sample():
    rng = np.random.default_rng(1)
    widths = []
    for count in (20, 2000):
        sample = rng.random(count)
        mean, low, high = statistics.mean_interval(sample)
        assert mean == pytest.approx(sample.mean())
        assert low < mean < high
        widths.append(high - low)
    assert widths[1] < widths[0] / 5
    assert statistics.mean_interval([0.25]) == (0.25, 0.25, 0.25)


def test_profile_counts_what_lies_at_or_below():
    shares = statistics.profile(pd.Series([0.0, 0.1, 0.1, 0.9]), [0.0, 0.05, 0.1, 0.5, 1.0])
    assert shares.tolist() == [0.25, 0.25, 0.75, 0.75, 1.0]


def test_rank_correlation_sees_order_only():
    assert statistics.rank_correlation([1, 2, 3, 4], [1, 8, 27, 64]) == pytest.approx(1.0)
    assert statistics.rank_correlation([1, 2, 3, 4], [9, 7, 5, 1]) == pytest.approx(-1.0)
    assert statistics.rank_correlation([1, 2, 3], [5, 5, 5]) == 0.0


def test_summary_has_a_row_a_group():
    frame = pd.DataFrame({"a": ["x", "x", "y"], "value": [0.0, 1.0, 0.5]})
    table = statistics.summary(frame, ["a"], "value")
    assert table[["a", "markets", "mean", "median"]].to_numpy().tolist() == [["x", 2, 0.5, 0.5], ["y", 1, 0.5, 0.5]]
