"""Tokens from choices: y[i] = the last word of source i, -1 where it is null.

numbers: none.
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers
from inference.steps import Constants, Numbers, Words


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    return np.array([int(words[-1]) if words.size else -1 for words in inputs], np.int64)
