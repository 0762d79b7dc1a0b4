"""Tensors of i32 words with one exponent, which depends on the data: what residual streams of pictures need.

A tensor is words x and a scale (1, 2): the largest |x|, by a tree that no order changes, and the exponent E; it stands
for x · 2^E. |x| <= 2^30 + 2^29. What an op reads is narrowed to some bits by n = bit length of the largest - bits:

    narrow(x, n) = rs(x, n) kept to |.| < 2^bits, x << -n where n <= 0            stands for narrow(x, n) · 2^(E + n)

so an op's own exponent is E + n + unit with a unit that its constants decide, and of several terms the largest. The
same functions stand in ``kernels/exact/_scaled.wgsl``.
"""

import numpy as np
import numpy.typing as npt

from inference.arithmetic.clamps import clamped
from inference.arithmetic.fixed_point import Integers, bit_length, check, i32, multiply_shift, round_shift

MOST = 2**30 - 1
"""What ``moved`` keeps words to."""
NONE = -4096
"""A floor that is none."""
ACTIVATION, NORM, GAIN = 14, 29, 15
"""Bits of what a product reads, of what a norm reads, and of a norm's gains."""
SHORT = 14
"""Bits by which what a norm sums is shorter than what it reads."""
SILU_STEPS = 256
CURVE = 16
"""Fraction bits of a curve's entries and of where it is read."""


def narrowing(scale: npt.NDArray[np.integer], bits: int) -> tuple[int, int]:
    """The shift n that narrows a tensor to ``bits`` bits, and the exponent E + n of what it gives."""
    largest, exponent = (int(word) for word in scale.ravel())
    check(0 <= largest < 2**31 and abs(exponent) < 2**20, "a scale is none")
    n = int(bit_length(np.array([largest], np.int64))[0]) - bits
    return n, exponent + n


def narrow(x: Integers, n: int, bits: int) -> Integers:
    """Words at n of ``narrowing``."""
    if n <= 0:
        return i32(x << -n)
    most = (1 << bits) - 1
    return clamped("narrowed", round_shift(x, n), most)


def moved(x: Integers, shift: Integers | int) -> Integers:
    """x / 2^shift, halves upwards; where the shift is negative x · 2^-shift kept to ``MOST``. |x| <= 2^30 + 2^29."""
    shift = np.asarray(shift, np.int64)
    right, left = np.clip(shift, 0, 30), np.clip(-shift, 0, 30)
    most = np.int64(MOST) >> left
    return np.where(shift > 0, round_shift(x, right), clamped("moved", np.where(shift > 0, 0, x), most) << left)


def curved(y: Integers, exponent: int, curve: Integers) -> Integers:
    """max(y, 0) - C(|y|), y and the result at an exponent; C of 257 entries in 16 fraction bits at steps of 1/16.

    t = |y| in 16 fraction bits; i = t >> 12, r = t & 4095; c = C[i] + (((C[i+1] - C[i])·r + 2048) >> 12), 0 from 16 on.
    """
    t = moved(np.abs(y), -CURVE - exponent)
    i, table = np.minimum(t >> 12, SILU_STEPS), np.append(curve, 0)
    c = table[i] + (i32((table[i + 1] - table[i]) * (t & 4095) + 2048) >> 12)
    return i32(np.maximum(y, 0) - moved(np.where(i < SILU_STEPS, c, 0), CURVE + exponent))


def factored(x: Integers, scale: npt.NDArray[np.integer], mantissa: int, unit: int, exponent: int) -> Integers:
    """x times a factor mantissa · 2^(unit - 16), at an exponent: mulsh(narrow to 30 bits, mantissa, 16), moved."""
    n, at = narrowing(scale, 30)
    return moved(multiply_shift(narrow(x, n, 30), mantissa, 16), exponent - at - unit)


def pairs(sums: Integers) -> Integers:
    """(.., G) of 64 bits as (.., 2 G): high words, then low words, by their bits."""
    return np.concatenate((sums >> 32, (sums & (2**32 - 1)).astype(np.uint32).view(np.int32)), axis=-1).astype(np.int64)


def whole(words: npt.NDArray[np.integer]) -> Integers:
    """What pairs stand for."""
    high, low = np.split(np.asarray(words, np.int32), 2, axis=-1)
    return (high.astype(np.int64) << 32) + np.ascontiguousarray(low).view(np.uint32).astype(np.int64)
