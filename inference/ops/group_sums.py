"""Sums of each line's channels by group: the first pass of a group norm.

x: (H, W, C), C = G groups of neighbours; y in float32: (H, G). Exact, with a scale of x: z = narrow(x, n) to 29 bits,
each rounded to 15, the sums as pairs: y: (H, 2 G), high words of 64 bits and then their low words.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.arithmetic.fixed_point import round_shift
from inference.arithmetic.scaled import NORM, SHORT, narrow, narrowing, pairs
from inference.arithmetic.tolerance import Array, Enclosed, flushed, gamma
from inference.derivation import Constant, Derivation, Operand, Reading
from inference.files.blocks import pack_plain
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator, floats
from inference.ops._images import SCALE, draw_scaled
from inference.steps import LEAF, SOURCES, WORK, Step

PACK = {"x": pack_plain, "scale": pack_plain}
COLOUR = "#dcecd2"


def shape(x: Shape, *scale: Shape, groups: int) -> Shape:
    require(len(x) == 3 and x[2] % groups == 0, f"{groups} groups do not share the channels of {x}")
    require(scale in ((), (SCALE,)), f"a scale is not {scale}")
    return (x[0], groups * (1 + len(scale)))


def grouped(x: npt.NDArray[Any], groups: int) -> npt.NDArray[Any]:
    """(H, W, G, C / G)."""
    return x.reshape(*x.shape[:2], groups, -1)


def exact(x: npt.NDArray[np.int32], scale: npt.NDArray[np.int32], *, groups: int) -> npt.NDArray[np.int32]:
    z = narrow(x.astype(np.int64), narrowing(scale, NORM)[0], NORM)
    return pairs(grouped(round_shift(z, SHORT), groups).sum((1, 3))).astype(np.int32)


def derivation(row: int, start: int, stop: int, x: Operand, scale: Operand | Constant, *, groups: int) -> list[Step]:
    return line_derivation("group_sums", row, x, scale, groups, {})


def line_derivation(
    kind: str, row: int, x: Operand, scale: Operand | Constant, groups: int, more: Mapping[str, Operand]
) -> list[Step]:
    """Pairs of a line's groups, over as many pixels at once as a step can read."""
    made, (_, width, channels) = Derivation(), x.shape
    leaves = SOURCES - 1 - len(more)
    few = leaves * (x.words // channels) if channels <= LEAF else max(1, leaves // -(-channels // LEAF))
    few = min(few, max(1, WORK // channels))
    found, first = [], row * width
    for pixel in range(first, first + width, few):
        reading = Reading()
        place = reading.words(x, pixel * channels, min(pixel + few, first + width) * channels)
        numbers = {"x": place, "scale": reading.all(scale), **{name: reading.all(each) for name, each in more.items()}}
        words = (min(pixel + few, first + width) - pixel) * channels
        found.append(made.step(kind, reading.sources, 2 * groups, words, channels=channels, groups=groups, **numbers))
    if len(found) > 1:
        made.reduced("sum_pairs", found, 2 * groups)
    return made.steps


def float32(x: npt.NDArray[np.float32], *, groups: int) -> npt.NDArray[np.float32]:
    return grouped(x, groups).sum((1, 3), dtype=np.float32)


def enclosure(x: Array, *, groups: int) -> Enclosed:
    """gamma(terms - 1) sum |x|."""
    wide = grouped(x.astype(np.float64), groups)
    terms = x.shape[1] * x.shape[2] // groups
    return wide.sum((1, 3)), gamma(terms) * np.abs(wide).sum((1, 3)) + flushed(terms, x)


def work(x: Shape, *_: Shape, **__: object) -> int:
    return x[0] * x[1] * x[2]


def dimensions(x: Shape, *_: Shape, groups: int) -> dict[str, int]:
    return {"height": x[0], "width": x[1], "channels": x[2]}


def workgroups(output: Shape, *, lanes: int, arithmetic: str, groups: int = 1, **_: object) -> Shape:
    return (-(-output[0] * groups // lanes), 1, 1)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    image = (a, b, 3 * b * c)
    if arithmetic == "float32":
        return {"x": floats(generator, image)}, {}, {"groups": b}
    x, scale = draw_scaled(generator, image)
    return {"x": x, "scale": scale}, {}, {"groups": b}
