"""Means of groups from the pairs of their sums.

sources: the pairs. numbers: ``count``, terms of a group. y = sign(S)·floor(|S|·2^14 / count), of 32 bits.
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, check, i32
from inference.arithmetic.scaled import SHORT, whole
from inference.steps import Constants, Numbers, Words


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    check(len(inputs[0]) > 0 and len(inputs[0]) % 2 == 0, "pairs are not whole")
    return divided(whole(inputs[0]), numbers["count"])


def divided(total: Integers, count: int) -> Integers:
    """The means of sums of ``count`` terms of 15 bits."""
    check(np.abs(total).max() <= count << 15, "a sum is beyond its terms")
    return i32(np.sign(total) * (np.abs(total) * 2**SHORT // count))
