"""silu(g)·u of gates and ups.

numbers: ``x``, pieces, in turn ``group`` gates and their ``group`` ups; ``curve``, a constant of (257,);
``fraction``, f, of g and u. C[257] is 0. For each gate g and its up u, in order:

    i = min(|g| >> (f - 4), 256),  r = |g| & (2^(f-4) - 1)
    c = C[i] + (i32((C[i+1] - C[i])·r + 2^(f-5)) >> (f - 4)), 0 where i = 256
    y = mulsh(i32(max(g, 0) - rs(c, 16 - f)), u, 10)
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, check, i32, multiply_shift, round_shift
from inference.arithmetic.formats import GATE_SPLIT
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import pieces, window


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    x, group = pieces(inputs, numbers["x"]), numbers["group"]
    check(len(x) % (2 * group) == 0, "gates and ups are not in pairs")
    curve = window(constants, numbers["curve"], [0, 1], [0, 257])[0]
    pairs = x.reshape(-1, 2, group)
    return gated(pairs[:, 0].ravel(), pairs[:, 1].ravel(), curve, numbers["fraction"])


def gated(g: Integers, u: Integers, curve: Integers, fraction: int) -> Integers:
    """z of gates and ups of any shape."""
    t, step = np.abs(g), fraction - 4
    i = np.minimum(t >> step, 256)
    table = np.append(curve, 0)
    slope = table[i + 1] - table[i]
    c = table[i] + (i32(slope * (t & ((1 << step) - 1)) + (1 << (step - 1))) >> step)
    s = np.maximum(g, 0) - round_shift(np.where(i < 256, c, 0), 16 - fraction)
    return multiply_shift(i32(s), u, GATE_SPLIT)
