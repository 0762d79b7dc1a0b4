"""y = x + other: two outputs of one shape, or a row of constants added to every row.

x: (T, W); other: (T, W) or (W,). Exact: y = rs(x, shift) + rs(other, other_shift), either brought to y's fraction
bits; a negative shift is to the left. ``formats.residual_fraction`` bounds both terms and their sum below 2^31.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from inference.arithmetic.fixed_point import i32, round_shift
from inference.arithmetic.tolerance import Array, Enclosed, flushed, gamma
from inference.derivation import Constant, Derivation, Operand
from inference.files.blocks import pack_plain
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator, floats, integers
from inference.steps import Source, Step

PACK = {"other": pack_plain}


def shape(x: Shape, other: Shape, **_: object) -> Shape:
    require(len(x) == 2 and other in (x, x[1:]), f"{other} is not added to {x}")
    return x


def exact(
    x: npt.NDArray[np.int32], other: npt.NDArray[np.int32], *, shift: int = 0, other_shift: int = 0
) -> npt.NDArray[np.int32]:
    terms = round_shift(x.astype(np.int64), shift), round_shift(other.astype(np.int64), other_shift)
    return i32(terms[0] + terms[1]).astype(np.int32)


def derivation(
    row: int, start: int, stop: int, x: Operand, other: Operand | Constant, *, shift: int = 0, other_shift: int = 0
) -> list[Step]:
    made, sources, words = Derivation(), list[Source](), stop - start
    first = x.pieces(row, start, stop, sources)
    if isinstance(other, Constant):
        added = {"other": [], "row": other.name, "columns": [start, stop]}
    else:
        added = {"other": other.pieces(row, start, stop, sources), "row": "", "columns": []}
    made.step("add", sources, words, words, x=first, shift=shift, other_shift=other_shift, **added)
    return made.steps


def float32(x: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return x + other


def enclosure(x: Array, other: Array) -> Enclosed:
    """y = x + other, one addition: gamma(1) |y|."""
    y = x.astype(np.float64) + other
    return y, gamma(1) * np.abs(y) + flushed(1, x, other)


def work(x: Shape, other: Shape, **_: object) -> int:
    return x[0] * x[1]


def dimensions(x: Shape, other: Shape, **_: object) -> dict[str, int]:
    return {"columns": x[1], "others": x[0] * x[1] if other == x else x[1]}


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    return (-(-output[1] // lanes), output[0], 1)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    whole: Shape = (a, 7 * b + c)
    row = whole if c % 2 else whole[1:]
    terms: dict[str, npt.NDArray[Any]]
    if arithmetic == "float32":
        terms, attributes = {"x": floats(generator, whole), "other": floats(generator, row)}, dict[str, int]()
    else:
        terms = {"x": integers(generator, whole, 29), "other": integers(generator, row, 27)}
        attributes = {"shift": b % 3, "other_shift": 1 - c}
    return (terms, {}, attributes) if row == whole else ({"x": terms["x"]}, {"other": terms["other"]}, attributes)
