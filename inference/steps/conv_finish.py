"""A convolution's sums at the scales of its rows, plus the bias.

sources: sums, pixels by rows, the first. numbers: ``scale`` of what was multiplied; ``rows``, a constant of (N, 2), and
``bias``, one of (N,), ``range`` of them; ``unit``, ``floor``. e = E + bits(largest) - 14 + unit, at = max(e, floor):

    y = i32(rs(mulsh(x, rows[n, 0], 16), min(rows[n, 1] + at - e, 30)) + rs(bias[n], min(at - floor, 30)))
"""

from collections.abc import Sequence

from inference.arithmetic.fixed_point import Integers, check, i32, multiply_shift, round_shift
from inference.arithmetic.scaled import ACTIVATION, narrowing
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import scale, signed, window


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    _, at = narrowing(scale(inputs, constants, numbers["scale"]), ACTIVATION)
    rows = window(constants, numbers["rows"], numbers["range"], [0, 2])
    bias = window(constants, numbers["bias"], [0, 1], numbers["range"])[0]
    x = signed(inputs[0])
    check(len(x) % len(bias) == 0, "sums are not pixels by rows")
    return scaled(x.reshape(-1, len(bias)), bias, rows, at + numbers["unit"], numbers["floor"]).ravel()


def scaled(total: Integers, bias: Integers, rows: Integers, exponent: int, floor: int) -> Integers:
    """Sums (.., N) at the scales of their rows (N, 2), plus the bias (N,)."""
    mantissa, shift = rows.T
    at = max(exponent, floor)
    moved = round_shift(multiply_shift(total, mantissa, 16), (shift + at - exponent).clip(max=30))
    return i32(moved + round_shift(bias, min(at - floor, 30)))
