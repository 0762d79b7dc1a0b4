"""Words of a group norm's output.

numbers: tensor ``x``, pixels by the channels [start, stop) in ``channels``, and ``scale``; ``mean``, a place of a word
a group; ``roots``, of a v and then an h a group; ``gains`` and ``biases``, places of those channels' words, and
``affine_scale``; ``width``, channels of a group; ``curve``, the constant's name, or "".

    d = i32(narrow(x, 29) - mean),  Y = moved(mulsh(d, v, 16), 19 + h) kept to ±32767
    y = i32(Y·narrow(gain, 15) + narrow(bias, 15)·2^10) at e = E' + bits(largest') - 25

and where there is a curve C, t = moved(|y|, -16 - e), i = min(t >> 12, 256), C[257] = 0:

    c = C[i] + (i32((C[i+1] - C[i])·(t & 4095) + 2048) >> 12), 0 where i = 256;  i32(max(y, 0) - moved(c, 16 + e))
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.clamps import clamped
from inference.arithmetic.fixed_point import Integers, check, i32, multiply_shift
from inference.arithmetic.scaled import GAIN, NORM, curved, moved, narrow, narrowing
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import placed, scale, window

FRACTION = 10
MOST = 32767


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    shift, _ = narrowing(scale(inputs, constants, numbers["scale"]), NORM)
    z = narrow(placed(inputs, constants, numbers["x"]), shift, NORM)
    start, stop = numbers["channels"]
    check(0 <= start < stop and len(z) % (stop - start) == 0, "words are not pixels by channels")
    of = np.arange(start, stop) // numbers["width"]
    mean, roots = (placed(inputs, constants, numbers[name]) for name in ("mean", "roots"))
    check(len(roots) == 2 * len(mean) and of[-1] < len(mean), "means and roots are not the groups'")
    v, h = roots.reshape(2, -1)
    Y = normalised(z.reshape(-1, stop - start), mean[of], v[of], h[of])
    affine = np.stack([placed(inputs, constants, numbers[name]) for name in ("gains", "biases")])
    check(affine.shape == (2, stop - start), "gains are not the channels'")
    y, exponent = transformed(Y, affine, scale(inputs, constants, numbers["affine_scale"]))
    if numbers["curve"]:
        y = curved(y, exponent, window(constants, numbers["curve"], [0, 1], [0, 257])[0])
    return y.ravel()


def normalised(z: Integers, mean: Integers, v: Integers, h: Integers) -> Integers:
    """Y of x narrowed, at its groups' means and roots."""
    check(np.abs(v).max() < 2**15, "a root is not of 15 bits")
    d = i32(z - mean)
    check(np.abs(d).max() <= 2**30, "a mean is not of its tensor")
    return clamped("norm", moved(multiply_shift(d, v, 16), 19 + h), MOST)


def transformed(Y: Integers, affine: Integers, affine_scale: Integers) -> tuple[Integers, int]:
    """y and its exponent."""
    n, exponent = narrowing(affine_scale, GAIN)
    gain, bias = narrow(affine, n, GAIN)
    return i32(Y * gain + (bias << FRACTION)), exponent - FRACTION
