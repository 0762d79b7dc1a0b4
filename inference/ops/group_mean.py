"""The means of groups from the sums of lines.

sums: (H, G), in float32; y: (1, G), the sums over ``count``. Exact, sums as pairs (H, 2 G) of 15-bit terms, y in units
2^14 times as fine: floor(|S| · 2^14 / count) with the sign of S = sum of sums; |y| <= 2^29.
"""

import numpy as np
import numpy.typing as npt

from inference.arithmetic.scaled import pairs, whole
from inference.arithmetic.tolerance import Array, Enclosed, flushed, gamma
from inference.derivation import Derivation, Operand
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator, floats
from inference.steps import Step
from inference.steps.group_mean import divided

COLOUR = "#dcecd2"
TERMS = 2**24
"""Of a group there are fewer: a long division by their number, byte by byte, stays within 32 bits."""


def shape(sums: Shape, *, groups: int, count: int) -> Shape:
    require(len(sums) == 2 and sums[1] in (groups, 2 * groups), f"sums of {groups} groups are not {sums}")
    require(0 < count < TERMS, f"{count} terms are too many: below 2^24 are allowed")
    return (1, groups)


def exact(sums: npt.NDArray[np.int32], *, groups: int, count: int) -> npt.NDArray[np.int32]:
    return divided(whole(sums).sum(0, keepdims=True), count).astype(np.int32)


def derivation(row: int, start: int, stop: int, sums: Operand, *, groups: int, count: int) -> list[Step]:
    made, lines = Derivation(), [sums.leaves(line)[0] for line in range(sums.shape[0])]
    total = made.reduced("sum_pairs", lines, 2 * groups)
    made.step("group_mean", [total], groups, groups, count=count)
    return made.steps


def float32(sums: npt.NDArray[np.float32], *, groups: int, count: int) -> npt.NDArray[np.float32]:
    return sums.sum(0, keepdims=True, dtype=np.float32) / np.float32(count)


def enclosure(sums: Array, *, groups: int, count: int) -> Enclosed:
    """gamma(H - 1 + 2.5) sum |sums| / count."""
    wide = sums.astype(np.float64)
    size = np.abs(wide).sum(0, keepdims=True) / count
    return wide.sum(0, keepdims=True) / count, gamma(len(sums) + 2) * size + flushed(len(sums) + 1, sums)


def work(sums: Shape, *, groups: int, **_: object) -> int:
    return sums[0] * groups


def dimensions(sums: Shape, **_: object) -> dict[str, int]:
    return {"height": sums[0]}


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    return (-(-output[1] // lanes), 1, 1)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    count = 7 * b * c
    if arithmetic == "float32":
        return {"sums": floats(generator, (a, b))}, {}, {"groups": b, "count": a * count}
    sums = generator.integers(-(2**15), 2**15, (a, b, count)).sum(2)
    return {"sums": pairs(sums).astype(np.int32)}, {}, {"groups": b, "count": a * count}
