"""silu(x) = x / (1 + e^-x); exact max(x, 0) - C(|x|) by a table (``scaled.curved``).

x: of any shape; y: the same. Exact, with the scale of x, at its exponent: |y| <= |x| but for roundings.
"""

from math import prod

import numpy as np
import numpy.typing as npt

from inference.arithmetic import tables
from inference.arithmetic.scaled import curved
from inference.arithmetic.tolerance import Array, Enclosed, flushed, gamma
from inference.derivation import Constant, Derivation, Operand, Reading
from inference.files.blocks import pack_plain
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator, floats
from inference.ops._images import SCALE, draw_scaled, elementwise, require_image
from inference.steps import Step

PACK = {"x": pack_plain, "scale": pack_plain, "curve": pack_plain}
EXP_CLAMP = 80.0
"""The float32 kernel takes e^-x at most at x = -80."""


def shape(x: Shape, *exact: Shape) -> Shape:
    require_image("x", x)
    require(exact in ((), (SCALE, (257,))), f"scale and curve are not {exact}")
    return x


def exact(
    x: npt.NDArray[np.int32], scale: npt.NDArray[np.int32], curve: npt.NDArray[np.int32]
) -> npt.NDArray[np.int32]:
    return curved(x.astype(np.int64), int(scale[0, 1]), curve.astype(np.int64)).astype(np.int32)


def derivation(
    row: int, start: int, stop: int, x: Operand | Constant, scale: Operand | Constant, curve: Constant
) -> list[Step]:
    made, reading, words = Derivation(), Reading(), stop - start
    across = x.words if isinstance(x, Operand) else x.shape[-1]
    place = reading.words(x, row * across + start, row * across + stop)
    numbers = {"x": place, "scale": reading.all(scale), "curve": curve.name}
    made.step("silu", reading.sources, words, 2 * words, **numbers)
    return made.steps


def float32(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore"):  # e^-x beyond float32: silu is 0
        return np.asarray(x / (np.float32(1) + np.exp(-x)), np.float32)


def enclosure(x: Array) -> Enclosed:
    """As in ``silu_gate``."""
    g = x.astype(np.float64)
    e = np.exp(np.minimum(-g, 700))
    z = g / (1 + e)
    cut = np.where(g < -EXP_CLAMP, np.abs(g) * np.exp(-EXP_CLAMP), 0)
    return z, gamma(3.5 + (3 + 2 * np.abs(g)) * e / (1 + e)) * np.abs(z) + cut + flushed(4, x)


def work(x: Shape, *_: Shape) -> int:
    return 2 * prod(x)


def dimensions(x: Shape, *_: Shape) -> dict[str, int]:
    return {"words": prod(x)}


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    return elementwise(output, lanes)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    if arithmetic == "float32":
        return {"x": 8 * floats(generator, (a, 7 * b * c))}, {}, {}
    x, scale = draw_scaled(generator, (a, 7 * b * c))
    return {"x": x, "scale": scale}, {"curve": tables.silu_curve()}, {}
