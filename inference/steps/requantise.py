"""A product's sums at the scales of its rows, plus the residual.

sources: where ``bits`` > 0 the first is the largest |word| of the whole row of activations. numbers: ``x``, pieces:
the sums; ``rows``, a constant of (N, 2), and ``range``, which of its rows they are; ``bits``; ``residual``, pieces, or
an empty list, and ``residual_shift``; ``unscaled``, 1 where the sums stay at the row's exponent, or absent.

    e = max(bits(largest) - bits, 0), 0 where bits = 0 or unscaled
    y[i] = i32(rs(mulsh(x[i], rows[i, 0], 16), rows[i, 1] - e) + rs(residual[i], residual_shift))
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, bit_length, check, i32, requantise, round_shift
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import one, pieces, window


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    x, bits = pieces(inputs, numbers["x"]), numbers["bits"]
    scales = window(constants, numbers["rows"], numbers["range"], [0, 2])
    check(len(scales) == len(x), "sums and scales are not as many")
    scaled = bits and not numbers.get("unscaled", 0)
    y = requantise(x, scales, np.maximum(bit_length(one(inputs[0])) - bits, 0) if scaled else 0)
    if numbers["residual"]:
        residual = pieces(inputs, numbers["residual"])
        check(len(residual) == len(x), "sums and residual are not as many")
        y = i32(y + round_shift(residual, numbers["residual_shift"]))
    return y
