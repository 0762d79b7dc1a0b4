"""The weighted mean of values.

sources: the sum of each head's weights, unsigned; words of the sums (heads, w) of their products with the values.
numbers: ``width``, w; ``part``, which words those are. For word i, of head h = floor(i / w)

    y = mulsh(x, min(floor(u32(2^30 + floor(sum[h] / 2)) / sum[h]), 32767), 16)     sum[h] > 0
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, check, multiply_shift, u32
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import signed, unsigned


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    total, (start, stop) = unsigned(inputs[0]), numbers["part"]
    x = signed(inputs[1])
    check(0 <= start < stop <= len(total) * numbers["width"] and len(x) == stop - start, "a part is not the heads'")
    return mean(x, total[np.arange(start, stop) // numbers["width"]])


def mean(mixed: Integers, total: Integers) -> Integers:
    """sum p'·v over den'."""
    check(total.min() > 0, "weights sum to 0")
    return multiply_shift(mixed, np.minimum(u32(2**30 + (total >> 1)) // total, 32767), 16)
