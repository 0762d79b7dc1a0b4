"""Intervals, exponents and profiles against what they must be."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from experiments import statistics


def test_exact_intervals_of_shares_are_where_a_tail_is_2_5_percent():
    for successes, trials in ((0, 30), (3, 30), (30, 30)):
        share, low, high = statistics.share_interval(successes, trials)
        assert share == successes / trials
        assert low == 0 if successes == 0 else stats.binom.sf(successes - 1, trials, low) == pytest.approx(0.025)
        assert high == 1 if successes == trials else stats.binom.cdf(successes, trials, high) == pytest.approx(0.025)


def test_normal_intervals_hold_the_mean_as_often_as_they_say():
    rng = np.random.default_rng(0)
    held = [
        low <= 0.2 <= high for _, low, high in (statistics.normal_interval(rng.random(500) < 0.2) for _ in range(600))
    ]
    assert np.mean(held) == pytest.approx(0.95, abs=0.03)
    assert statistics.normal_interval([1.0, 3.0]) == pytest.approx((2.0, 2 - 1.95996, 2 + 1.95996), abs=1e-4)


def test_bootstrapped_means_of_zeros_and_ones_are_binomial():
    # Of 40 values with k ones: 2.5 % and 97.5 % quantiles of the binomial distribution, over 40.
    for ones, low, high in ((1, 0, 3), (3, 0, 7), (4, 1, 8), (20, 14, 26), (37, 33, 40)):
        interval = statistics.mean_interval(np.arange(40) < ones)
        assert interval == pytest.approx((ones / 40, low / 40, high / 40), abs=1e-12)
        for bound, tail in ((low, 0.025), (high, 0.975)):
            assert stats.binom.ppf(tail, 40, ones / 40) == bound


def test_the_interval_of_a_large_sample_is_1_96_standard_errors_either_way():
    sample = np.random.default_rng(3).normal(5.0, 2.0, 1000)
    mean, low, high = statistics.mean_interval(sample)
    half = 1.959964 * sample.std() / np.sqrt(1000)
    assert mean == pytest.approx(sample.mean(), rel=1e-12)
    assert (mean - low, high - mean) == pytest.approx((half, half), rel=0.06)


def test_mean_intervals_cover_as_often_as_they_say():
    rng = np.random.default_rng(0)
    intervals = [statistics.mean_interval(rng.exponential(1.0, 60))[1:] for _ in range(300)]
    assert np.mean([low <= 1.0 <= high for low, high in intervals]) == pytest.approx(0.94, abs=0.03)


def test_intervals_of_few_units_are_student_s():
    # 1, 2, 3, 6: mean 3, variance 14 / 3, and t of three degrees of freedom at 97.5 %.
    half = 3.182446 * np.sqrt(14 / 3 / 4)
    assert statistics.mean_interval([1, 2, 3, 6]) == pytest.approx((3, 3 - half, 3 + half), abs=1e-6)
    sample = np.random.default_rng(0).normal(size=statistics.FEW)
    for count, student in ((statistics.FEW - 1, True), (statistics.FEW, False)):
        own = sample[:count]
        wanted = stats.t.interval(0.95, count - 1, own.mean(), stats.sem(own))
        assert (statistics.mean_interval(own)[1:] == pytest.approx(wanted, rel=1e-9)) is student


def test_strata_weigh_the_same_and_their_spread_is_within_them():
    # Means 2 and 11, variances 3 and 2: v = 3 / 3 and 2 / 2 over 3 and 2 units.
    values, strata = [1, 1.0, 4, 10, 12], ["a", "a", "a", "b", "b"]
    own = np.array([3 / 3, 2 / 2])
    free = own.sum() ** 2 / (own[0] ** 2 / 2 + own[1] ** 2 / 1)
    half = stats.t.ppf(0.975, free) * np.sqrt(own.sum()) / 2
    assert statistics.stratified(values, strata) == pytest.approx((6.5, 6.5 - half, 6.5 + half))
    assert statistics.stratified([1, 1, 5, 5], list("aabb")) == (3, 3, 3)
    assert np.isnan(statistics.stratified([1, 2, 5], list("aab"))[1:]).all()


@given(st.lists(st.floats(0.0, 1.0), min_size=2, max_size=statistics.FEW + 2), st.floats(0.0, 1.0))
def test_an_interval_of_shares_lies_among_shares_and_holds_what_the_whole_one_holds(shares, true):
    strata = np.arange(len(shares)) % 2 if len(shares) > 3 else np.zeros(len(shares))
    for interval in (statistics.mean_interval, lambda own, within: statistics.stratified(own, strata, within)):
        mean, low, high = interval(shares, statistics.SHARE)
        _, least, most = interval(shares, statistics.REAL)
        assert 0.0 <= low <= mean <= high <= 1.0 or np.ptp(shares) < 1e-12
        assert (low <= true <= high) == (least <= true <= most)


def test_units_outside_their_range_are_refused():
    assert statistics.mean_interval([0.0, 0.0, 0.5], statistics.SHARE)[1] == 0.0
    assert statistics.mean_interval([1.0, 1.0, 0.5], statistics.SHARE)[2] == 1.0
    assert statistics.mean_interval([0.0, 3.0], statistics.AMOUNT)[1] == 0.0
    for within, units in ((statistics.SHARE, [0.5, 1.1]), (statistics.AMOUNT, [-0.1, 3.0])):
        with pytest.raises(ValueError, match="not all within"):
            statistics.mean_interval(units, within)


def test_one_unit_has_no_interval_and_equal_ones_are_their_own():
    assert statistics.mean_interval([0.25]) == pytest.approx((0.25, np.nan, np.nan), nan_ok=True)
    assert statistics.mean_interval([0.5] * 9) == (0.5, 0.5, 0.5)


LINE = (np.exp([0, 1, 2, 3]), np.exp([0, 1.1, 1.9, 3.0]))
"""In logarithms: means 1.5 and 1.5, Sxx 5, Sxy 4.9, so a slope of 0.98 and residuals -0.03, 0.09, -0.09, 0.03."""


def test_exponent_and_its_interval_by_hand():
    half = 4.302653 * np.sqrt(0.018 / 2 / 5)  # t of two degrees of freedom at 97.5 %
    assert statistics.exponent(*LINE) == pytest.approx((0.98, 0.98 - half, 0.98 + half))


def test_prediction_and_its_interval_by_hand():
    half = 4.302653 * np.sqrt(0.018 / 2 * (1 + 1 / 4 + 3.5**2 / 5))
    assert np.log(statistics.extrapolated(*LINE, np.exp(5))) == pytest.approx((4.93, 4.93 - half, 4.93 + half))
    # A known slope of 1 leaves residuals 0, 0.1, -0.1, 0 and three degrees of freedom.
    half = 3.182446 * np.sqrt(0.02 / 3 * (1 + 1 / 4))
    assert np.log(statistics.extrapolated(*LINE, np.exp(5), 1.0)) == pytest.approx((5.0, 5.0 - half, 5.0 + half))


def test_intervals_of_exponents_cover_as_often_as_they_say():
    rng, size = np.random.default_rng(0), np.geomspace(1e2, 1e5, 6)
    fits = [statistics.exponent(size, 3e-6 * size**1.3 * np.exp(rng.normal(0, 0.1, 6)))[1:] for _ in range(600)]
    assert np.mean([low <= 1.3 <= high for low, high in fits]) == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize("power", [1.0, 1.3])
def test_an_exact_power_law_is_drawn_out_exactly(power):
    size = np.array([1e4, 1e5, 3e5, 1e6])
    assert statistics.extrapolated(size, 2e-4 * size**power, 1e10) == pytest.approx([2e-4 * 1e10**power] * 3)
    assert statistics.extrapolated(size, 5 * size, 1e9, 1.0) == pytest.approx([5e9] * 3)


@pytest.mark.parametrize("known", [None, 1.1])
def test_prediction_intervals_cover_as_often_as_they_say(known):
    rng, size, at = np.random.default_rng(0), np.geomspace(1e4, 1e6, 6), 1e9
    hits = 0
    for _ in range(600):
        value = size**1.1 * np.exp(rng.normal(0, 0.1, size.size))
        _, low, high = statistics.extrapolated(size, value, at, known)
        hits += low <= at**1.1 * np.exp(rng.normal(0, 0.1)) <= high
    assert hits / 600 == pytest.approx(0.95, abs=0.03)


def test_profile_counts_what_lies_at_or_below():
    shares = statistics.profile(pd.Series([0.0, 0.1, 0.1, 0.9]), [0.0, 0.05, 0.1, 0.5, 1.0])
    assert shares.tolist() == [0.25, 0.25, 0.75, 0.75, 1.0]


def test_rank_correlation_sees_order_only():
    assert statistics.rank_correlation([1, 2, 3, 4], [1, 8, 27, 64]) == pytest.approx(1.0)
    assert statistics.rank_correlation([1, 2, 3, 4], [9, 7, 5, 1]) == pytest.approx(-1.0)
    assert statistics.rank_correlation([1, 2, 3], [5, 5, 5]) == statistics.rank_correlation([5, 5, 5], [1, 2, 3]) == 0.0
    # Ranks 1, 2.5, 2.5, 4 and 1, 3, 2, 4: 4.5 / sqrt(4.5 * 5).
    assert statistics.rank_correlation([1, 2, 2, 3], [10, 30, 20, 40]) == pytest.approx(0.9**0.5)


def test_summary_has_a_row_a_group_in_the_order_of_the_first_of_each():
    frame = pd.DataFrame({"a": ["y"] + ["x"] * 20, "b": 3, "value": [0.5, *range(1, 21)]})
    table = statistics.summary(frame, ["a", "b"], "value")
    assert table[["a", "b", "markets", "mean", "median"]].to_numpy().tolist() == [
        ["y", 3, 1, 0.5, 0.5],
        ["x", 3, 20, 10.5, 10.5],
    ]
    assert table[["q10", "q90"]].to_numpy().tolist() == [[0.5, 0.5], [pytest.approx(2.9), pytest.approx(18.1)]]
    half = 2.093024 * np.sqrt(35) / np.sqrt(20)  # t of 19 degrees of freedom; the variance of 1 to 20 is 35
    assert table.loc[1, ["low", "high"]].tolist() == pytest.approx([10.5 - half, 10.5 + half])


def test_a_line_drawn_out_covers_new_observations_as_often_as_it_says():
    rng, x = np.random.default_rng(0), np.linspace(1.0, 10.0, 8)
    inside = 0
    for _ in range(2000):
        middle, low, high = statistics.extrapolated_linearly(x, 5 + 3 * x + rng.normal(size=x.size), 30.0)
        inside += low <= 5 + 3 * 30.0 + rng.normal() <= high
        assert low < middle < high
    assert 0.935 < inside / 2000 < 0.965
