"""Mean, narrowing, inverse root and its exponent of pixels, for a layer norm.

numbers: tensor ``x``, whole pixels by ``columns`` channels, and ``scale``; ``mantissa`` and ``exponent`` of epsilon.
z = narrow(x, 29) at u = E + bits(largest) - 29. Of each pixel, S the sum of its z:

    mean = sign(S)·floor(|S| / columns), d = i32(z - mean), m = bits(max|d|) - 29, D = narrow(d, 29) by m
    V = sum of rs(D, 14)²; v, h as ``group_roots`` gives them, count = columns and f0 = exponent - 2 (u + m + 14)

y = mean, m, v, h of the first pixel, of the second, and so on.
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, bit_length, check, i32, round_shift
from inference.arithmetic.scaled import NORM, SHORT, narrow, narrowing
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import placed, scale
from inference.steps.group_roots import inverse


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    n, at = narrowing(scale(inputs, constants, numbers["scale"]), NORM)
    z = narrow(placed(inputs, constants, numbers["x"]), n, NORM)
    columns = numbers["columns"]
    check(columns > 0 and len(z) % columns == 0, "words are not pixels by channels")
    return statistics(z.reshape(-1, columns), numbers["mantissa"], numbers["exponent"] - 2 * at).ravel()


def statistics(z: Integers, mantissa: int, exponent: int) -> Integers:
    """(pixels, 4) of words narrowed; epsilon's exponent at twice their unit."""
    columns = z.shape[1]
    check(np.abs(z).max() < 2**NORM, "a word is beyond its tensor's largest")
    total = z.sum(1)
    mean = np.sign(total) * (np.abs(total) // columns)
    d = i32(z - mean[:, None])
    m = bit_length(np.abs(d).max(1)) - NORM
    squares = round_shift(_narrowed(d, m), SHORT) ** 2
    roots = [
        inverse(int(V), columns, mantissa, exponent - 2 * (int(by) + SHORT))
        for V, by in zip(squares.sum(1), m, strict=True)
    ]
    return np.column_stack((mean, m, np.array(roots, np.int64)))


def _narrowed(d: Integers, m: Integers) -> Integers:
    """Each pixel's distances by its own m."""
    return np.stack([narrow(row, int(by), NORM) for row, by in zip(d, m, strict=True)])
