"""The scale of a tensor: its largest |word| and its exponent.

numbers: ``maxima``, a place; ``scales``, places of the scales of what it was computed from, and ``units``, one for
each; ``bits``; ``floor``; ``product``.

    y = [max of maxima, max(floor, E_i + bits(largest_i) - bits + unit_i)], where ``product`` is not 0 max(floor, their
    sum)
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, check, i32
from inference.arithmetic.scaled import narrowing
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import placed, scale


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    maxima, units = placed(inputs, constants, numbers["maxima"]), numbers["units"]
    check(len(units) == len(numbers["scales"]), "scales and units are not as many")
    found = [narrowing(scale(inputs, constants, place), numbers["bits"])[1] for place in numbers["scales"]]
    each = [at + unit for at, unit in zip(found, units, strict=True)]
    exponent = max([numbers["floor"], *([sum(each)] if numbers["product"] else each)])
    return i32(np.array([maxima.max(), exponent], np.int64))
