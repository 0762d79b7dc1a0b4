"""One row of a text: y = x[index]. x: (T, K); y: (1, K)."""

import numpy as np
import numpy.typing as npt

from inference.arithmetic.tolerance import FLUSH, Array, Enclosed
from inference.derivation import Derivation, Operand
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator, floats, integers
from inference.steps import Source, Step

COLOUR = "#e8e8e8"


def shape(x: Shape, *, index: int) -> Shape:
    require(len(x) == 2 and 0 <= index < x[0], f"row {index} of {x} does not exist")
    return (1, x[1])


def exact(x: npt.NDArray[np.int32], *, index: int) -> npt.NDArray[np.int32]:
    return x[index : index + 1].copy()


def derivation(row: int, start: int, stop: int, x: Operand, *, index: int) -> list[Step]:
    made, sources = Derivation(), list[Source]()
    parts = x.pieces(index, start, stop, sources)
    made.step("concatenate", sources, stop - start, 0, parts=parts)
    return made.steps


def float32(x: npt.NDArray[np.float32], *, index: int) -> npt.NDArray[np.float32]:
    return x[index : index + 1].copy()


def enclosure(x: Array, *, index: int) -> Enclosed:
    """As it is, but for what is flushed."""
    y = x[index : index + 1].astype(np.float64)
    return y, np.full(y.shape, FLUSH)


def work(x: Shape, **_: object) -> int:
    return 0


def dimensions(x: Shape, **_: object) -> dict[str, int]:
    return {"columns": x[1]}


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    return (-(-output[1] // lanes), 1, 1)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    shape = (a + c, 7 * b)
    x = floats(generator, shape) if arithmetic == "float32" else integers(generator, shape, 31)
    return {"x": x}, {}, {"index": int(generator.integers(a + c))}
