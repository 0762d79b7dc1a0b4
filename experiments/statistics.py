"""Intervals, exponents and profiles: what verdicts are stated with."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

CONFIDENCE = 0.95
Range = tuple[float, float]
REAL, AMOUNT, SHARE, CORRELATION = (-np.inf, np.inf), (0.0, np.inf), (0.0, 1.0), (-1.0, 1.0)
"""What a quantity can be: its mean lies there too, and so does what is said of its mean."""
FEW = 30  # units; with fewer a bootstrap of means holds the mean of normal data less often than in 93 % of samples


def mean_interval(sample: ArrayLike, within: Range = REAL) -> tuple[float, float, float]:
    """Mean of independent units and its 95 % interval: Student's t below ``FEW`` of them, from there on bootstrapped.

    The bootstrap is by percentiles of 2,000 resamples with a fixed seed. One unit tells nothing of its spread: its
    bounds are NaN, which compare with nothing.

    Args:
        within: the range that a unit can be in, known before any is seen. The interval is cut off there: since the mean
            that it is to hold cannot lie outside, it holds it exactly as often as before, and since that of the sample
            lies inside, something is always left.

    Raises:
        ValueError: a unit is outside the range.
    """
    values = _within(sample, within)
    mean = float(values.mean())
    if values.size < 2:
        return mean, np.nan, np.nan
    if np.ptp(values) == 0:
        return mean, mean, mean
    if values.size < FEW:
        half = _quantile(values.size - 1) * values.std(ddof=1) / np.sqrt(values.size)
        return _cut(mean, half, within)
    drawn = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=2000,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return mean, float(drawn.low), float(drawn.high)


def _within(sample: ArrayLike, within: Range) -> np.ndarray:
    values = np.asarray(sample, dtype=float)
    slack = 1e-9  # of sums of floats
    if (values < within[0] - slack).any() or (values > within[1] + slack).any():
        raise ValueError(f"units from {values.min():g} to {values.max():g} are not all within {within}")
    return values


def _cut(mean: float, half: float, within: Range) -> tuple[float, float, float]:
    return mean, max(float(mean - half), within[0]), min(float(mean + half), within[1])


def stratified(values: ArrayLike, strata: ArrayLike, within: Range = REAL) -> tuple[float, float, float]:
    """Mean over fixed strata, each of the same weight, and its 95 % interval from the spread within them.

    mean = sum mean_h / H with variance V = sum v_h / H^2, v_h = s_h^2 / n_h, and Student's t of Welch and
    Satterthwaite's (sum v_h)^2 / sum (v_h^2 / (n_h - 1)) degrees of freedom. The families of markets are such strata:
    eight that were chosen, not a sample of families. NaN bounds where a stratum has one unit. ``within``: as in
    ``mean_interval``.
    """
    frame = pd.DataFrame({"value": _within(values, within), "stratum": np.asarray(strata)})
    groups = frame.groupby("stratum")["value"]
    mean, count, own = float(groups.mean().mean()), groups.size(), groups.var(ddof=1) / groups.size()
    if (count < 2).any():
        return mean, np.nan, np.nan
    if not own.any():
        return mean, mean, mean
    free = own.sum() ** 2 / (own**2 / (count - 1)).sum()
    half = _quantile(free) * np.sqrt(own.sum()) / len(own)
    return _cut(mean, float(half), within)


def _quantile(free: float) -> float:
    return float(stats.t.ppf(0.5 + CONFIDENCE / 2, free))


def normal_interval(sample: ArrayLike) -> tuple[float, float, float]:
    """Mean of a large sample and its 95 % interval by the central limit theorem: mean +- z s / sqrt(n)."""
    values = np.asarray(sample, dtype=float)
    mean = float(values.mean())
    half = float(stats.norm.ppf(0.5 + CONFIDENCE / 2) * values.std(ddof=1) / np.sqrt(values.size))
    return mean, mean - half, mean + half


def share_interval(successes: int, trials: int) -> tuple[float, float, float]:
    """Share of successes and its exact 95 % interval (Clopper and Pearson 1934)."""
    drawn = stats.binomtest(successes, trials).proportion_ci(CONFIDENCE, method="exact")
    return successes / trials, float(drawn.low), float(drawn.high)


def exponent(size: ArrayLike, seconds: ArrayLike) -> tuple[float, float, float]:
    """Exponent p of seconds = a * size^p by least squares in logarithms, and its 95 % interval (Student's t)."""
    x, y = np.log(np.asarray(size, dtype=float)), np.log(np.asarray(seconds, dtype=float))
    fit = stats.linregress(x, y)
    half = _quantile(x.size - 2) * fit.stderr
    return float(fit.slope), float(fit.slope - half), float(fit.slope + half)


def extrapolated(
    size: ArrayLike, value: ArrayLike, at: float, power: float | None = None
) -> tuple[float, float, float]:
    """value = a * size^p at another size, and the 95 % interval of one new observation there (Student's t, logarithms).

    ``power``: p where it is known; fitted by least squares where it is None, which widens the interval by
    (x - mean x)^2 / sum (x_i - mean x)^2.
    """
    x, y = np.log(np.asarray(size, dtype=float)), np.log(np.asarray(value, dtype=float))
    away, spread = np.log(at) - x.mean(), float(((x - x.mean()) ** 2).sum())
    slope = float(stats.linregress(x, y).slope) if power is None else power
    residual = y - y.mean() - slope * (x - x.mean())
    free = x.size - (2 if power is None else 1)
    wide = 1 + 1 / x.size + (away**2 / spread if power is None else 0.0)
    half = _quantile(free) * np.sqrt((residual**2).sum() / free * wide)
    middle = y.mean() + slope * away
    return float(np.exp(middle)), float(np.exp(middle - half)), float(np.exp(middle + half))


def extrapolated_linearly(size: ArrayLike, value: ArrayLike, at: float) -> tuple[float, float, float]:
    """value = a + b size at another size, by least squares, and the 95 % interval of one new observation there
    (Student's t)."""
    x, y = np.asarray(size, dtype=float), np.asarray(value, dtype=float)
    fit = stats.linregress(x, y)
    middle = float(fit.intercept + fit.slope * at)
    residual = float(((y - fit.intercept - fit.slope * x) ** 2).sum())
    wide = 1 + 1 / x.size + (at - x.mean()) ** 2 / float(((x - x.mean()) ** 2).sum())
    half = float(stats.t.ppf(0.5 + CONFIDENCE / 2, x.size - 2) * np.sqrt(residual / (x.size - 2) * wide))
    return middle, middle - half, middle + half


def rank_correlation(x: ArrayLike, y: ArrayLike) -> float:
    """Spearman's rank correlation; 0 where one side is constant."""
    first, second = np.asarray(x), np.asarray(y)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(stats.spearmanr(first, second).statistic)


def profile(values: pd.Series, thresholds: ArrayLike) -> np.ndarray:
    """Performance profile (Dolan and More): the share of values at or below each threshold."""
    ordered = np.sort(values.to_numpy(dtype=float))
    return np.searchsorted(ordered, np.asarray(thresholds), side="right") / max(1, ordered.size)


def summary(frame: pd.DataFrame, by: list[str], value: str, within: Range = REAL) -> pd.DataFrame:
    """Per group: how many, mean with its 95 % interval (see ``mean_interval``), median, 10 % and 90 % quantiles."""
    rows = []
    for key, group in frame.groupby(by, sort=False, observed=True):
        mean, low, high = mean_interval(group[value], within)
        q10, q50, q90 = np.quantile(group[value], (0.1, 0.5, 0.9))
        rows.append((*key, len(group), mean, low, high, q50, q10, q90))
    return pd.DataFrame(rows, columns=[*by, "markets", "mean", "low", "high", "median", "q10", "q90"])
