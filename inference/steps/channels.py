"""Channels of two tensors side by side, narrowed and moved to the larger exponent.

numbers: ``x``, a list of [tensor, place]: words of tensor 0 or 1, in order; ``scales``, a place for each. e_i = E_i +
bits(largest_i) - 29: y = moved(narrow(x, 29), max(e_0, e_1) - e_i), side by side.
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, check
from inference.arithmetic.scaled import NORM, moved, narrow, narrowing
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import placed, scale


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    found = [narrowing(scale(inputs, constants, place), NORM) for place in numbers["scales"]]
    check(len(found) == 2, "there are not two scales")
    to = max(exponent for _, exponent in found)
    parts = []
    for tensor, place in numbers["x"]:
        shift, exponent = found[tensor]
        parts.append(moved(narrow(placed(inputs, constants, place), shift, NORM), to - exponent))
    return np.concatenate(parts)
