"""Columns side by side: y = [x other].

x: (T, W); other: (T, V); y: (T, W + V), the same words in either arithmetic.
"""

import numpy as np

from inference.arithmetic.tolerance import Array, Enclosed
from inference.derivation import Derivation, Operand
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator, floats, integers
from inference.steps import Source, Step


def shape(x: Shape, other: Shape, **_: object) -> Shape:
    require(len(x) == len(other) == 2 and x[0] == other[0], f"{other} does not stand beside {x}")
    return (x[0], x[1] + other[1])


def exact(x: Array, other: Array) -> Array:
    return np.hstack((x, other))


float32 = exact


def derivation(row: int, start: int, stop: int, x: Operand, other: Operand) -> list[Step]:
    made, sources = Derivation(), list[Source]()
    parts = x.pieces(row, start, min(stop, x.words), sources) if start < x.words else []
    if stop > x.words:
        parts += other.pieces(row, max(start - x.words, 0), stop - x.words, sources)
    made.step("concatenate", sources, stop - start, 0, parts=parts)
    return made.steps


def enclosure(x: Array, other: Array) -> Enclosed:
    """y = [x other], copied: the smallest number."""
    y = np.hstack((x, other)).astype(np.float64)
    return y, np.full(y.shape, 2.0**-149)


def work(x: Shape, other: Shape, **_: object) -> int:
    return 0


def dimensions(x: Shape, other: Shape, **_: object) -> dict[str, int]:
    return {"columns": x[1], "others": other[1]}


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    return (-(-output[1] // lanes), output[0], 1)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    drawn = (
        (lambda shape: integers(generator, shape, 31)) if arithmetic == "exact" else (lambda s: floats(generator, s))
    )
    return {"x": drawn((a, 700 * b)), "other": drawn((a, 700 * c + 1))}, {}, {}
