"""A tensor narrowed to some bits, at the exponent that its scale gives (``arithmetic.scaled``); exact only.

x: of any shape, and its scale; y: the same.
"""

from math import prod

import numpy as np
import numpy.typing as npt

from inference.arithmetic.scaled import narrow, narrowing
from inference.derivation import Constant, Derivation, Operand, Reading
from inference.files.blocks import pack_plain
from inference.ops import Shape
from inference.ops._drawing import Drawn, Generator
from inference.ops._images import draw_scaled, elementwise, require_image
from inference.steps import Step

PACK = {"x": pack_plain, "scale": pack_plain}


def shape(x: Shape, scale: Shape, **_: object) -> Shape:
    require_image("x", x, scale)
    return x


def exact(x: npt.NDArray[np.int32], scale: npt.NDArray[np.int32], *, bits: int) -> npt.NDArray[np.int32]:
    return narrow(x.astype(np.int64), narrowing(scale, bits)[0], bits).astype(np.int32)


def derivation(row: int, start: int, stop: int, x: Operand, scale: Operand | Constant, *, bits: int) -> list[Step]:
    made, reading, words = Derivation(), Reading(), stop - start
    numbers = {"x": reading.words(x, row * x.words + start, row * x.words + stop), "scale": reading.all(scale)}
    made.step("narrowed", reading.sources, words, words, bits=bits, **numbers)
    return made.steps


def work(x: Shape, *_: Shape, **__: object) -> int:
    return prod(x)


def dimensions(x: Shape, *_: Shape, **__: object) -> dict[str, int]:
    return {"words": prod(x)}


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    return elementwise(output, lanes)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    x, scale = draw_scaled(generator, (a, 7 * b, c))
    return {"x": x, "scale": scale}, {}, {"bits": int(generator.integers(8, 30))}
