"""GELU, x Phi(x), in float32: what ``activation`` and ``geglu`` share.

erf(z) = 1 - (a1 t + .. + a5 t^5) e^(-z²), t = 1 / (1 + p z), z >= 0, within 1.5 · 10^-7 (Abramowitz and Stegun,
7.1.26).
"""

from math import erf, sqrt

import numpy as np
import numpy.typing as npt

from inference.arithmetic.tolerance import Array, Enclosed, flushed, gamma

P = 0.3275911
A = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
APART = 1.5e-7
"""Of the formula from erf."""


def gelu(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    z = np.abs(x.astype(np.float64)) / sqrt(2)
    t = 1 / (1 + P * z)
    upper = np.polyval((*A[::-1], 0.0), t) * np.exp(-z * z) / 2
    return np.asarray(x * np.where(x < 0, upper, 1 - upper), np.float32)


def gelu_enclosure(x: Array) -> Enclosed:
    """1 - Phi(|x|) = s: the formula's half of ``APART``; z, t, five products and sums of terms of sizes |a_i| t^i;
    e^-z², whose argument is off by 3 u z². gamma(40 + 6 z²) of the terms' sizes; 1 - s and x's product gamma(2)."""
    wide = x.astype(np.float64)
    z = np.abs(wide) / sqrt(2)
    y = wide * (1 + np.vectorize(erf, otypes=[np.float64])(wide / sqrt(2))) / 2
    t = 1 / (1 + P * z)
    sizes = np.polyval((*map(abs, A[::-1]), 0.0), t) * np.exp(-z * z) / 2
    share = APART / 2 + gamma(40 + 6 * z * z) * sizes
    return y, np.abs(wide) * share * (1 + gamma(2)) + gamma(2) * np.abs(y) + flushed(12, x)
