"""The largest of each 1,024 logits of a row and its token: the first level of argmax, ties to the lowest id.

logits: (T, V); y: (T, ceil(V / 1024), 2) of the logit (float32: its bits) and the id.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.derivation import Columns, Operand, Step, Words, concatenated
from inference.ops import Shape, require

PACK: dict[str, object] = {}
OUTPUT = np.int32
SPAN = 1024


def shape(logits: Shape) -> Shape:
    require(len(logits) == 2, f"logits are rows, not {logits}")
    return (logits[0], -(-logits[1] // SPAN), 2)


def exact(logits: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    starts = range(0, logits.shape[1], SPAN)
    ids = np.stack([start + logits[:, start : start + SPAN].argmax(1) for start in starts], axis=1)
    values = np.take_along_axis(logits, ids, axis=1)
    return np.stack((values.view(np.int32), ids.astype(np.int32)), axis=2)


def derivation(row: int, start: int, stop: int, logits: Operand) -> list[Step]:
    steps = []
    for at in range(start // 2 * SPAN, stop // 2 * SPAN, SPAN):
        span = logits.columns(row, (at, min(at + SPAN, logits.words)))

        def largest(words: Sequence[Words], at: int = at, span: Columns = span) -> npt.NDArray[np.int64]:
            return exact(span.read(words))[0, 0] + np.array([0, at])

        steps.append(Step(span.leaves, 2, span.count, largest))
    return concatenated(steps)


float32 = exact


def work(logits: Shape) -> int:
    return logits[0] * logits[1]


def dimensions(logits: Shape) -> dict[str, int]:
    return {"columns": logits[1], "spans": -(-logits[1] // SPAN)}


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    return (output[1], output[0], 1)
