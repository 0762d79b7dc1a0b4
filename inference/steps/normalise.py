"""Columns of a norm: y = gain · x / sqrt(mean(x²) + epsilon).

sources: the largest |x| of the whole row, one word; the sum of its squares (``squares``), one unsigned word; the words
x; with ``bits`` the largest |a| of the row of which x is a product, one word. numbers: ``columns`` of the row that x
are; ``gain``, a constant of (d,); ``square_shift``, ``constant``, ``epsilon``, ``root_shift``, ``gain_shift``;
``wide``, 1 where y may have more than 16 bits, or absent; ``bits``, 0 or absent where x has no exponent.

    n = max(bits(largest), 11) <= 31,  s = n - 15,  e = max(bits(largest |a|) - bits, 0), 0 where bits = 0
    S = max(u32(sum + (epsilon >> min(2 (s + e) + square_shift, 31))), 1)
    k = (32 - bits(S)) & ~1,  r = floor(sqrt(u32(S << k)))             2^15 <= r < 2^16
    v = floor((constant + (r >> 1)) / r) < 2^15
    Y = rs(mulsh(i32(x << (30 - n)), v, 16), root_shift - k / 2)       x >> 1 where n = 31
    y = rs(i32(Y·gain), gain_shift)                                    |y| <= 32767, unless wide

and epsilon is shifted by no less than 0.
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, bit_length, check, i32, multiply_shift, round_shift, u32
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import one, signed, unsigned, window
from inference.steps.squares import length_of

ATTRIBUTES = ("square_shift", "constant", "epsilon", "root_shift", "gain_shift")


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    largest, total, x, *read = inputs
    bits = numbers.get("bits", 0)
    check(len(read) == bool(bits), "the sources are not a product's or not a sum's")
    exponent = np.maximum(bit_length(one(read[0])) - bits, 0) if bits else 0
    gain = window(constants, numbers["gain"], [0, 1], numbers["columns"])[0]
    check(total.shape == (1,) and x.shape == gain.shape, "the sources are not a sum and the columns")
    given = {name: numbers[name] for name in ATTRIBUTES}
    wide = numbers.get("wide", 0)
    return normalised(signed(x), one(largest), unsigned(total), gain, wide=wide, exponent=exponent, **given)


def normalised(
    x: Integers,
    largest: Integers,
    total: Integers,
    gain: Integers,
    *,
    square_shift: int,
    constant: int,
    epsilon: int,
    root_shift: int,
    gain_shift: int,
    wide: int = 0,
    exponent: Integers | int = 0,
) -> Integers:
    """x of rows whose largest |x| and sums of squares are given, in units of 2^exponent."""
    n = length_of(largest)
    check(n.max() <= 31, "a value is -2^31")
    scale = np.minimum(2 * (n - 15 + exponent) + square_shift, 31)
    check(scale.min() >= 0, "epsilon is shifted to the left")
    S = np.maximum(u32(total + (epsilon >> scale)), 1)
    k = (32 - bit_length(S)) & ~1
    r = np.floor(np.sqrt(u32(S << k).astype(np.float64))).astype(np.int64)  # exact below 2^52
    check(r.min() >= 2**15 and r.max() < 2**16, "a root is not of 16 bits")
    v = u32(constant + (r >> 1)) // r
    check(v.max() < 2**15, "a reciprocal root is not of 15 bits")
    aligned = i32(np.where(n <= 30, x << np.maximum(30 - n, 0), x >> 1))
    Y = round_shift(multiply_shift(aligned, v, 16), root_shift - k // 2)
    y = round_shift(i32(Y * gain), gain_shift)
    check(bool(wide) or np.abs(y).max() <= 32767, "an output is not of 16 bits")
    return y
