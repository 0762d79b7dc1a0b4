"""How far a float32 evaluation of an op may lie from the real result, elementwise and derived, not calibrated.

What WGSL promises of float32 ('Floating Point Evaluation'): + - * give either neighbour of the real result, so a
relative error of at most u = 2^-23; x / y is within 2.5 ulp, inverseSqrt within 2, sqrt is 1 / inverseSqrt, exp(x)
within 3 + 2|x|; sums may be reassociated and products fused into them; any operand or result below 2^-126 may be
flushed to 0. An ulp is at most u times the value. numpy keeps these promises too.

A value that passes factors (1 + d_i)^(+-1), |d_i| <= c_i u, is off by a factor 1 + t with

    |t| <= gamma(n) = n u / (1 - n u),  n = sum c_i        for (1 - a)(1 - b) >= 1 - (a + b)

A term of a sum of n terms passes at most n - 1 additions, in any order, and a fused product passes one fewer.

An op's own ``enclosure`` gives centre and radius on given inputs: every evaluation that keeps the promises lies within
the radius of the centre, two of them within twice the radius of one another. The centre is computed in float64, whose
own error is 2^-30 of the radius; ``MARGIN`` covers it. Overflow is excluded: a result that is not finite is outside.
Choices (argmax, sampling) have no radius but a ``used`` of their own: see each.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference import ops

U = 2.0**-23
FLUSH = 2.0**-126
MARGIN = 1 + 2.0**-20

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Enclosed = tuple[Floats, Floats]
"""Centre and radius."""


@dataclass(frozen=True, slots=True, eq=False)
class Enclosure:
    """Where the evaluations of an op lie, of the output's shape."""

    centre: Floats
    radius: Floats

    def used(self, y: Array) -> Floats:
        """|y - centre| / radius."""
        return np.abs(y - self.centre) / self.radius


def enclosure(op: str, *operands: Array, **attributes: Any) -> Enclosure:
    """Of an op whose module has one; the operands are those of its ``float32``."""
    centre, radius = ops.load(op).enclosure(*operands, **attributes)
    return Enclosure(centre, radius * MARGIN)


def used(op: str, y: Array, *operands: Array, **attributes: Any) -> Floats:
    """The share of the tolerance that an output uses, elementwise: accepted where <= 1; never so where NaN."""
    module = ops.load(op)
    if hasattr(module, "used"):
        return np.asarray(module.used(y, *operands, **attributes))
    return enclosure(op, *operands, **attributes).used(y)


def within(op: str, y: Array, *operands: Array, **attributes: Any) -> bool:
    """Whether an output lies within the tolerance everywhere."""
    return bool((used(op, y, *operands, **attributes) <= 1).all())


def gamma(n: Any) -> Any:
    """n u / (1 - n u)."""
    return n * U / (1 - n * U)


def flushed(operations: int, *operands: Array) -> float:
    """What flushing costs: 2^-126 an operation, which two more factors may follow and (1 + gamma) <= 2 from each."""
    largest = max((float(np.abs(operand).max(initial=0)) for operand in operands), default=0.0)
    return 4 * FLUSH * operations * (1 + largest) ** 2
