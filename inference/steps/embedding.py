"""Columns of a token's row of the embedding, in the residual's fraction bits.

sources: the token, one word, or none. numbers: ``token``, where there is no source; ``columns``; ``q``, ``blocks``
and ``rows``, constants of (vocabulary, d), (vocabulary, d / 32) and (vocabulary, 2). For column c

    y = rs(mulsh(i32((q[token, c]·blocks[token, c / 32]) << 8), rows[token, 0], 16), rows[token, 1])

0 <= token < vocabulary. With ``part`` these are a part of a table, of which row 0 is that of the token ``part``: y is 0
where the token has no row in it.
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, i32, multiply_shift, round_shift
from inference.files.blocks import BLOCK
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import one, window


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    token = int(one(inputs[0])[0]) if inputs else numbers["token"]
    (start, stop) = numbers["columns"]
    if "part" in numbers:
        token -= numbers["part"]
        if not 0 <= token < constants.shape(numbers["q"])[0]:
            return np.zeros(stop - start, np.int64)
    row = [token, token + 1]
    q = window(constants, numbers["q"], row, [start, stop])[0]
    blocks = window(constants, numbers["blocks"], row, [start // BLOCK, -(-stop // BLOCK)])[0]
    [[mantissa, shift]] = window(constants, numbers["rows"], row, [0, 2])
    return dequantised(q, blocks.repeat(BLOCK)[start % BLOCK :][: stop - start], mantissa, shift)


def dequantised(q: Integers, steps: Integers, mantissa: Integers, shift: Integers) -> Integers:
    """q·step at a row's scale."""
    return round_shift(multiply_shift(i32((q * steps) << 8), mantissa, 16), shift)
