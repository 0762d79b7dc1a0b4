"""Means of fours.

numbers: ``x``, four places of as many words, x_1 to x_4. y = i32(sum of (x_i >> 2) + ((sum of (x_i & 3) + 2) >> 2))
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, check, i32
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import placed


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    fours = [placed(inputs, constants, place) for place in numbers["x"]]
    check(len(fours) == 4 and len({len(each) for each in fours}) == 1, "words are not in fours")
    return mean(np.stack(fours, axis=-1))


def mean(fours: Integers) -> Integers:
    """Of fours (.., 4)."""
    return i32((fours >> 2).sum(-1) + ((fours & 3).sum(-1) + 2 >> 2))
