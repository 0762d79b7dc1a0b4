"""Columns of a sum.

numbers: ``x``, pieces; ``other``, pieces as many, or, where empty, ``columns`` of ``row``, a constant; ``shift`` and
``other_shift``, to the right, to the left where negative.

    y[i] = i32(rs(x[i], shift) + rs(other[i], other_shift))
"""

from collections.abc import Sequence

from inference.arithmetic.fixed_point import Integers, check, i32, round_shift
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import pieces, window


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    x = pieces(inputs, numbers["x"])
    if numbers["other"]:
        other = pieces(inputs, numbers["other"])
    else:
        other = window(constants, numbers["row"], [0, 1], numbers["columns"])[0]
    check(len(other) == len(x), "the terms are not as many")
    return i32(round_shift(x, numbers["shift"]) + round_shift(other, numbers["other_shift"]))
