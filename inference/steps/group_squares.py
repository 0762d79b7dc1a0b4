"""Sums of some pixels' squared distances from the means of their groups, as pairs.

numbers: as for ``group_sums``, and ``mean``, a place of a word a group. d = rs(i32(narrow(x, 29) - mean), 15), y the
pairs of the sums of d².
"""

from collections.abc import Sequence

from inference.arithmetic.fixed_point import Integers, check, i32, round_shift
from inference.arithmetic.scaled import SHORT, pairs
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import placed
from inference.steps.group_sums import grouped


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    z, mean = grouped(numbers, constants, inputs), placed(inputs, constants, numbers["mean"])
    check(len(mean) == z.shape[1], "means are not the groups'")
    return pairs(squared(z, mean[:, None]).sum((0, 2)))


def squared(z: Integers, mean: Integers) -> Integers:
    """Squares of distances of 15 bits."""
    d = round_shift(i32(z - mean), SHORT + 1)
    return d * d
