"""Maxima of rows: y[i] = the largest word of row i of all sources, each a matrix of ``rows`` rows.

numbers: ``rows``; ``absolute``: 1 for the largest |word|, else 0. |-2^31| is refused.
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, i32
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import matrix, signed


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    read = [matrix(signed(words), numbers["rows"]) for words in inputs]
    return i32(np.max([(np.abs(each) if numbers["absolute"] else each).max(1) for each in read], axis=0))
