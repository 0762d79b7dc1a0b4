"""Fixed-point formats of the exact arithmetic, derived from the weights alone: bounds, no calibration data.

A norm's output obeys ``|Y|_2 <= sqrt(d)`` before the gain, so a linear output fed by it obeys
``|y_n| <= sqrt(d)·|W_n ∘ gain|_2`` whatever the input; what follows is bounded from there. Each function takes as many
fraction bits as its bounds allow and refuses, with the layer's name, a layer that leaves too few.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.errors import InputError
from inference.files.blocks import BLOCK, Weights, side_by_side

LIMIT = 2**31 - 2**16
"""What every i32 accumulator is kept below: the rest is for roundings."""
ACTIVATION = 2**15 - 1
RESIDUAL_FRACTION = 14
TYPICAL = 128
"""Units that an embedding's root mean square shall be, of a residual's finest fraction."""
FINE = 64
"""Units that the median of each norm's gains shall be where their outputs are read as they are, with 16 bits."""
LOW = 8
"""Bits by which attention's values exceed 16 where 16 leave fewer than ``FINEST_VALUE``, of their fraction."""
FINEST_VALUE = 7
POSITIONS = 8192
"""Of a block, for which the softmax's denominator and its weighted sum are proven to fit."""
BLOCKS = 16
"""Of positions that a token sees, at most."""
AT_ONCE = 2**21
"""Weights whose 64 bits are held at once."""
GATE_SPLIT = 10
"""Bits at which the gate's product is split in two that fit."""

Floats = npt.NDArray[np.float64]


def slack(width: int) -> float:
    """How far a norm's integer output may exceed the real one, and the roundings after it with margin.

    xs loses under one unit of 2^14 or more at the row's largest entry: the norm is off by at most 2 sqrt(d) 2^-14; the
    root and its reciprocal by 2^-14 each; gains and weights by 2^-14.
    """
    return 1 + 4 * math.sqrt(width) * 2**-14 + 2**-9


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """A packed product in integers, but for the scales, which need the fractions of its input and output."""

    q: npt.NDArray[np.integer]
    blocks: npt.NDArray[np.int16]
    sigma: Floats
    """(N,): what one unit of the accumulator stands for, times the input's unit."""
    largest: int
    """The largest |activation| for which no accumulator leaves i32."""


def linear(name: str, weights: Weights) -> Linear:
    """Integer steps of the blocks, and how large activations may be.

    Q4: |acc| <= largest · sum over blocks of (sum |q| · |D| / 2^15 + 32 |M| / 2^11), K the same with sum |q| · |D| of
    either half; Q8: of sum |q| · |D| / 2^16.
    """
    d = weights.d.astype(np.float64)
    counts = by_rows(lambda q, of: np.abs(q.reshape(*of.shape, -1).astype(np.int64)).sum(2), weights.q, d)
    if weights.m is None:
        sigma = np.abs(d).max(1) / 32767
        blocks = _divided(d, sigma)
        bound = (counts * np.abs(blocks.astype(np.int64))).sum(1) / 2**16
        unit = sigma * 2**16
    else:
        m = weights.m.astype(np.float64) / 16
        sigma = np.maximum(np.abs(d).max(1), np.abs(m).max(1)) / 32767
        D, M = _divided(d, sigma), _divided(m, sigma)
        blocks = side_by_side(D, M)
        bound = (counts * np.abs(D.astype(np.int64))).sum(1) / 2**15
        bound += (BLOCK * np.abs(M.astype(np.int64))).sum(1) / 2**11
        unit = sigma * 2**15
    roundings = max(2 * blocks.shape[1], blocks[0].size)
    largest = min(ACTIVATION, int((LIMIT - roundings) / max(1.0, float(bound.max()))))
    if largest < 2**10:
        raise InputError(
            f"{name}: rows of {weights.q.shape[1]} weights leave activations {largest.bit_length()} bits; 11 are needed"
        )
    return Linear(weights.q, blocks, unit, largest)


