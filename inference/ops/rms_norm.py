"""RMSNorm: y = gain · x / sqrt(mean(x²) + epsilon), over the rows from ``first`` on.

Exact, for a row x in i32 with F fraction bits and width d:

    n  = max(bit length of max|x|, 11)                         n <= 31
    s  = n - 15,  xs = x >> s (x << -s)                        |xs| <= 2^15
    S  = max(sum((xs² + 2^(h-1)) >> h) + (epsilon >> min(2 (s + e) + h, 31)), 1)   S <= d·2^(30-h) + epsilon < 2^32
    k  = clz(S) & ~1,  r = isqrt(S << k)                       2^15 <= r < 2^16
    v  = (constant + (r >> 1)) / r                             v < 2^15
    Y  = rs(mul16(x << (30 - n), v), root_shift - k / 2)       |Y| <= sqrt(d)·2^(fraction of Y)·(1 + 4 sqrt(d) 2^-14)
    y  = rs(Y · G, gain_shift)                                 |Y·G| < 2^31, |y| <= 32767 (2^31 where ``wide``)

with h = square_shift, constant = sqrt(d / 2^h)·2^c in [2^29, 2^30), epsilon = eps·d·2^(2F). ``formats.norm``
chooses them and refuses a layer for which the bounds fail; the max does not depend on order, nor does a u32 sum. e is 0
or, with ``bits``, the exponent that a row of ``a`` shares at so many bits: x is a product of a, left ``unscaled``
(``matmul_q4``).
"""

import numpy as np
import numpy.typing as npt

from inference.arithmetic.fixed_point import narrowed, u32
from inference.arithmetic.formats import norm
from inference.arithmetic.tolerance import FLUSH, Array, Enclosed, flushed, gamma
from inference.derivation import Constant, Derivation, Operand, groups
from inference.files.blocks import pack_plain
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator, floats, integers
from inference.steps import LEAF, SOURCES, Step
from inference.steps.normalise import normalised
from inference.steps.squares import scaled_squares

PACK = {"gain": pack_plain}
COLOUR = "#dcecd2"


def shape(x: Shape, gain: Shape, a: Shape | None = None, *, first: int = 0, bits: int = 0, **_: object) -> Shape:
    require(len(x) == 2 and gain == x[1:], f"a gain of {gain} does not fit rows of {x}")
    require(0 <= bits <= 15 and bool(bits) == (a is not None), f"{bits} bits do not fit {a}")
    require(a is None or (len(a) == 2 and a[0] == x[0]), f"rows of {a} have not given {x}")
    require(0 <= first < x[0], f"row {first} of {x} does not exist")
    return (x[0] - first, x[1])


def exact(
    x: npt.NDArray[np.int32],
    gain: npt.NDArray[np.int32],
    a: npt.NDArray[np.int32] | None = None,
    *,
    first: int = 0,
    bits: int = 0,
    square_shift: int,
    constant: int,
    epsilon: int,
    root_shift: int,
    gain_shift: int,
    wide: int = 0,
) -> npt.NDArray[np.int32]:
    rows = x[first:].astype(np.int64)
    largest = np.abs(rows).max(1, keepdims=True)
    total = u32(scaled_squares(rows, largest, square_shift).sum(1, keepdims=True))
    y = normalised(
        rows, largest, total, gain.astype(np.int64),
        square_shift=square_shift, constant=constant, epsilon=epsilon, root_shift=root_shift, gain_shift=gain_shift,
        wide=wide, exponent=0 if a is None else narrowed(a[first:].astype(np.int64), bits)[1],
    )  # fmt: skip
    return y.astype(np.int32)


def arguments(arithmetic: str, *, bits: int = 0, **_: object) -> list[str]:
    """Names of the inputs, in order."""
    return ["x", "gain", "a"] if bits else ["x", "gain"]


def entry(*, bits: int = 0, **_: object) -> str:
    """The kernel's entry point."""
    return "of_unscaled" if bits else "main"


def derivation(
    row: int,
    start: int,
    stop: int,
    x: Operand,
    gain: Constant,
    a: Operand | None = None,
    *,
    first: int = 0,
    **attributes: int,
) -> list[Step]:
    made, leaves = Derivation(), x.leaves(first + row)
    largest = made.reduced("maximum", leaves, 1, rows=1, absolute=1)
    squares = [
        made.step("squares", [largest, *group], 1, LEAF * len(group), square_shift=attributes["square_shift"])
        for group in groups(leaves, SOURCES - 1)
    ]
    sources = [largest, made.summed(squares, 1, unsigned=1), leaves[start // LEAF]]
    if a is not None:
        sources.append(made.reduced("maximum", a.leaves(first + row), 1, rows=1, absolute=1))
    words = stop - start
    made.step("normalise", sources, words, 2 * words, columns=[start, stop], gain=gain.name, **attributes)
    return made.steps


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


def work(x: Shape, *_: Shape, first: int = 0, **__: object) -> int:
    return 3 * (x[0] - first) * x[1]


def dimensions(x: Shape, gain: Shape, a: Shape | None = None, **_: object) -> dict[str, int]:
    return {"columns": x[1], "read": a[1] if a else 0}


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    return (output[0], 1, 1)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    gain = 1 + floats(generator, 32 * b) / np.float32(4)
    if arithmetic == "float32":
        return {"x": floats(generator, (a, 32 * b))}, {"gain": gain}, {"epsilon": 1e-5, "first": c % a}
    integer = norm("norm", gain, 12, 1e-5, 32767)
    x = integers(generator, (a, 32 * b), int(generator.integers(1, 32)))
    attributes = integer.attributes | {"first": c % a}
    if (a + b + c) % 2:
        return {"x": x}, {"gain": integer.gain}, attributes
    read = integers(generator, (a, 16 * c), 20)
    return {"x": x, "a": read}, {"gain": integer.gain}, attributes | {"bits": int(generator.integers(11, 16))}
