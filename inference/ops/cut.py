"""The last of the likeliest tokens: of the ``count`` likeliest, or of the fewest that weigh a share of all; exact only.

Of equal logits the smaller id is the likelier. logits: (T, V), V up to 2^20; maxima: (T, P, 2) of ``argmax_partial``;
y: (T, 2) of the logit and id of the last. A token weighs 1 where ``count`` is not 0; else p of ``sample_partial``, and
the tokens up to y weigh floor(total · share / 2^32) + 1 or more, none of them to spare. It is found digit by digit, a
histogram of weights each (``steps.bin_weights``): of the logit's distance from 2^30 first, of the id then.
"""

import numpy as np
import numpy.typing as npt

from inference.arithmetic.fixed_point import portion
from inference.derivation import Constant, Derivation, Operand, groups
from inference.files.blocks import pack_plain
from inference.ops import Shape, require, sample_partial
from inference.ops._drawing import Drawn, Generator
from inference.ops.argmax_partial import SPAN
from inference.steps import SOURCES, Step
from inference.steps.bin_weights import DIGITS

PACK = {"exponential": pack_plain}


def shape(logits: Shape, maxima: Shape, *tables: Shape, count: int, share: int, **_: object) -> Shape:
    sample_partial.shape(logits, maxima, *tables)
    require(logits[1] <= 2**20, f"a vocabulary of {logits[1]} is too large: 2^20 is allowed")
    require((count > 0 and share == 0) or (count == 0 and 0 <= share < 2**32), "a count or a share is needed")
    return (logits[0], 2)


def exact(
    logits: npt.NDArray[np.int32],
    maxima: npt.NDArray[np.int32],
    exponential: npt.NDArray[np.int32],
    *,
    count: int,
    share: int,
    mantissa: int,
    shift: int,
) -> npt.NDArray[np.int32]:
    p = sample_partial.integer_weights(logits, maxima, exponential, mantissa, shift)
    order = np.argsort(-logits.astype(np.int64), axis=1, kind="stable")
    ends = np.take_along_axis(np.ones_like(p) if count else p, order, axis=1).cumsum(1)
    wanted = np.minimum(count, ends[:, -1]) if count else portion(ends[:, -1], share) + 1
    last = np.take_along_axis(order, (ends < wanted[:, None]).sum(1)[:, None], axis=1)
    return np.hstack((np.take_along_axis(logits, last, axis=1), last)).astype(np.int32)


def derivation(
    row: int,
    start: int,
    stop: int,
    logits: Operand,
    maxima: Operand,
    exponential: Constant,
    *,
    count: int,
    share: int,
    **scale: int,
) -> list[Step]:
    made = Derivation()
    weights = {} if count else {"drop": sample_partial.drop(logits.words), "table": exponential.name, **scale}
    largest = made.reduced("largest", maxima.leaves(row), 2)
    found: list[int] = []
    for level, digit in enumerate(DIGITS):
        most = SOURCES - 1 - len(found)
        parts = [
            made.step(
                "bin_weights", [largest, *found, *spans], digit.bins, SPAN * len(spans),
                level=level, first=most * index, **weights,
            )
            for index, spans in enumerate(groups(logits.leaves(row), most))
        ]  # fmt: skip
        bins = made.summed(parts, digit.bins, unsigned=1)
        wanted = {} if level else {"count": count, "share": share}
        found = [made.step("bin_found", [bins, *found], 3, digit.bins, level=level, **wanted)]
    made.step("concatenate", found, 2, 0, parts=[[0, 1, 3]])
    return made.steps


def work(logits: Shape, *_: Shape, **__: object) -> int:
    return logits[0] * logits[1] * len(DIGITS)


def dimensions(logits: Shape, *_: Shape, **__: object) -> dict[str, int]:
    return {"columns": logits[1], "spans": -(-logits[1] // SPAN)}


def workgroups(output: Shape, **_: object) -> Shape:
    return (output[0], 1, 1)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    inputs, constants, scale = sample_partial.draw(generator, arithmetic, a, b, c)
    count = (0, 1, 3, inputs["logits"].shape[1] + 1)[generator.integers(4)]
    share = 0 if count else int(generator.choice(np.array([0, 2**31, 2**32 - 1, generator.integers(2**32)])))
    return inputs, constants, {"count": count, "share": share, **scale}
