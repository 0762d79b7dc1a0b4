"""Part of a convolution's sums: some rows of weights times a span of one tap, for some pixels.

numbers: tensor ``x`` as a list of places, one a pixel, empty where it lies in the padding; ``scale``; ``weight``, a
constant of (N, taps, C), ``rows`` and ``columns`` of it as a matrix; ``span_shift``. a = narrow(x, 14), 0 in the
padding;

    y[pixel, row] = rs(i32(sum over the columns of weight[row]·a[pixel]), span_shift)
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, check, i32, round_shift
from inference.arithmetic.scaled import ACTIVATION, narrow, narrowing
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import placed, scale, window


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    shift, _ = narrowing(scale(inputs, constants, numbers["scale"]), ACTIVATION)
    q = window(constants, numbers["weight"], numbers["rows"], numbers["columns"])
    a = np.zeros((len(numbers["x"]), q.shape[1]), np.int64)
    for pixel, place in enumerate(numbers["x"]):
        if place:
            words = placed(inputs, constants, place)
            check(len(words) == q.shape[1], "a pixel and the weights are not as wide")
            a[pixel] = narrow(words, shift, ACTIVATION)
    return round_shift(i32(a @ q.T), numbers["span_shift"]).ravel()
