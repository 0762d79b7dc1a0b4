"""Some gains or biases of a group norm, scaled and shifted.

numbers: tensor of scales s at ``s`` and shifts t at ``t``, empty for gains, and ``scale``; ``affine``, a place of gains
or biases; ``fraction``. e = E + bits(largest) - 29, at = max(e, -29), U = at + 15 - fraction, to = max(U, e):

    M = i32(moved(s, at - E) + 2^-at), without that where at > 0
    y = i32(moved(mulsh(M, affine, 15), to - U) + moved(t, to - E)), without the last term for gains
"""

from collections.abc import Sequence

from inference.arithmetic.fixed_point import Integers, check, i32, multiply_shift
from inference.arithmetic.scaled import NORM, moved, narrowing
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import placed, scale


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    s, affine = (placed(inputs, constants, numbers[name]) for name in ("s", "affine"))
    t = placed(inputs, constants, numbers["t"]) if numbers["t"] else None
    check(len(s) == len(affine) and (t is None or len(t) == len(s)), "scales, shifts and gains are not as many")
    return modulated(s, t, affine, scale(inputs, constants, numbers["scale"]), numbers["fraction"])


def modulated(s: Integers, t: Integers | None, affine: Integers, tensor_scale: Integers, fraction: int) -> Integers:
    """Gains, or with shifts t biases."""
    exponent, read = int(tensor_scale[1]), narrowing(tensor_scale, NORM)[1]
    at = max(read, -NORM)
    M = i32(moved(s, at - exponent) + (1 << -at if at <= 0 else 0))
    unit = at + 15 - fraction
    to = max(unit, read)
    y = moved(multiply_shift(M, affine, 15), to - unit)
    return y if t is None else i32(y + moved(t, to - exponent))
