"""silu of a tensor's words, at its exponent.

numbers: ``x``, ``scale``, ``curve``, the constant's name: the last formula of ``group_norm`` with y = x and e = E.
"""

from collections.abc import Sequence

from inference.arithmetic.fixed_point import Integers, check
from inference.arithmetic.scaled import curved
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import placed, scale, window


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    curve = window(constants, numbers["curve"], [0, 1], [0, 257])[0]
    _, exponent = scale(inputs, constants, numbers["scale"]).tolist()
    check(abs(exponent) < 2**20, "a scale is none")
    return curved(placed(inputs, constants, numbers["x"]), exponent, curve)
