"""The largest of each 1,024 logits of a row and its token: the first level of argmax, ties to the lowest id.

logits: (T, V); y: (T, ceil(V / 1024), 2) of the logit (float32: its bits) and the id.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from inference.arithmetic.tolerance import FLUSH, Array, Floats
from inference.derivation import Derivation, Operand, groups
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator, floats, integers
from inference.steps import LEAF, SOURCES, Step

PACK: dict[str, object] = {}
OUTPUT = np.int32
SPAN = LEAF
"""Logits of a span, a leaf of theirs."""


def shape(logits: Shape) -> Shape:
    require(len(logits) == 2, f"logits are rows, not {logits}")
    return (logits[0], -(-logits[1] // SPAN), 2)


def exact(logits: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    starts = range(0, logits.shape[1], SPAN)
    ids = np.stack([start + logits[:, start : start + SPAN].argmax(1) for start in starts], axis=1)
    values = np.take_along_axis(logits, ids, axis=1)
    return np.stack((values.view(np.int32), ids.astype(np.int32)), axis=2)


def derivation(row: int, start: int, stop: int, logits: Operand) -> list[Step]:
    made, first = Derivation(), start // 2
    parts = [
        made.step("span_maxima", spans, 2 * len(spans), SPAN * len(spans), first=(first + SOURCES * index) * SPAN)
        for index, spans in enumerate(groups(logits.leaves(row)[first : stop // 2], SOURCES))
    ]
    made.concatenated(parts)
    return made.steps


float32 = exact


def used(y: Array, logits: Array) -> Floats:
    """(T, P): comparing rounds nothing, so another id of the span may be chosen only if its logit is as large.

    As large up to 2^-126, for flushing; in units of that.
    """
    ids, spans = y[..., 1].astype(np.int64), np.arange(y.shape[1])
    known = (ids // SPAN == spans) & (ids < logits.shape[1])
    chosen = np.take_along_axis(logits, np.where(known, ids, 0), axis=1).astype(np.float64)
    largest = np.maximum.reduceat(logits, SPAN * spans, axis=1)
    off = np.maximum(np.abs(values_of(y) - chosen), largest - chosen)
    return np.where(known, off / FLUSH, np.inf)


def values_of(maxima: Array) -> npt.NDArray[np.float32]:
    """The values of partial maxima, from their bits."""
    return np.ascontiguousarray(maxima[..., 0]).view(np.float32)


def work(logits: Shape) -> int:
    return logits[0] * logits[1]


def dimensions(logits: Shape) -> dict[str, int]:
    return {"columns": logits[1], "spans": -(-logits[1] // SPAN)}


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    return (output[1], output[0], 1)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    shape = (a, 600 * b + c)
    if arithmetic == "float32":
        return {"logits": floats(generator, shape)}, {}, {}
    return {"logits": integers(generator, shape, 3 if c == 1 else 19)}, {}, {}