def by_rows(function: Callable[..., npt.NDArray[Any]], *arrays: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A function of rows, a few at a time: what it makes of a whole embedding in 64 bits takes the memory of many."""
    return np.concatenate([function(*(array[span] for array in arrays)) for span in spans(arrays[0].shape)])


def spans(shape: tuple[int, ...]) -> list[slice]:
    """A matrix' rows, as many at a time as have ``AT_ONCE`` weights."""
    each = max(1, AT_ONCE // max(1, math.prod(shape[1:])))
    return [slice(at, at + each) for at in range(0, shape[0], each)]


def outlying(gain: npt.NDArray[np.float32]) -> bool:
    """Whether outliers among a norm's gains leave the median fewer than ``FINE`` units of 16 bits."""
    sizes = np.abs(gain.astype(np.float64))
    return float(np.median(sizes)) * ACTIVATION < FINE * math.sqrt(len(gain)) * float(sizes.max())


def bits(largest: int) -> int:
    """To how many bits activations are narrowed so that none exceeds ``largest``."""
    return (largest + 1).bit_length() - 1


def _divided(values: Floats, sigma: Floats) -> npt.NDArray[np.int16]:
    return np.rint(np.divide(values, sigma[:, None], out=np.zeros_like(values), where=sigma[:, None] > 0)).astype(
        np.int16
    )


def rows(name: str, scale: Floats) -> npt.NDArray[np.int32]:
    """(N, 2): mantissa in [2^14, 2^15) and shift with scale = mantissa · 2^(-16 - shift).

    A shift beyond 30 takes bits from the mantissa instead; one below -15 is refused.
    """
    exponent = np.where(scale > 0, np.frexp(scale)[1], 0)  # scale in [2^(exponent - 1), 2^exponent)
    shift = np.minimum(-1 - exponent, 30)
    mantissa = np.rint(scale * np.exp2(16.0 + shift))
    carried = mantissa >= 2**15
    mantissa, shift = np.where(carried, 2**14, mantissa), np.where(carried, shift - 1, shift)
    if shift.min(initial=0) < -15:
        raise InputError(f"{name}: a row's scale of {scale.max():.3g} exceeds what a shift can bring back")
    return np.stack((mantissa, shift), axis=1).astype(np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Norm:
    """RMSNorm in integers."""

    gain: npt.NDArray[np.int32]
    attributes: dict[str, int]
    fraction: int
    """Fraction bits of its output."""


def square_shift(width: int) -> int:
    """Bits taken from every square of a norm, h: d·2^(30-h) < 2^32."""
    return max(8, width.bit_length() - 2)


def norm(name: str, gain: npt.NDArray[np.float32], residual_fraction: int, epsilon: float, largest: int) -> Norm:
    """The constants of ``ops/rms_norm.py`` for a width, a gain and the largest activation its readers allow."""
    width = len(gain)
    squares = square_shift(width)
    ratio = math.sqrt(width / 2.0**squares)
    scale = 30 - math.frexp(ratio)[1]  # ratio·2^scale in [2^29, 2^30)
    constant = round(ratio * 2.0**scale)
    units = max(1, round(epsilon * width * 4.0**residual_fraction))
    if constant + 2**15 >= 2**30 or width * 2 ** (30 - squares) + units >= 2**32:
        raise InputError(f"{name}: a norm over {width} values with epsilon {epsilon} does not fit 32 bits")
    top = float(np.abs(gain).max())
    gain_fraction = 14 - math.frexp(max(top, 2.0**-14))[1]
    integers = np.rint(gain.astype(np.float64) * 2.0**gain_fraction).astype(np.int64)
    integers = np.clip(integers, 1 - 2**14, 2**14 - 1)
    bound = math.sqrt(width) * slack(width)
    fraction = min(12, math.floor(math.log2(LIMIT / (bound * max(1, int(np.abs(integers).max()))))))
    shift = max(0, math.ceil(math.log2(bound * 2.0**fraction * max(1, int(np.abs(integers).max())) / (largest - 1))))
    root_shift = scale - 13 + 12 - fraction
    if not 15 < root_shift <= 30 or shift > 30:
        raise InputError(f"{name}: a norm over {width} values with gains up to {top:.3g} does not fit 32 bits")
    attributes = {
        "square_shift": squares,
        "constant": constant,
        "epsilon": units,
        "root_shift": root_shift,
        "gain_shift": shift,
    }
    return Norm(integers.astype(np.int32), attributes, fraction + gain_fraction - shift)


def head_norm(name: str, gain: npt.NDArray[np.float32], before: int, epsilon: float, fraction: int) -> Norm:
    """A norm of heads (``ops/head_norm.py``) from ``before`` fraction bits to as many as attention wants."""
    made = norm(name, gain, before, epsilon, ACTIVATION)
    shift = made.attributes["gain_shift"] + made.fraction - fraction
    if not 0 <= shift <= 30:
        raise InputError(f"{name}: gains of up to {np.abs(gain).max():.3g} leave no {fraction} fraction bits")
    return Norm(made.gain, made.attributes | {"gain_shift": shift}, fraction)


def unscaled_fraction(name: str, weights: Weights, largest: int, before: int, epsilon: float) -> int:
    """Fraction bits, at an exponent of 0, of a product left unscaled: below 2^29 for activations of ``before`` fraction
    bits up to ``largest``; epsilon of the norm that reads it has to fit in these units squared, too."""
    longest = float(np.abs(weights.matrix()).sum(1, dtype=np.float64).max()) * largest * 2.0**-before
    width = len(weights.q)
    room = (2**32 - 2**16 - width * 2 ** (30 - square_shift(width))) / (epsilon * width)
    fraction = math.floor(min(math.log2(2**29 / max(longest, 2.0**-14)), math.log2(room) / 2))
    if fraction < 0:
        raise InputError(f"{name}: sums of up to {longest:.3g} leave no fraction bits")
    return fraction


def normed_bound(gain: npt.NDArray[np.float32]) -> float:
    """The largest ``|y|_2`` and the largest |y_n| after a norm of a row or a head."""
    return math.sqrt(len(gain)) * float(np.abs(gain).max()) * slack(len(gain))


def wide_fraction(name: str, bound: float) -> int:
    """Fraction bits of what only a norm reads: as many as a residual's, or as fit below 2^29."""
    fraction = min(RESIDUAL_FRACTION, math.floor(math.log2(2**29 / bound)) if bound > 0 else RESIDUAL_FRACTION)
    if fraction < 0:
        raise InputError(f"{name}: values of up to {bound:.3g} leave no fraction bits")
    return fraction


def row_bounds(matrix: npt.NDArray[np.float32], gain: npt.NDArray[np.float32]) -> Floats:
    """(N,): sqrt(d)·|W_n ∘ gain|_2, the largest |y_n| after a norm."""
    width = len(gain)
    squares = by_rows(lambda rows: ((rows * gain.astype(np.float64)) ** 2).sum(1), matrix)
    return np.sqrt(width * squares) * slack(width)


def head_bound(matrix: npt.NDArray[np.float32], gain: npt.NDArray[np.float32], heads: int) -> float:
    """The largest ``|y_head|_2`` after a norm: sqrt(d) times the spectral norm of W_head ∘ gain."""
    weighted = (matrix * gain.astype(np.float64)).reshape(heads, -1, len(gain))  # float32 would overflow
    largest = np.linalg.eigvalsh(weighted @ weighted.transpose(0, 2, 1)).max()
    return math.sqrt(len(gain) * float(largest)) * slack(len(gain))


@dataclass(frozen=True, slots=True)
class Attention:
    """Fractions of attention's inputs and output, and its kernel's constants."""

    query_fraction: int
    key_fraction: int
    value_fraction: int
    attributes: dict[str, int]
    fraction: int
    """Of its output."""


def longest(head_width: int) -> int:
    """Positions that heads may see: of ``BLOCKS`` blocks where sums of them all fit one step of a derivation."""
    return BLOCKS * POSITIONS if 32 <= head_width <= 256 else POSITIONS


def attention(
    name: str, query: float, key: float, value: float, head_width: int, context: int, largest: int, entry: float = 0
) -> Attention:
    """Formats from the bounds of |q_head|_2, |k_head|_2 and |v|, and of entries of q and k where a norm gives them.

    q·k stays below 2^30 with its partial sums, a rotation's products below 2^31, sum p'·v below 2^31; where that leaves
    values too few fraction bits, they get 8 more, which are summed apart, and products narrow the output by ``bits``.
    Keys have 16 bits, as values have but for those 8: what exceeds them is taken from their fraction and given to that
    of the queries, whose products with them are the same.
    """
    rounding = 2 * math.sqrt(head_width)  # of a vector, in units: requantised, rotated
    for fraction in range(11 if entry else 8, 0, -1):
        given = max(0, math.ceil(math.log2(key * 2**fraction / (ACTIVATION - rounding)))) if key > 0 else 0
        integer_query = query * 2 ** (fraction + given) + rounding
        integer_key = key * 2 ** (fraction - given) + rounding
        fits = integer_query * integer_key < 2**30 and max(integer_query, integer_key) * 2**14 < LIMIT
        if fits and entry * 2**fraction < ACTIVATION - 1:
            break
    else:
        raise InputError(f"{name}: queries of {query:.3g} and keys of {key:.3g} leave no fraction bits")
    weight_sum = 2**16 + min(context, POSITIONS) / 2 + (64 if context > POSITIONS else 0)
    value_fraction = min(8, math.floor(math.log2(LIMIT / weight_sum / value)) if value > 0 else 8)
    low = LOW if value_fraction < FINEST_VALUE else 0
    value_fraction = min(12, value_fraction + low)
    if value_fraction < 1:
        raise InputError(f"{name}: values of {value:.3g} leave no fraction bits")
    # The reciprocal and the clamp at 32,767 are off by less than 2^-13.
    top = (value * 2.0 ** (value_fraction - low) + 1) * 2**14 * (1 + 2**-12)
    largest = 2**30 if low else largest
    shift = max(0, math.ceil(math.log2(top / (largest - 1))))
    factor = math.log2(math.e) / math.sqrt(head_width) * 2.0 ** (8 - 2 * fraction)
    [[mantissa, mantissa_shift]] = rows(name, np.array([factor])).tolist()
    attributes = {"mantissa": mantissa, "shift": mantissa_shift, "value_shift": shift}
    attributes |= {"low": low} if low else {"short": 1}
    return Attention(fraction + given, fraction - given, value_fraction, attributes, value_fraction - low + 14 - shift)


def gate(name: str, gates: Floats, ups: Floats) -> int:
    """Fraction bits f of gate and up: both terms of the split product and the product, 2 f - 10 bits, fit i32."""
    for fraction in range(12, 5, -1):
        s, u = gates * 2.0**fraction + 2, ups * 2.0**fraction + 2
        whole, rest = (s / 2**GATE_SPLIT + 1) * u, 2.0**GATE_SPLIT * u
        if max(whole.max(), rest.max()) < LIMIT:
            return fraction
    raise InputError(f"{name}: gates of {gates.max():.3g} times {ups.max():.3g} do not fit 32 bits")


def finest_residual(name: str, typical: float, bound: float, epsilon: float) -> int:
    """The most fraction bits of a residual stream: more than usual where embeddings are small.

    ``typical``, the root mean square of an embedding, shall be 128 units, an error of 0.2 %; ``epsilon`` is a norm's,
    times the width, whose square in these units has to fit.
    """
    wanted = math.ceil(math.log2(TYPICAL / typical)) if typical > 0 else 0
    most = min(math.floor(math.log2(LIMIT / bound)), math.floor(math.log2(2**31 / epsilon) / 2))
    found = min(max(RESIDUAL_FRACTION, wanted), most)
    if 0 < typical * 2**found < TYPICAL / 4 and found >= RESIDUAL_FRACTION:
        raise InputError(f"{name}: values of {typical:.3g} are too small for {found} fraction bits")
    return found


def residual_fraction(name: str, bound: float, finest: int = RESIDUAL_FRACTION) -> int:
    """Fraction bits of a residual stream that never exceeds ``bound``."""
    fraction = min(finest, math.floor(math.log2(LIMIT / bound)))
    if fraction < 0:
        raise InputError(f"{name}: a residual of up to {bound:.3g} leaves no fraction bits")
    return fraction
