"""silu(x) = x / (1 + e^-x), gelu(x) = x Phi(x), quick_gelu(x) = x / (1 + e^(-1.702 x)).

Exact: max(x, 0) - C(|x|) by the table of each (``scaled.curved``); in float32 the ``kind`` says which.

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
from inference.ops._gelu import gelu, gelu_enclosure
from inference.ops._images import SCALE, draw_scaled, elementwise, require_image
from inference.steps import Step

PACK = {"x": pack_plain, "scale": pack_plain, "curve": pack_plain}
STEEP = {"silu": 1.0, "quick_gelu": 1.702}
CURVES = {"silu": tables.silu_curve, "gelu": tables.erf_gelu_curve, "quick_gelu": tables.quick_gelu_curve}
"""The table of each kind."""
EXP_CLAMP = 80.0
"""The float32 kernel takes e^-x at most at x = -80."""


def shape(x: Shape, *exact: Shape, kind: str = "silu") -> Shape:
    require_image("x", x)
    require(kind in CURVES, f"there is no {kind!r:.20}; there are {', '.join(CURVES)}")
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


def float32(x: npt.NDArray[np.float32], *, kind: str = "silu") -> npt.NDArray[np.float32]:
    if kind == "gelu":
        return gelu(x)
    with np.errstate(over="ignore"):  # e^-x beyond float32: silu is 0
        return np.asarray(x / (np.float32(1) + np.exp(-np.float32(STEEP[kind]) * x)), np.float32)


def enclosure(x: Array, *, kind: str = "silu") -> Enclosed:
    """As in ``silu_gate``; where e's argument is a product, that is off by 2 u |g| of itself."""
    if kind == "gelu":
        return gelu_enclosure(x)
    wide, steep = x.astype(np.float64), np.float64(np.float32(STEEP[kind]))
    g = steep * wide
    e = np.exp(np.minimum(-g, 700))
    z = wide / (1 + e)
    cut = np.where(g < 1 - EXP_CLAMP, np.abs(wide) * np.exp(-EXP_CLAMP), 0)
    off = 2 + (kind != "silu")
    return z, gamma(3.5 + (3 + off * np.abs(g)) * (e / (1 + e))) * np.abs(z) + cut + flushed(4, x)


def work(x: Shape, *_: Shape, **__: object) -> int:
    return 2 * prod(x)


def entry(*, kind: str = "", **_: object) -> str:
    return {"": "main", "silu": "main", "gelu": "gelu_of"}.get(kind, kind)


def dimensions(x: Shape, *_: Shape, **__: object) -> dict[str, int]:
    return {"words": prod(x)}


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    return elementwise(output, lanes)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    kind = list(CURVES)[c % 3]
    if arithmetic == "float32":
        return {"x": 8 * floats(generator, (a, 7 * b * c))}, {}, {"kind": kind}
    x, scale = draw_scaled(generator, (a, 7 * b * c))
    return {"x": x, "scale": scale}, {"curve": CURVES[kind]()}, {}
