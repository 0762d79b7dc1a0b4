"""Part of a norm's sum of squares, unsigned.

sources: the largest |x| of the whole row, one word; then words x of it. numbers: ``square_shift``, h.

    s = max(bits(largest), 11) - 15,  xs = x >> s (x << -s where s < 0),  |xs| <= 2^15
    y = u32(sum of u32(xs² + 2^(h-1)) >> h)
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, bit_length, check, u32
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import one, signed


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    x = np.concatenate([signed(words) for words in inputs[1:]])
    return u32(scaled_squares(x, one(inputs[0]), numbers["square_shift"]).sum(keepdims=True))


def length_of(largest: Integers) -> Integers:
    """n, at least 11, of the largest |x| of a row."""
    return np.maximum(bit_length(largest), 11)


def scaled_squares(x: Integers, largest: Integers, square_shift: int) -> Integers:
    """The squares of 16 bits of x."""
    s = length_of(largest) - 15
    xs = np.where(s >= 0, x >> np.maximum(s, 0), x << np.maximum(-s, 0))
    check(np.abs(xs).max() <= 2**15, "a value exceeds the largest of its row")
    return u32(xs * xs + (1 << (square_shift - 1))) >> square_shift
