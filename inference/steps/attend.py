"""The weighted mean of values.

sources: the sum of each head's weights, unsigned; words of the sums (heads, w) of their products with the values; where
``low`` > 0 of the products with the values' last bits, too. numbers: ``width``, w; ``part``, which words those are;
``value_shift``; ``low``, or absent. For word i, of head h = floor(i / w)

    rc = min(floor(u32(2^30 + floor(sum[h] / 2)) / sum[h]), 32767)     sum[h] > 0
    y = rs(mulsh(x, rc, 16), value_shift)                              |y| <= 32767
    y = rs(i32(mulsh(x, rc, 16) + (mulsh(x', rc, 16) >> low)), value_shift)      where low > 0
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, check, i32, multiply_shift, round_shift, u32
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import signed, unsigned


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    total, (start, stop) = unsigned(inputs[0]), numbers["part"]
    low = numbers.get("low", 0)
    mixtures = [signed(words) for words in inputs[1:]]
    check(len(mixtures) == 1 + (low > 0), "there is not a sum for each part of the values")
    fits = all(len(x) == stop - start for x in mixtures)
    check(start >= 0 and stop <= len(total) * numbers["width"] and fits, "a part is not the heads'")
    return mean(mixtures, total[np.arange(start, stop) // numbers["width"]], numbers["value_shift"], low)


def mean(mixtures: Sequence[Integers], total: Integers, value_shift: int, low: int = 0) -> Integers:
    """y of sums of products and of weights, of shapes that fit."""
    check(total.min() > 0, "weights sum to 0")
    reciprocal = np.minimum(u32(2**30 + total // 2) // total, 32767)
    high, *rest = (multiply_shift(x, reciprocal, 16) for x in mixtures)
    y = round_shift(i32(high + (rest[0] >> low)) if rest else high, value_shift)
    check(low > 0 or np.abs(y).max() <= 32767, "an output is not of 16 bits")
    return y
