"""The mean of each square of four pixels.

x: (H, W, C) of even sides; y: (H / 2, W / 2, C). Exact: y = (x_1 + x_2 + x_3 + x_4 + 2) >> 2, whose sum would leave 32
bits, as

    y = sum of (x_i >> 2) + ((sum of (x_i & 3) + 2) >> 2)

The scale is that of x, whose largest bounds y.
"""

from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.arithmetic.tolerance import Array, Enclosed, flushed, gamma
from inference.derivation import Derivation, Operand, Reading
from inference.files.blocks import pack_plain
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator, floats
from inference.ops._images import draw_scaled, elementwise
from inference.outputs import LEAF, committed
from inference.steps import Step
from inference.steps.average import mean

PACK = {"x": pack_plain}


def shape(x: Shape) -> Shape:
    require(len(x) == 3 and x[0] % 2 == x[1] % 2 == 0, f"{x} is no image of even sides")
    return (x[0] // 2, x[1] // 2, x[2])


def squares(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """(H / 2, W / 2, C, 4)."""
    height, width, channels = x.shape
    return x.reshape(height // 2, 2, width // 2, 2, channels).transpose(0, 2, 4, 1, 3).reshape(*shape(x.shape), 4)


def exact(x: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    return mean(squares(x.astype(np.int64))).astype(np.int32)


def derivation(row: int, start: int, stop: int, x: Operand) -> list[Step]:
    """In parts that read few enough leaves."""
    made, (height, width, channels) = Derivation(), x.shape
    at = row * committed((height // 2, width // 2, channels))[1] + start
    end, parts = at + stop - start, []
    while at < end:
        reading, places = Reading(), [list[Any]() for _ in range(4)]
        begin = at
        while at < end and at - begin < LEAF // 2:
            pixel, channel = divmod(at, channels)
            line, column = divmod(pixel, width // 2)
            each = min(end - at, channels - channel, LEAF // 2 - (at - begin))
            for index, (down, over) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
                first = ((2 * line + down) * width + 2 * column + over) * channels + channel
                places[index] += reading.words(x, first, first + each)
            at += each
        parts.append(made.step("average", reading.sources, at - begin, 4 * (at - begin), x=places))
    made.concatenated(parts)
    return made.steps


def float32(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return squares(x).sum(-1, dtype=np.float32) * np.float32(0.25)


def enclosure(x: Array) -> Enclosed:
    """gamma(3) of the mean size; a quarter is exact."""
    wide = squares(x.astype(np.float64))
    return wide.mean(-1), gamma(4) * np.abs(wide).mean(-1) + flushed(4, x)


def work(x: Shape) -> int:
    return prod(x)


def dimensions(x: Shape) -> dict[str, int]:
    return {"words": prod(x) // 4, "width": x[1], "channels": x[2]}


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    return elementwise(output, lanes)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    image = (2 * a, 2 * b, 3 * c)
    return {"x": floats(generator, image) if arithmetic == "float32" else draw_scaled(generator, image)[0]}, {}, {}
