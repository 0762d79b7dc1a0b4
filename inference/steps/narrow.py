"""Weights whose sum takes about 16 bits.

sources: the sum of each row over all positions, ``rows`` unsigned words; a matrix of ``rows`` rows. numbers: ``rows``.

    y[i, j] = rs(p[i, j], sh),  sh = max(bits(sum[i]) - 16, 0)
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, bit_length, check, round_shift
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import matrix, signed, unsigned


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    total, p = inputs
    check(len(total) == numbers["rows"], "there is not one sum a row")
    return narrowed(matrix(signed(p), numbers["rows"]), unsigned(total)).ravel()


def narrowed(p: Integers, total: Integers) -> Integers:
    """p' of weights (.., n) and their sums (..)."""
    return round_shift(p, narrowing(total)[..., None])


def narrowing(total: Integers) -> Integers:
    """By how many bits weights are narrowed, of their sums."""
    return np.maximum(bit_length(total) - 16, 0)
