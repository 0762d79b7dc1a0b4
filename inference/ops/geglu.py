"""Half of the channels times GELU of the other half: y = a gelu(g), x = [a g].

x: (.., 2 C); y: (.., C). Exact, with the scale of x, L the bit length of its largest word:

    G = max(g, 0) - C(|g|) by a table (``scaled.curved``) at E, raised to 30 bits: at E + L - 30       |G| < 2^30
    y = mulsh(G, narrow(a to 15 bits), 15)                              |y| < 2^30, at 2 (E + L - 15)
"""

from math import prod

import numpy as np
import numpy.typing as npt

from inference.arithmetic import tables
from inference.arithmetic.tolerance import Array, Enclosed, flushed, gamma
from inference.derivation import Constant, Derivation, Operand, Reading
from inference.files.blocks import pack_plain
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator, floats
from inference.ops._gelu import gelu, gelu_enclosure
from inference.ops._images import SCALE, draw_scaled, elementwise, require_image
from inference.outputs import committed
from inference.steps import Step
from inference.steps.geglu import gated

PACK = {"x": pack_plain, "scale": pack_plain, "curve": pack_plain}


def shape(x: Shape, *exact: Shape) -> Shape:
    require_image("x", x)
    require(x[-1] % 2 == 0, f"{x[-1]} channels have no halves")
    require(exact in ((), (SCALE, (257,))), f"scale and curve are not {exact}")
    return (*x[:-1], x[-1] // 2)


def exact(
    x: npt.NDArray[np.int32], scale: npt.NDArray[np.int32], curve: npt.NDArray[np.int32]
) -> npt.NDArray[np.int32]:
    a, g = np.split(x.astype(np.int64), 2, axis=-1)
    return gated(a, g, scale, curve.astype(np.int64)).astype(np.int32)


def derivation(row: int, start: int, stop: int, x: Operand, scale: Operand | Constant, curve: Constant) -> list[Step]:
    made, reading, words, both = Derivation(), Reading(), stop - start, x.shape[-1]
    half = both // 2
    at = row * committed((*x.shape[:-1], half))[1] + start
    a, g, end = list[list[int]](), list[list[int]](), at + words
    while at < end:
        pixel, channel = divmod(at, half)
        each, first = min(end - at, half - channel), pixel * both + channel
        a += reading.words(x, first, first + each)
        g += reading.words(x, first + half, first + half + each)
        at += each
    made.step("geglu", reading.sources, words, 3 * words, a=a, g=g, scale=reading.all(scale), curve=curve.name)
    return made.steps


def float32(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    a, g = np.split(x, 2, axis=-1)
    return a * gelu(g)


def enclosure(x: Array) -> Enclosed:
    """gelu's radius times |a|, and one product."""
    a, g = np.split(x, 2, axis=-1)
    gate, radius = gelu_enclosure(g)
    wide = a.astype(np.float64)
    y = wide * gate
    return y, np.abs(wide) * radius * (1 + gamma(1)) + gamma(1) * np.abs(y) + flushed(13, x)


def work(x: Shape, *_: Shape) -> int:
    return 3 * prod(x) // 2


def dimensions(x: Shape, *_: Shape) -> dict[str, int]:
    return {"words": prod(x) // 2, "channels": x[-1] // 2}


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    return elementwise(output, lanes)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    image = (a, b, 14 * c) if b % 2 else (a, 14 * b * c)
    if arithmetic == "float32":
        return {"x": 3 * floats(generator, image)}, {}, {}
    x, scale = draw_scaled(generator, image)
    return {"x": x, "scale": scale}, {"curve": tables.erf_gelu_curve()}, {}
