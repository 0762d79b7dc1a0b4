"""Tables of the exact arithmetic: artefacts with a digest, computed once in exact rational or decimal arithmetic.

numpy's exp, cos and pow differ in the last place between processors; Python's decimal module does not, and every entry
here is rounded from 50 digits.
"""

from decimal import Decimal, localcontext
from functools import cache

import numpy as np
import numpy.typing as npt

from inference.errors import InputError

DIGITS = 50
MASK = 2**40 - 1
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")


@cache
def exponential() -> npt.NDArray[np.int32]:
    """(256,): 2^(18 - i/256)."""
    with localcontext(prec=DIGITS):
        return _frozen([2 ** (18 - Decimal(i) / 256) for i in range(256)], (256,))


@cache
def silu_curve() -> npt.NDArray[np.int32]:
    """(257,): t / (1 + e^t) in 16 fraction bits at t = i / 16."""
    with localcontext(prec=DIGITS):
        return _frozen([2**16 * t / (1 + t.exp()) for t in (Decimal(i) / 16 for i in range(257))], (257,))


@cache
def inverse_normal() -> npt.NDArray[np.int32]:
    """(65536,): the quantiles of the normal law at (i + 1/2) / 65536, in 12 fraction bits.

    An entry k is that between whose neighbouring halves the law's integral reaches the place: where
    Phi((k - 1/2) / 4096) <= (i + 1/2) / 65536 < Phi((k + 1/2) / 4096), Phi by its Taylor series in 50 digits.
    """
    ends = _normal_integral(LARGEST_QUANTILE)
    places = (2 * np.arange(32768, 65536) + 1) << (INTEGRAL_BITS - 17)
    upper = np.searchsorted(ends, places, side="right").astype(np.int32)
    table = np.concatenate((-upper[::-1], upper))
    table.setflags(write=False)
    return table


LARGEST_QUANTILE = 18000
INTEGRAL_BITS = 60
WORK_BITS = 120


def _normal_integral(count: int) -> npt.NDArray[np.int64]:
    """(count,): Phi((k + 1/2) / 4096) in 60 fraction bits, for k from 0; in whole numbers of 120 bits.

    The integral over 1 / 4096 about x = k / 4096 is phi(x) (2 h + 2 h³ / 6 (x² - 1) + 2 h⁵ / 120 (x⁴ - 6 x² + 3)), h =
    2^-13, to 2^-90; phi(x) follows from that before by a factor e^(-(2 k + 1) / 2^25), which follows from the one
    before by e^(-2^-24).
    """
    with localcontext(prec=DIGITS):
        one = 1 << WORK_BITS
        density, factor, ratio = (
            int(each * one)
            for each in (1 / (2 * PI).sqrt(), (-(Decimal(2) ** -25)).exp(), (-(Decimal(2) ** -24)).exp())
        )
    ends, total = [], one // 2
    for k in range(count):
        y = k * k << WORK_BITS - 24
        square = y * y >> WORK_BITS
        series = one + (y - one >> 26) // 6 + (square - 6 * y + 3 * one >> 52) // 120
        total += (density * series >> WORK_BITS) >> (12 if k else 13)
        ends.append(total >> WORK_BITS - INTEGRAL_BITS)
        density, factor = density * factor >> WORK_BITS, factor * ratio >> WORK_BITS
    return np.array(ends, np.int64)


@cache
def gelu_curve() -> npt.NDArray[np.int32]:
    """(257,): t / (1 + e^(2 u)), u = sqrt(2 / pi) (t + 0.044715 t³), in 16 fraction bits at t = i / 16: GELU by tanh is
    max(g, 0) - C(|g|) too."""
    with localcontext(prec=DIGITS):
        root = 2 * (2 / PI).sqrt()
        at = (Decimal(i) / 16 for i in range(257))
        return _frozen([2**16 * t / (1 + (root * (t + Decimal("0.044715") * t**3)).exp()) for t in at], (257,))


@cache
def erf_gelu_curve() -> npt.NDArray[np.int32]:
    """(257,): t (1 - Phi(t)), Phi the normal law's integral, in 16 fraction bits at t = i / 16: for GELU itself."""
    with localcontext(prec=DIGITS):
        return _frozen([2**16 * t * _upper_tail(t) for t in (Decimal(i) / 16 for i in range(257))], (257,))


def _upper_tail(t: Decimal) -> Decimal:
    """1 - Phi(t) = 1/2 - phi(t) sum of t^(2 n + 1) / (1 · 3 · 5 .. (2 n + 1)), to 45 digits after the point."""
    total = term = t
    count = 1
    while term > Decimal(10) ** -DIGITS * total:
        count += 2
        term *= t * t / count
        total += term
    return Decimal("0.5") - (-t * t / 2).exp() / (2 * PI).sqrt() * total


@cache
def quick_gelu_curve() -> npt.NDArray[np.int32]:
    """(257,): t / (1 + e^(1.702 t)) in 16 fraction bits at t = i / 16."""
    with localcontext(prec=DIGITS):
        at = (Decimal(i) / 16 for i in range(257))
        return _frozen([2**16 * t / (1 + (Decimal("1.702") * t).exp()) for t in at], (257,))


def angles(positions: int, head_width: int, theta: float, factors: tuple[float, ...] = ()) -> npt.NDArray[np.float64]:
    """(positions, head_width / 2): p·theta^(-2i / head_width) modulo 2 pi, to 2^-52 of a turn.

    ``factors`` divide the angle of each pair (``rope_freqs`` of a file).
    """
    pairs = range(head_width // 2)
    with localcontext(prec=DIGITS):
        steps = [
            Decimal(theta) ** (Decimal(-2 * i) / head_width) / Decimal(factors[i] if factors else 1) for i in pairs
        ]
        units = [int((step / (2 * PI) * 2**80).to_integral_value()) for step in steps]  # 2^-80 of a turn
    # p·unit modulo 2^80 as two digits of 40 bits; their float64 sum is rounded once.
    high, low = (np.array([unit % 2**80 >> 40 * digit & MASK for unit in units], np.int64) for digit in (1, 0))
    place = np.arange(positions, dtype=np.int64)[:, None]
    product = place * low
    turns = (place * high + (product >> 40) & MASK) * 2.0**-40 + (product & MASK) * 2.0**-80
    return np.asarray(2 * np.pi * turns)


@cache
def rotations(positions: int, head_width: int, theta: float, factors: tuple[float, ...] = ()) -> npt.NDArray[np.int32]:
    """(positions, head_width / 2, 2): cos and sin of the angles in 14 fraction bits.

    float64 is far finer than 14 bits.

    Raises:
        InputError: an entry lies so near a half that the last places of a float64 would decide.
    """
    angle = angles(positions, head_width, theta, factors)
    values = 2.0**14 * np.stack((np.cos(angle), np.sin(angle)), axis=2)
    exact = np.isin(angle, (0.0, np.pi / 2, np.pi, 1.5 * np.pi))[..., None]
    if (np.abs(values - np.floor(values) - 0.5) < 1e-10)[~exact.repeat(2, axis=2)].any():
        raise InputError(f"rotations of base {theta!r} have an entry too near a half to be rounded alike everywhere")
    table = np.floor(values + 0.5).astype(np.int32)
    table.setflags(write=False)
    return table


def _frozen(values: list[Decimal], shape: tuple[int, ...]) -> npt.NDArray[np.int32]:
    table = np.array([int((value + Decimal("0.5")).__floor__()) for value in values], np.int32).reshape(shape)
    table.setflags(write=False)
    return table
