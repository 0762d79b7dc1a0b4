"""Weights whose sum takes about 16 bits.

sources: the sum of each row over all positions, ``rows`` unsigned words; a matrix of ``rows`` rows. numbers: ``rows``.

    y[i, j] = rs(p[i, j], sh),  sh = bits(sum[i]) - 16 >= 3
"""

from collections.abc import Sequence

from inference.arithmetic.fixed_point import Integers, bit_length, check, round_shift
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import matrix, signed, unsigned


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    total, p = inputs
    check(len(total) == numbers["rows"], "there is not one sum a row")
    return narrowed(matrix(signed(p), numbers["rows"]), unsigned(total)).ravel()


def narrowed(p: Integers, total: Integers) -> Integers:
    """p' of weights (.., n) and their sums (..)."""
    sh = bit_length(total) - 16
    check(sh.min() >= 3, "a sum is less than its largest weight")
    return round_shift(p, sh[..., None])
