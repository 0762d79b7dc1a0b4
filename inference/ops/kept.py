"""Logits up to the last that is kept, all others so low that nothing draws them; exact only.

logits: (T, V); last: (T, 2) of ``cut``, a logit and its id; y: (T, V), -2^30 where a logit is lower or is as large and
has a greater id: in the weights of ``sample_partial`` nothing, at any temperature, if the largest logit is above -2^29.
"""

import numpy as np
import numpy.typing as npt

from inference.derivation import Derivation, Operand
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator
from inference.ops.argmax_partial import draw as draw_logits
from inference.steps import Step
from inference.steps.kept import LOWEST, among


def shape(logits: Shape, last: Shape) -> Shape:
    require(len(logits) == 2 and last == (logits[0], 2), f"the last ones {last} do not fit logits {logits}")
    return logits


def exact(logits: npt.NDArray[np.int32], last: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    kept = among(logits, np.arange(logits.shape[1]), last[:, :1], last[:, 1:])
    return np.where(kept, logits, LOWEST).astype(np.int32)


def derivation(row: int, start: int, stop: int, logits: Operand, last: Operand) -> list[Step]:
    made = Derivation()
    sources = [*last.leaves(row)]
    [[at, *_]] = logits.pieces(row, start, stop, sources)
    made.step("kept", [sources[0], sources[at]], stop - start, stop - start, first=start)
    return made.steps


def work(logits: Shape, *_: Shape) -> int:
    return logits[0] * logits[1]


def dimensions(logits: Shape, *_: Shape) -> dict[str, int]:
    return {"columns": logits[1]}


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    return (-(-output[1] // lanes), output[0], 1)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    inputs, _, _ = draw_logits(generator, arithmetic, a, b, c)
    logits = inputs["logits"]
    ids = generator.integers(0, logits.shape[1], (a, 1))
    return (
        {"logits": logits, "last": np.hstack((np.take_along_axis(logits, ids, axis=1), ids)).astype(np.int32)},
        {},
        {},
    )
