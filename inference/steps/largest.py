"""Of pairs of a word and an id, that of the largest word, the first of equals.

sources: pairs. numbers: none. y is a pair.
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, check
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import signed


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    words = np.concatenate([signed(each) for each in inputs])
    check(len(words) % 2 == 0, "a pair is cut")
    pairs = words.reshape(-1, 2)
    return pairs[pairs[:, 0].argmax()]
