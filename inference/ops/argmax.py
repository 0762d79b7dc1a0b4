"""The token of the largest logit, ties to the lowest id, from the partial maxima.

maxima: (T, P, 2) of logit (float32: its bits) and id; y: (T,) ids.
"""

import numpy as np
import numpy.typing as npt

from inference.arithmetic.tolerance import FLUSH, Array, Floats
from inference.derivation import Derivation, Operand
from inference.ops import Shape, argmax_partial, require
from inference.ops._drawing import Drawn, Generator
from inference.ops.argmax_partial import values_of
from inference.steps import Step

PACK: dict[str, object] = {}
OUTPUT = np.int32


def shape(maxima: Shape) -> Shape:
    require(len(maxima) == 3 and maxima[2] == 2, f"partial maxima are pairs, not {maxima}")
    return (maxima[0],)


def exact(maxima: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    return chosen(maxima[..., 0], maxima[..., 1])


def derivation(row: int, start: int, stop: int, maxima: Operand) -> list[Step]:
    made = Derivation()
    pair = made.reduced("largest", maxima.leaves(row), 2)
    made.step("concatenate", [pair], 1, 0, parts=[[0, 1, 2]])
    return made.steps


def float32(maxima: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    return chosen(np.ascontiguousarray(maxima[..., 0]).view(np.float32), maxima[..., 1])


def chosen(values, ids):
    """The spans are in order, so the first largest has the lowest id."""
    return np.take_along_axis(ids, values.argmax(1)[:, None], axis=1)[:, 0]


def used(y: Array, maxima: Array) -> Floats:
    """(T,): the same over the partial maxima."""
    values = values_of(maxima).astype(np.float64)
    chosen = np.where(maxima[..., 1] == y[:, None], values, -np.inf).max(1)
    return (values.max(1) - chosen) / FLUSH


def work(maxima: Shape) -> int:
    return maxima[0] * maxima[1]


def dimensions(maxima: Shape) -> dict[str, int]:
    return {"tokens": maxima[0], "spans": maxima[1]}


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    return (-(-output[0] // lanes), 1, 1)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    inputs, _, _ = argmax_partial.draw(generator, arithmetic, a, b, c)
    return {"maxima": argmax_partial.exact(**inputs)}, {}, {}
