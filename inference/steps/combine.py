"""A sum of tensors with factors.

numbers: ``x``, places, and ``scales``, ``mantissas``, ``units``, one for each of one or two tensors; ``floor``;
``fixed``, 1 where the exponent is floor; ``limit``. e_i = E_i + bits(largest_i) - 30 + unit_i, at = max(floor, e_i),
floor where it is fixed:

    y = i32(sum of moved(mulsh(narrow(x_i, 30), mantissa_i, 16), at - e_i)) kept to ±min(limit·2^-at, 2^30 - 1)

without the limit where it is 0 or at > 0.
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.clamps import clamped
from inference.arithmetic.fixed_point import Integers, check, i32
from inference.arithmetic.scaled import MOST, factored, narrowing
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import placed, scale

READ = 30


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    x = [placed(inputs, constants, place) for place in numbers["x"]]
    scales = [scale(inputs, constants, place) for place in numbers["scales"]]
    check(len(x) == len(scales) and len({len(each) for each in x}) == 1, "tensors are not as long")
    factors = list(zip(numbers["mantissas"], numbers["units"], strict=True))
    found = [narrowing(each, READ)[1] + unit for each, (_, unit) in zip(scales, factors, strict=True)]
    to = numbers["floor"] if numbers["fixed"] else max(numbers["floor"], *found)
    parts = [factored(each, s, *factor, to) for each, s, factor in zip(x, scales, factors, strict=True)]
    most = bound(numbers["limit"], to)
    return clamped("limit", i32(np.sum(parts, axis=0)), most)


def bound(limit: int, exponent: int) -> int:
    """The largest |y|."""
    return min(limit << min(-exponent, 30), MOST) if limit and exponent <= 0 else MOST
