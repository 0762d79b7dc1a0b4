"""Permute-and-flip: private choice of the highest score (McKenna and Sheldon 2020).

Outcomes are visited in random order; r is kept with probability p_r = exp((s_r - max s) / scale), and the first one
kept is chosen. That is the argmax of scores with exponential noise of that scale (Ding and others 2021), and its
expected score is never below the exponential mechanism's.
"""

import numpy as np

from auction.market import Float, Int


def probabilities(scores: Int, scale: float) -> Float:
    """(outcomes,) the probability of each: p_r times the integral over t in [0, 1] of prod_{q != r} (1 - p_q t).

    Each outcome is visited at a uniform time of its own, r at t: every other one comes later, or earlier and is not
    kept. The integrand is a polynomial: Gauss-Legendre quadrature of half its degree is exact but for rounding.

    Args:
        scores: (outcomes,) at least one, between -2^62 and 2^62.
        scale: positive, in units of the scores.
    """
    kept = np.exp((scores - scores.max()) / scale)
    node, weight = np.polynomial.legendre.leggauss(scores.size // 2 + 1)
    passed = np.log1p(-np.outer((node + 1) / 2, kept))
    chosen = kept * (weight / 2 @ np.exp(passed.sum(axis=1, keepdims=True) - passed))
    return chosen / chosen.sum()


def release(scores: Int, scale: float) -> int:
    """The index of one choice, drawn by OpenDP's noisy max under max-divergence: in exact rationals, without a seed."""
    import opendp.prelude as dp

    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.linf_distance(T="i64")
    return int(dp.m.make_noisy_max(*space, dp.max_divergence(), scale=scale)(scores.tolist()))
