"""The largest word of each source and its id, the lowest of equals.

numbers: ``first``, the id of the first source's first word; the next one's is 1,024 more, and so on. y is a word and
its id for each source.
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers
from inference.steps import LEAF, Constants, Numbers, Words
from inference.steps._operands import signed


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    at = [int(signed(words).argmax()) for words in inputs]
    pairs = [(inputs[i][j], numbers["first"] + LEAF * i + j) for i, j in enumerate(at)]
    return np.array(pairs, np.int64).ravel()
