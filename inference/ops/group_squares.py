"""Sums of each line's squared distances from the mean, by group: the second pass of a group norm.

x: (H, W, C); mean: (1, G); y in float32: (H, G). Exact, with a scale of x: z = narrow(x, n) to 29 bits, d = z - mean,
each rounded to 15 bits, and their squares summed as pairs, (H, 2 G): d² <= 2^30, so 2^33 of them fit.
"""

import numpy as np
import numpy.typing as npt

from inference.arithmetic.scaled import NORM, narrow, narrowing, pairs
from inference.arithmetic.tolerance import Array, Enclosed, flushed, gamma
from inference.derivation import Constant, Operand
from inference.files.blocks import pack_plain
from inference.ops import Shape, group_sums, require
from inference.ops._drawing import Drawn, Generator, floats
from inference.ops._images import draw_scaled
from inference.ops.group_sums import grouped, line_derivation
from inference.steps import Step
from inference.steps.group_squares import squared

PACK = {"x": pack_plain, "scale": pack_plain}
COLOUR = "#dcecd2"


def shape(x: Shape, mean: Shape, *scale: Shape, groups: int) -> Shape:
    require(mean == (1, groups), f"means of {groups} groups are not {mean}")
    return group_sums.shape(x, *scale, groups=groups)


def exact(
    x: npt.NDArray[np.int32], mean: npt.NDArray[np.int32], scale: npt.NDArray[np.int32], *, groups: int
) -> npt.NDArray[np.int32]:
    z = narrow(x.astype(np.int64), narrowing(scale, NORM)[0], NORM)
    return pairs(squared(grouped(z, groups), mean.astype(np.int64)[0, :, None]).sum((1, 3))).astype(np.int32)


def derivation(
    row: int, start: int, stop: int, x: Operand, mean: Operand, scale: Operand | Constant, *, groups: int
) -> list[Step]:
    return line_derivation("group_squares", row, x, scale, groups, {"mean": mean})


def float32(x: npt.NDArray[np.float32], mean: npt.NDArray[np.float32], *, groups: int) -> npt.NDArray[np.float32]:
    d = grouped(x, groups) - mean[0, :, None]
    return (d * d).sum((1, 3), dtype=np.float32)


def enclosure(x: Array, mean: Array, *, groups: int) -> Enclosed:
    """A difference, a square and terms - 1 additions: gamma(terms + 2) of the sum, no term of which is negative."""
    d = grouped(x.astype(np.float64), groups) - mean.astype(np.float64)[0, :, None]
    terms, y = x.shape[1] * x.shape[2] // groups, (d * d).sum((1, 3))
    return y, gamma(terms + 2) * y + flushed(3 * terms, x, mean)


def work(x: Shape, *_: Shape, **__: object) -> int:
    return 2 * x[0] * x[1] * x[2]


dimensions, workgroups = group_sums.dimensions, group_sums.workgroups


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    image = (a, b, 3 * b * c)
    if arithmetic == "float32":
        return {"x": floats(generator, image), "mean": floats(generator, (1, b))}, {}, {"groups": b}
    x, scale = draw_scaled(generator, image)
    mean = generator.integers(-(2**29), 2**29, (1, b)).astype(np.int32)
    return {"x": x, "mean": mean, "scale": scale}, {}, {"groups": b}
