"""Each pixel twice in both directions: the nearest of x. Words and scale are those of x.

x: (H, W, C); y: (2 H, 2 W, C).
"""

from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.arithmetic.tolerance import FLUSH, Array, Enclosed
from inference.derivation import Derivation, Operand, Reading
from inference.files.blocks import pack_plain
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator, floats
from inference.ops._images import draw_scaled, elementwise
from inference.outputs import committed
from inference.steps import Step

PACK = {"x": pack_plain}


def shape(x: Shape) -> Shape:
    require(len(x) == 3, f"{x} is no image")
    return (2 * x[0], 2 * x[1], x[2])


def exact(x: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    return x.repeat(2, 0).repeat(2, 1)


def derivation(row: int, start: int, stop: int, x: Operand) -> list[Step]:
    made, reading, (height, width, channels) = Derivation(), Reading(), x.shape
    at = row * committed((2 * height, 2 * width, channels))[1] + start
    end, parts = at + stop - start, list[Any]()
    while at < end:
        pixel, channel = divmod(at, channels)
        line, column = divmod(pixel, 2 * width)
        each = min(end - at, channels - channel)
        begin = (line // 2 * width + column // 2) * channels + channel
        parts += reading.words(x, begin, begin + each)
        at += each
    made.step("concatenate", reading.sources, stop - start, 0, parts=parts)
    return made.steps


def float32(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return x.repeat(2, 0).repeat(2, 1)


def enclosure(x: Array) -> Enclosed:
    """As they are, but for what is flushed."""
    wide = x.repeat(2, 0).repeat(2, 1).astype(np.float64)
    return wide, np.full(wide.shape, FLUSH)


def work(x: Shape) -> int:
    return 4 * prod(x)


def dimensions(x: Shape) -> dict[str, int]:
    return {"words": 4 * prod(x), "width": x[1], "channels": x[2]}


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    return elementwise(output, lanes)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    image = (a, b, 3 * c)
    return {"x": floats(generator, image) if arithmetic == "float32" else draw_scaled(generator, image)[0]}, {}, {}
