"""Words of a layer norm's output.

numbers: tensor ``x`` and ``scale``; ``statistics``, a place of mean, m, v, h of each pixel that the words are of, in
order; ``gains`` and ``biases``, places of the words of as many channels as lie in a pixel, and ``affine_scale``.

    D = narrow(i32(narrow(x, 29) - mean), 29) by m,  Y = moved(mulsh(D, v, 16), 18 + h) kept to ±32767
    y = i32(Y·narrow(gain, 15) + narrow(bias, 15)·2^10)
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.clamps import clamped
from inference.arithmetic.fixed_point import Integers, check, i32, multiply_shift
from inference.arithmetic.scaled import NORM, moved, narrow, narrowing
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import placed, scale
from inference.steps.group_norm import MOST, transformed


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    n, _ = narrowing(scale(inputs, constants, numbers["scale"]), NORM)
    z = narrow(placed(inputs, constants, numbers["x"]), n, NORM)
    known = placed(inputs, constants, numbers["statistics"])
    affine = np.stack([placed(inputs, constants, numbers[name]) for name in ("gains", "biases")])
    of = scale(inputs, constants, numbers["affine_scale"])
    check(len(known) % 4 == 0 and len(z) * 4 == len(known) * affine.shape[1], "statistics are not the pixels'")
    Y = normalised(z.reshape(-1, affine.shape[1]), known.reshape(-1, 4))
    return transformed(Y, affine, of)[0].ravel()


def normalised(z: Integers, known: Integers) -> Integers:
    """Y of pixels narrowed, at their statistics."""
    mean, m, v, h = known.T[:, :, None]
    check(np.abs(v).max() < 2**15 and np.abs(h).max() < 2**20, "a root is not of 15 bits")
    check(m.min() >= -NORM and m.max() <= 2, "a distance is not of 32 bits")
    d = i32(z - mean)
    D = np.stack([narrow(row, int(by), NORM) for row, by in zip(d, m[:, 0], strict=True)])
    return clamped("norm", moved(multiply_shift(D, v, 16), 18 + h), MOST)
