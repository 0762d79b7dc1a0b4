"""Weights 2^-u of values below the largest of their row.

sources: the largest of each row, ``rows`` words; then matrices of ``rows`` rows. numbers: ``rows``; ``mantissa`` and
``shift``: log2(e) over the temperature; ``drop``, fraction bits that the table has and y has not; ``table``, a constant
of (256,). y is a matrix of ``rows`` rows, the sources' side by side. For a value x in row i

    u = rs(mulsh(i32(largest[i] - x), mantissa, 16), shift)            x <= largest[i]
    y = (table[u & 255] >> drop) >> min(u >> 8, 31)
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, check, i32, multiply_shift, round_shift
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import matrix, signed, window


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    rows = numbers["rows"]
    largest = matrix(signed(inputs[0]), rows)
    check(largest.shape == (rows, 1), "there is not one maximum a row")
    x = np.hstack([matrix(signed(words), rows) for words in inputs[1:]])
    return scaled(numbers, constants, largest - x).ravel()


def scaled(numbers: Numbers, constants: Constants, distance: Integers) -> Integers:
    """The weights of distances, by a step's numbers."""
    table = window(constants, numbers["table"], [0, 1], [0, 256])[0]
    return weights(distance, table, numbers["mantissa"], numbers["shift"], numbers["drop"])


def weights(distance: Integers, table: Integers, mantissa: int, shift: int, drop: int) -> Integers:
    """2^-u of distances of any shape."""
    check(distance.min() >= 0, "a value exceeds the largest of its row")
    u = round_shift(multiply_shift(i32(distance), mantissa, 16), shift)
    return (table[u & 255] >> drop) >> np.minimum(u >> 8, 31)
