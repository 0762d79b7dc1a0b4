"""Sums of rows: y[i] = the sum of row i of all sources, each a matrix of ``rows`` rows.

numbers: ``rows``; ``unsigned``: 1 where words and sums are unsigned, else 0. y must fit its 32 bits.
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, i32, u32
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import matrix, signed, unsigned


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    read, fit = (unsigned, u32) if numbers["unsigned"] else (signed, i32)
    return fit(np.sum([matrix(read(words), numbers["rows"]).sum(1) for words in inputs], axis=0))
