"""Consecutive lines of one image, or of two of which one lies below the other.

x: (H, W, C) or (T, C); z: (V, W, C) or (V, C), x again where one is enough; y: ``count`` lines from line ``begin`` of
[x; z] on, the same words in either arithmetic. A tensor beyond what may be bound is kept as bands of lines; this cuts
them anew (``models.bands``).
"""

from math import prod

import numpy as np

from inference.arithmetic.tolerance import FLUSH, Array, Enclosed
from inference.derivation import Derivation, Operand, Reading
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator, floats
from inference.ops._images import draw_scaled, elementwise, require_image
from inference.outputs import committed
from inference.steps import Step


def shape(x: Shape, z: Shape, *, begin: int, count: int) -> Shape:
    require_image("x", x)
    require(z[1:] == x[1:], f"{z} does not lie below {x}")
    require(
        begin >= 0 and 0 < count <= x[0] + z[0] - begin, f"there are no lines {begin} to {begin + count} of {x}, {z}"
    )
    return (count, *x[1:])


def exact(x: Array, z: Array, *, begin: int, count: int) -> Array:
    return np.concatenate((x[begin : begin + count], z[max(begin - len(x), 0) : max(begin + count - len(x), 0)]))


float32 = exact


def derivation(row: int, start: int, stop: int, x: Operand, z: Operand, *, begin: int, count: int) -> list[Step]:
    made, reading, line = Derivation(), Reading(), prod(x.shape[1:])
    first = begin * line + row * committed((count, *x.shape[1:]))[1] + start
    last, of_x = first + stop - start, x.shape[0] * line
    parts = reading.words(x, first, min(last, of_x)) if first < of_x else []
    if last > of_x:
        parts += reading.words(z, max(first - of_x, 0), last - of_x)
    made.step("concatenate", reading.sources, stop - start, 0, parts=parts)
    return made.steps


def enclosure(x: Array, z: Array, *, begin: int, count: int) -> Enclosed:
    """As they are, but for what is flushed."""
    y = exact(x, z, begin=begin, count=count).astype(np.float64)
    return y, np.full(y.shape, FLUSH)


def work(x: Shape, z: Shape, *, begin: int, count: int) -> int:
    return count * prod(x[1:])


def dimensions(x: Shape, z: Shape, *, begin: int, count: int) -> dict[str, int]:
    line = prod(x[1:])
    return {"words": count * line, "first": begin * line, "above": prod(x)}


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    return elementwise(output, lanes)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    images = [(lines, b, 3 * c) for lines in (a, a + c)]
    begin = int(generator.integers(2 * a + c))
    count = int(generator.integers(1, 2 * a + c - begin + 1))
    drawn = [
        floats(generator, image) if arithmetic == "float32" else draw_scaled(generator, image)[0] for image in images
    ]
    return dict(zip("xz", drawn, strict=True)), {}, {"begin": begin, "count": count}
