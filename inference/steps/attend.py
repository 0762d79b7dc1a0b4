"""The weighted mean of values.

sources: the sum of each head's weights, unsigned; words of the sums (heads, w) of their products with the values.
numbers: ``width``, w; ``part``, which words those are; ``value_shift``. For word i, of head h = floor(i / w)

    rc = min(floor(u32(2^30 + floor(sum[h] / 2)) / sum[h]), 32767)     sum[h] > 0
    y = rs(mulsh(x, rc, 16), value_shift)                              |y| <= 32767
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, check, multiply_shift, round_shift, u32
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import signed, unsigned


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    total, (start, stop) = unsigned(inputs[0]), numbers["part"]
    x = signed(inputs[1])
    check(start >= 0 and stop <= len(total) * numbers["width"] and len(x) == stop - start, "a part is not the heads'")
    return mean(x, total[np.arange(start, stop) // numbers["width"]], numbers["value_shift"])


def mean(x: Integers, total: Integers, value_shift: int) -> Integers:
    """y of sums of products and of weights, of shapes that fit."""
    check(total.min() > 0, "weights sum to 0")
    reciprocal = np.minimum(u32(2**30 + total // 2) // total, 32767)
    y = round_shift(multiply_shift(x, reciprocal, 16), value_shift)
    check(np.abs(y).max() <= 32767, "an output is not of 16 bits")
    return y
