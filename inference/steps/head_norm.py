"""Columns of heads of which the first are normed and the others copied.

numbers: ``x``, pieces: whole heads; ``gain``, a constant of (w,), w their width; ``heads``, how many of them are
normed; ``part``, which of the words are wanted; ``square_shift``, ``constant``, ``epsilon``, ``root_shift``,
``gain_shift``.
Of each normed head the largest |x|, the sum of its squares (``squares``) and, from these, its columns (``normalise``).
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, check, u32
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import pieces, window
from inference.steps.normalise import ATTRIBUTES, normalised
from inference.steps.squares import scaled_squares


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    x, (start, stop) = pieces(inputs, numbers["x"]), numbers["part"]
    width = constants.shape(numbers["gain"])[1]
    gain = window(constants, numbers["gain"], [0, 1], [0, width])[0]
    check(len(x) % width == 0 and 0 <= start < stop <= len(x), "the words are not of whole heads")
    heads, given = x.reshape(-1, width), {name: numbers[name] for name in ATTRIBUTES}
    normed = heads[: numbers["heads"]]
    if len(normed):
        largest = np.abs(normed).max(1, keepdims=True)
        total = u32(scaled_squares(normed, largest, given["square_shift"]).sum(1, keepdims=True))
        heads = np.vstack((normalised(normed, largest, total, gain, **given), heads[len(normed) :]))
    return np.asarray(heads.ravel()[start:stop])
