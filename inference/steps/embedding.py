"""Columns of a token's row of the embedding, in the residual's fraction bits.

sources: the token, one word, or none. numbers: ``token``, where there is no source; ``columns``; ``q``, ``blocks``
and ``rows``, constants of (vocabulary, d), of (vocabulary, d / 32) with one number a block, or two or three, and of
(vocabulary, 2). For column c

    y = rs(mulsh(i32((q[token, c]·D + 16·M) << 8), rows[token, 0], 16), rows[token, 1])

where D is blocks[token, c / 32] and M 0; of two numbers a block D is the first, M the second; of three D is the first
in its first 16 columns and the second in the others, M the third. 0 <= token < vocabulary. With ``part`` these are a
part of a table, of which row 0 is that of the token ``part``: y is 0 where the token has no row in it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.arithmetic.fixed_point import Integers, check, i32, multiply_shift, round_shift
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
    each = constants.shape(numbers["blocks"])[1] * BLOCK // constants.shape(numbers["q"])[1]
    check(each in (1, 2, 3), "a block has neither one number nor two nor three")
    blocks = window(constants, numbers["blocks"], row, [start // BLOCK * each, -(-stop // BLOCK) * each])
    [[mantissa, shift]] = window(constants, numbers["rows"], row, [0, 2])
    D, M = spread(blocks if each == 1 else blocks.reshape(1, -1, each))
    part = slice(start % BLOCK, start % BLOCK + stop - start)
    return dequantised(q, D[0, part], M[0, part], mantissa, shift)


def spread(blocks: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """D and M of each column, (rows, K), from (rows, K / 32), (rows, K / 32, 2) or (rows, K / 32, 3)."""
    if blocks.ndim == 2:
        D = blocks.repeat(BLOCK, axis=1)
        return D, np.zeros_like(D)
    D, M = blocks[..., :-1], blocks[..., -1]
    return D.reshape(len(blocks), -1).repeat(BLOCK // D.shape[2], axis=1), M.repeat(BLOCK, axis=1)


def dequantised(q: Integers, D: Integers, M: Integers, mantissa: Integers, shift: Integers) -> Integers:
    """q·D + 16·M at a row's scale."""
    return round_shift(multiply_shift(i32((q * D + 16 * M) << 8), mantissa, 16), shift)
