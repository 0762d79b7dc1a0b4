"""Inverse deviations of groups from the pairs of their squared distances.

sources: the pairs, the first. numbers: ``scale``; ``count``, terms of a group; ``mantissa`` and ``exponent`` of
epsilon. With u = E + bits(largest) - 14, of each sum V <= count·2^30 and epsilon's f0 = exponent - 2 u:

    s >= 0 the least with m = floor(V·2^s / count) >= 2^30, f = max(-s, f0); m = 0, f = f0 where V = 0
    w = (m >> min(f + s, 31)) + (mantissa >> min(f - f0, 31)); where f is odd: w·2, f - 1 if w < 2^31, else w >> 1, f +
    1 r = floor(sqrt(w)), v = min(floor((2^30 + (r >> 1)) / r), 32767), 2^30 <= w < 2^32

y = the v of all groups, then the f / 2.
"""

import math
from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, check
from inference.arithmetic.scaled import NORM, SHORT, narrowing, whole
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import scale


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    check(len(inputs[0]) > 0 and len(inputs[0]) % 2 == 0, "pairs are not whole")
    _, at = narrowing(scale(inputs, constants, numbers["scale"]), NORM)
    exponent = numbers["exponent"] - 2 * (at + SHORT + 1)
    totals = whole(inputs[0]).tolist()
    return np.array([inverse(V, numbers["count"], numbers["mantissa"], exponent) for V in totals], np.int64).T.ravel()


def inverse(total: int, count: int, mantissa: int, exponent: int) -> tuple[int, int]:
    """v and h of a sum of squares; epsilon at the sum's own unit."""
    check(0 <= total <= count << 30, "a sum of squares is beyond its terms")
    m, e = divided(total, count)
    if not m:
        e = exponent
    f = max(e, exponent)
    w = (m >> min(f - e, 31)) + (mantissa >> min(f - exponent, 31))
    if f % 2:
        w, f = (w << 1, f - 1) if w < 2**31 else (w >> 1, f + 1)
    check(2**30 <= w < 2**32, "a variance is not of 32 bits")
    r = math.isqrt(w)
    return min((2**30 + (r >> 1)) // r, 32767), f // 2


def divided(total: int, count: int) -> tuple[int, int]:
    """floor(total / count · 2^-e) and e <= 0, the largest for which it has 31 bits; nothing of 0."""
    if not total:
        return 0, 0
    shift = max(0, 95 - ((total << 64) // count).bit_length())
    return (total << shift) // count, -shift
