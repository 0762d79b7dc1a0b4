"""RMSNorm: y = gain · x / sqrt(mean(x²) + epsilon), over the rows from ``first`` on.

Exact, for a row x in i32 with F fraction bits and width d:

    n  = max(bit length of max|x|, 11)                         n <= 31
    s  = n - 15,  xs = x >> s (x << -s)                        |xs| <= 2^15
    S  = max(sum((xs² + 2^(h-1)) >> h) + (epsilon >> min(2 s + h, 31)), 1)   S <= d·2^(30-h) + epsilon < 2^32
    k  = clz(S) & ~1,  r = isqrt(S << k)                       2^15 <= r < 2^16
    v  = (constant + (r >> 1)) / r                             v < 2^15
    Y  = rs(mul16(x << (30 - n), v), root_shift - k / 2)       |Y| <= sqrt(d)·2^(fraction of Y)·(1 + 4 sqrt(d) 2^-14)
    y  = rs(Y · G, gain_shift)                                 |Y·G| < 2^31, |y| <= 32767

with h = square_shift, constant = sqrt(d / 2^h)·2^c in [2^29, 2^30), epsilon = eps·d·2^(2F). ``formats.norm``
chooses them and refuses a layer for which the bounds fail; the max does not depend on order, nor does a u32 sum.
"""

import numpy as np
import numpy.typing as npt

from inference.arithmetic.fixed_point import bit_length, i32, multiply_shift, round_shift, u32
from inference.arithmetic.formats import norm
from inference.arithmetic.tolerance import FLUSH, Array, Enclosed, flushed, gamma
from inference.derivation import Operand, Step
from inference.files.blocks import pack_plain
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator, floats, integers

PACK = {"gain": pack_plain}
COLOUR = "#dcecd2"


def shape(x: Shape, gain: Shape, *, first: int = 0, **_: object) -> Shape:
    require(len(x) == 2 and gain == x[1:], f"a gain of {gain} does not fit rows of {x}")
    require(0 <= first < x[0], f"row {first} of {x} does not exist")
    return (x[0] - first, x[1])


def exact(
    x: npt.NDArray[np.int32],
    gain: npt.NDArray[np.int32],
    *,
    first: int = 0,
    square_shift: int,
    constant: int,
    epsilon: int,
    root_shift: int,
    gain_shift: int,
) -> npt.NDArray[np.int32]:
    x = x[first:].astype(np.int64)
    n = np.maximum(bit_length(np.abs(x).max(1, keepdims=True)), 11)
    s = n - 15
    xs = np.where(s >= 0, x >> np.maximum(s, 0), x << np.maximum(-s, 0))
    assert np.abs(xs).max() <= 2**15
    squares = u32(xs * xs + (1 << (square_shift - 1))) >> square_shift
    S = u32(squares.sum(1, keepdims=True) + (epsilon >> np.minimum(2 * s + square_shift, 31)))
    S = np.maximum(S, 1)
    k = (32 - bit_length(S)) & ~1
    shifted = u32(S << k)
    r = np.floor(np.sqrt(shifted.astype(np.float64))).astype(np.int64)  # exact below 2^52
    assert r.min() >= 2**15 and r.max() < 2**16
    v = u32(constant + (r >> 1)) // r
    assert v.max() < 2**15
    aligned = i32(np.where(n <= 30, x << np.maximum(30 - n, 0), x >> 1))
    Y = round_shift(multiply_shift(aligned, v, 16), root_shift - k // 2)
    y = round_shift(i32(Y * gain.astype(np.int64)), gain_shift)
    assert np.abs(y).max() <= 32767
    return y.astype(np.int32)


def derivation(
    row: int, start: int, stop: int, x: Operand, gain: npt.NDArray[np.int32], *, first: int = 0, **attributes: int
) -> list[Step]:
    whole = x.columns(first + row)
    macs = work((1, x.words), gain.shape)
    return [
        Step(
            whole.leaves, stop - start, macs, lambda words: exact(whole.read(words), gain, **attributes)[0, start:stop]
        )
    ]


def float32(
    x: npt.NDArray[np.float32], gain: npt.NDArray[np.float32], *, first: int = 0, epsilon: float
) -> npt.NDArray[np.float32]:
    x = x[first:]
    scale = np.float32(1) / np.sqrt((x * x).mean(1, keepdims=True, dtype=np.float32) + np.float32(epsilon))
    return x * scale * gain


def enclosure(x: Array, gain: Array, *, first: int = 0, epsilon: float) -> Enclosed:
    """y = x·gain·v^(-1/2), v = mean(x^2) + epsilon: ((1 + gamma(9)) / sqrt(1 - gamma(K + 4)) - 1) |y|.

    All terms of v are positive, so its relative error is at most gamma(1 + (K - 1) + 2.5 + 1): a square, the additions,
    / K, + epsilon. The root halves it; 1 / sqrt is within 2 + 2.5 + 2.5 ulp, inverseSqrt within 2; then two products.
    """
    wide, width = x[first:].astype(np.float64), x.shape[1]
    y = wide / np.sqrt((wide * wide).mean(1, keepdims=True) + np.float64(np.float32(epsilon))) * gain
    error = (1 + gamma(9)) / np.sqrt(1 - gamma(width + 4)) - 1
    return y, (error + 2 * width * FLUSH / epsilon) * np.abs(y) + flushed(3, gain, y)


def work(x: Shape, gain: Shape, *, first: int = 0, **_: object) -> int:
    return 3 * (x[0] - first) * x[1]


def dimensions(x: Shape, gain: Shape, **_: object) -> dict[str, int]:
    return {"columns": x[1]}


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    return (output[0], 1, 1)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    gain = 1 + floats(generator, 32 * b) / np.float32(4)
    if arithmetic == "float32":
        return {"x": floats(generator, (a, 32 * b))}, {"gain": gain}, {"epsilon": 1e-5, "first": c % a}
    integer = norm("norm", gain, 12, 1e-5, 32767)
    x = integers(generator, (a, 32 * b), int(generator.integers(1, 32)))
    return {"x": x}, {"gain": integer.gain}, integer.attributes | {"first": c % a}
