"""Sums of pairs: sources are high words and then low words of as many sums of 64 bits; y their sums."""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, check
from inference.arithmetic.scaled import pairs, whole
from inference.steps import Constants, Numbers, Words


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    check(len({len(words) for words in inputs}) == 1 and len(inputs[0]) % 2 == 0, "pairs are not as many")
    check(len(inputs[0]) > 0, "a source is null")
    totals = [whole(words) for words in inputs]
    check(max(int(np.abs(total).max()) for total in totals) < 2**60, "a sum is beyond its terms")
    return pairs(np.sum(totals, axis=0))
