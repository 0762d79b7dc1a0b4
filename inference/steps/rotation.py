"""Columns of which the first are heads, rotated by a position; the others are copied.

numbers: ``x``, pieces: the columns before rotation; ``first``, the column of the row that the first of them is, even;
``rotated``, how many columns of the row are heads; ``table``, a constant of (positions, w / 2, 2); ``position``.
With t = window(table, [position, position + 1], [0, w]), for the columns c = first + i < rotated, c even:

    cos = t[c mod w], sin = t[c mod w + 1]
    y[i] = rs(i32(x[i]·cos - x[i+1]·sin), 14),  y[i+1] = rs(i32(x[i]·sin + x[i+1]·cos), 14)

With ``short`` of all columns the last 16 bits, with their sign.
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, check, i32, round_shift
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import pieces, window

FRACTION = 14


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    x, first, position = pieces(inputs, numbers["x"]), numbers["first"], numbers["position"]
    width = constants.shape(numbers["table"])[1]
    turns = window(constants, numbers["table"], [position, position + 1], [0, width]).reshape(-1, 2)
    count = min(max(numbers["rotated"] - first, 0), len(x))
    check(first >= 0 and first % 2 == 0 and count % 2 == 0, "a pair is cut")
    cos, sin = turns[np.arange(first, first + count, 2) // 2 % len(turns)].T
    y = np.concatenate((turned(x[:count], cos, sin), x[count:]))
    return last_16_bits(y) if numbers.get("short") else y


def last_16_bits(y: Integers) -> Integers:
    """Of each word, with their sign."""
    return ((y & 0xFFFF) ^ 0x8000) - 0x8000


def turned(x: Integers, cos: Integers, sin: Integers) -> Integers:
    """Pairs (.., 2 n) by angles (.., n)."""
    even, odd = x[..., ::2], x[..., 1::2]
    turns = np.stack((i32(even * cos - odd * sin), i32(even * sin + odd * cos)), axis=-1)
    return round_shift(turns, FRACTION).reshape(x.shape)
