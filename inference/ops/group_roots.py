"""The inverse deviations of groups from the sums of squared distances: 1 / sqrt(sum / count + epsilon).

squares: (H, G), in float32; y: (1, G). Exact, squares as pairs (H, 2 G) of 15-bit distances at exponent u = E + n + 15
of the scale narrowed to 29 bits; y: (1, 2 G) of inverses v and then exponents h, 1 / deviation = v · 2^(-30 - h) at u:

    V / count = m · 2^e, m of 31 bits by long division, 0 where V is   epsilon = mantissa · 2^(exponent), of 31 bits
    w = (m >> (f - e)) + (mantissa >> (f - exponent + 2 u)), f the larger      2^30 <= w < 2^32
    w, f made to an even f by a shift;  r = isqrt(w), h = f / 2                2^15 <= r < 2^16
    v = min((2^30 + (r >> 1)) / r, 32767)
"""

import math

import numpy as np
import numpy.typing as npt

from inference.arithmetic.scaled import NORM, SHORT, narrowing, pairs, whole
from inference.arithmetic.tolerance import FLUSH, Array, Enclosed, flushed, gamma
from inference.derivation import Constant, Derivation, Operand, Reading
from inference.files.blocks import pack_plain
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator, floats
from inference.ops._images import SCALE
from inference.ops.group_mean import TERMS
from inference.steps import Step
from inference.steps.group_roots import inverse

PACK = {"scale": pack_plain}
COLOUR = "#dcecd2"


def shape(squares: Shape, *scale: Shape, groups: int, count: int, **_: object) -> Shape:
    require(
        len(squares) == 2 and squares[1] == groups * (1 + len(scale)), f"squares of {groups} groups are not {squares}"
    )
    require(scale in ((), (SCALE,)), f"a scale is not {scale}")
    require(0 < count < TERMS, f"{count} terms are too many: below 2^24 are allowed")
    return (1, squares[1])


def exact(
    squares: npt.NDArray[np.int32],
    scale: npt.NDArray[np.int32],
    *,
    groups: int,
    count: int,
    mantissa: int,
    exponent: int,
) -> npt.NDArray[np.int32]:
    unit = narrowing(scale, NORM)[1] + SHORT + 1
    found = [inverse(total, count, mantissa, exponent - 2 * unit) for total in whole(squares).sum(0).tolist()]
    return np.array(found, np.int32).T.reshape(1, -1)


def epsilon_of(epsilon: float) -> dict[str, int]:
    """Mantissa of 31 bits and exponent."""
    fraction, exponent = math.frexp(epsilon)
    return {"mantissa": min(round(fraction * 2**31), 2**31 - 1), "exponent": exponent - 31}


def derivation(
    row: int,
    start: int,
    stop: int,
    squares: Operand,
    scale: Operand | Constant,
    *,
    groups: int,
    **epsilon: int,
) -> list[Step]:
    made, lines = Derivation(), [squares.leaves(line)[0] for line in range(squares.shape[0])]
    reading = Reading([made.reduced("sum_pairs", lines, 2 * groups)])
    numbers = {"scale": reading.all(scale), **epsilon}
    made.step("group_roots", reading.sources, 2 * groups, groups, **numbers)
    return made.steps


def float32(squares: npt.NDArray[np.float32], *, groups: int, count: int, epsilon: float) -> npt.NDArray[np.float32]:
    variance = squares.sum(0, keepdims=True, dtype=np.float32) / np.float32(count)
    return np.float32(1) / np.sqrt(variance + np.float32(epsilon))


def enclosure(squares: Array, *, groups: int, count: int, epsilon: float) -> Enclosed:
    """No term is negative: the variance is within gamma(H + 3), its root within half of that, 1 / sqrt 7 ulp more."""
    variance = squares.astype(np.float64).sum(0, keepdims=True) / count + np.float64(np.float32(epsilon))
    y = 1 / np.sqrt(variance)
    error = (1 + gamma(7)) / np.sqrt(1 - gamma(len(squares) + 4)) - 1 + len(squares) * FLUSH / epsilon
    return y, error * y + flushed(3, y)


def work(squares: Shape, *_: Shape, groups: int, **__: object) -> int:
    return squares[0] * groups


def dimensions(squares: Shape, *_: Shape, **__: object) -> dict[str, int]:
    return {"height": squares[0]}


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    return (-(-output[1] // lanes), 1, 1)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    count, attributes = 7 * b * c, {"groups": b, "count": 7 * b * c * a}
    if arithmetic == "float32":
        return {"squares": floats(generator, (a, b)) ** 2}, {}, attributes | {"epsilon": 1e-5}
    spread = 2 ** generator.integers(0, 16, (a, b, 1))
    squares = (generator.integers(0, spread, (a, b, count)) ** 2).sum(2)
    scale = np.array([[generator.integers(2**30), generator.integers(-40, 9)]], np.int32)
    return {"squares": pairs(squares).astype(np.int32), "scale": scale}, {}, attributes | epsilon_of(1e-5)
