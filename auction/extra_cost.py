"""The part of a task's extra cost that its work makes (section 4), rounded right: one integer on every processor."""

import math
from decimal import Decimal, localcontext

import numpy as np
from numpy.typing import NDArray

RELATIVE_ERROR = 2.0**-49  # numpy's logarithm is off by up to 4 units in the last place; what follows adds 3


def in_floats(work: NDArray[np.float64], alpha: int, unit: int) -> NDArray[np.float64]:
    """(m,) unit tau log_alpha(tau) within RELATIVE_ERROR; its last bits depend on the processor."""
    with np.errstate(over="ignore"):
        return unit * work * (np.log(work) / math.log(alpha))


def rounded(work: NDArray[np.float64], alpha: int, unit: int) -> NDArray[np.int64]:
    """(m,) unit tau log_alpha(tau) to the nearest integer.

    Decimals decide where the error of floats leaves two integers open: among amounts that sum to less than 2^62 that
    is 2^14 times at most.

    Args:
        work: (m,) tau_i >= 1; the results sum to less than 2^62.
        alpha: base, 2 to 2^63 - 1.
        unit: what a token is divided into, a multiple of 2^6.
    """
    near = in_floats(work, alpha, unit)
    error = near * RELATIVE_ERROR
    nearest = np.rint(near).astype(np.int64)
    for i in np.flatnonzero(np.rint(near - error) != np.rint(near + error)):
        nearest[i] = _rounded(float(work[i]), alpha, unit)
    return nearest


def _rounded(work: float, alpha: int, unit: int) -> int:
    """By as many digits as it takes. No value lies halfway between two integers.

    tau log_alpha(tau) is rational only where tau = alpha^(p/q), which makes tau an integer and q at most 62: a
    denominator has five factors 2 at most, and the unit has six.
    """
    digits = 32
    while True:
        with localcontext(prec=digits):
            value = unit * Decimal(work) * Decimal(work).ln() / Decimal(alpha).ln()
            error = value.scaleb(2 - digits)  # five roundings of at most 10^(1 - digits) / 2 each
            low, high = round(value - error), round(value + error)
        if low == high:
            return low
        digits *= 2
