"""Weights of scores that lie below the largest of their row, at the scales of queries and keys.

sources: the largest of each row, ``rows`` words; a matrix of ``rows`` rows. numbers: ``rows``; ``scale_q``,
``scale_k``; ``bits``, to which both were narrowed; ``mantissa``, ``shift``; ``drop``; ``table``, a constant of (256,).

    e = E_q + bits(largest_q) - bits + E_k + bits(largest_k) - bits
    u = moved(mulsh(i32(largest[i] - x), mantissa, 16), shift - e)
    y = table[u & 255] >> min((u >> 8) + drop, 31)                           x <= largest[i]
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, check, i32, multiply_shift
from inference.arithmetic.scaled import moved, narrowing
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import matrix, scale, signed, window


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    rows, bits = numbers["rows"], numbers["bits"]
    largest = matrix(signed(inputs[0]), rows)
    check(largest.shape == (rows, 1), "there is not one maximum a row")
    at = [narrowing(scale(inputs, constants, numbers[name]), bits)[1] for name in ("scale_q", "scale_k")]
    table = window(constants, numbers["table"], [0, 1], [0, 256])[0]
    distance = largest - matrix(signed(inputs[1]), rows)
    return weights(distance, table, numbers["mantissa"], numbers["shift"] - sum(at), numbers["drop"]).ravel()


def weights(distance: Integers, table: Integers, mantissa: int, shift: int, drop: int) -> Integers:
    """p of scores that lie so far below the largest."""
    check(distance.min() >= 0, "a value exceeds the largest of its row")
    u = moved(multiply_shift(i32(distance), mantissa, 16), shift)
    return table[u & 255] >> np.minimum((u >> 8) + drop, 31)
