"""Integer arithmetic of the exact kernels, with every intermediate shown to fit 32 bits.

The references compute in int64 and pass each value a kernel holds in a register through ``i32`` or ``u32``: an
accumulator that could wrap on a device fails there. The same functions stand in ``kernels/exact/_fixed_point.wgsl``.
Right shifts are arithmetic; WGSL takes shift counts modulo 32, so counts are checked too.
"""

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


class BoundError(ValueError):
    """A value leaves its bounds, as in no run of formats of ours.

    Raised and not asserted: a referee relies on it, however Python was started.
    """


def check(holds: bool | np.bool_, sentence: str) -> None:
    """BoundError(sentence) unless it holds."""
    if not holds:
        raise BoundError(sentence)


def i32(x: npt.NDArray[np.integer]) -> Integers:
    """x itself, as int64; every value must fit i32."""
    wide = np.asarray(x, np.int64)
    _within(wide, -(2**31), 2**31 - 1)
    return wide


def u32(x: npt.NDArray[np.integer]) -> Integers:
    """x itself, as int64; every value must fit u32."""
    wide = np.asarray(x, np.int64)
    _within(wide, 0, 2**32 - 1)
    return wide


def _within(x: Integers, lowest: int, highest: int) -> None:
    if x.size and (x.min() < lowest or x.max() > highest):
        raise BoundError(f"{int(x.min())} to {int(x.max())} is not within {lowest} to {highest}")


def multiply_shift(a: Integers, m: Integers | int, bits: int) -> Integers:
    """floor(a·m / 2^bits) as (a >> bits)·m + (((a & (2^bits - 1))·m) >> bits), both products in i32."""
    m = np.asarray(m, np.int64)
    return i32(i32((a >> bits) * m) + (i32((a & ((1 << bits) - 1)) * m) >> bits))


def portion(total: Integers, word: Integers | int) -> Integers:
    """floor(total·word / 2^32) of words without a sign, in products that fit 53 bits."""
    return ((total >> 16) * word + ((total & 65535) * word >> 16)) >> 16


def round_shift(a: Integers, shift: Integers | int) -> Integers:
    """a / 2^shift, halves upwards: (a + 2^(shift - 1)) >> shift for 0 < shift <= 30; a << -shift for shift <= 0."""
    shift = np.asarray(shift, np.int64)
    _within(shift, -31, 30)
    right = np.maximum(shift, 0)
    half = np.where(right > 0, np.int64(1) << np.maximum(right - 1, 0), 0)
    return i32(np.where(shift > 0, i32(a + half) >> right, a << np.maximum(-shift, 0)))


def bit_length(x: Integers) -> Integers:
    """Bits of each x in 0..2^32-1; 0 has none. In WGSL 32 - countLeadingZeros(x)."""
    return np.frexp(u32(x).astype(np.float64))[1].astype(np.int64)


def narrowed(z: Integers, bits: int) -> tuple[Integers, Integers]:
    """Rows of integers (T, K) as integers of at most ``bits`` bits, and the exponent (T, 1) that each row shares.

    a = rs(z, exponent) kept to |a| < 2^bits, exponent = max(bit length of max|z| - bits, 0); |z| < 2^31 - 2^15, and the
    max does not depend on order. With 0 bits z as it is, and exponents of 0.
    """
    if not bits:
        return z, np.zeros((len(z), 1), np.int64)
    exponent = np.maximum(bit_length(np.abs(z).max(1, keepdims=True)) - bits, 0)
    return clipped(z, exponent, bits), exponent


def clipped(z: Integers, exponent: Integers, bits: int) -> Integers:
    """rs(z, exponent) kept to ``bits`` bits and a sign."""
    most = (1 << bits) - 1
    return np.clip(round_shift(z, exponent), -most, most)


def requantise(acc: Integers, rows: npt.NDArray[np.integer], exponent: Integers | int = 0) -> Integers:
    """acc · mantissa · 2^(exponent - 16 - shift), each row's own (mantissa, shift).

    acc: (T, N), |acc| < 2^31; rows: (N, 2), 0 <= mantissa < 2^15, shift <= 30; exponent: (T, 1) or 0.
    """
    mantissa, shift = np.asarray(rows, np.int64).T
    return round_shift(multiply_shift(i32(acc), mantissa, 16), shift - exponent)
