"""Sums of some pixels' channels by group, as pairs.

numbers: tensor ``x``, pixels by channels, and ``scale``; ``channels``, ``groups``. z = rs(narrow(x, 29), 14), S[g] the
sum of the z of group g's channels, of 64 bits. y = high words of S, then their low words.
"""

from collections.abc import Sequence

from inference.arithmetic.fixed_point import Integers, round_shift
from inference.arithmetic.scaled import NORM, SHORT, narrow, narrowing, pairs
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import matrix, placed, scale


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    z = round_shift(grouped(numbers, constants, inputs), SHORT)
    return pairs(z.sum((0, 2)))


def grouped(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    """(pixels, groups, channels of one), narrowed to 29 bits."""
    shift, _ = narrowing(scale(inputs, constants, numbers["scale"]), NORM)
    x = narrow(placed(inputs, constants, numbers["x"]), shift, NORM)
    by_pixel = matrix(x, len(x) // numbers["channels"])
    return matrix(by_pixel.T, numbers["groups"]).reshape(numbers["groups"], -1, len(by_pixel)).transpose(2, 0, 1)
