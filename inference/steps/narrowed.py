"""Words of a tensor narrowed to some bits.

numbers: ``x``, ``scale``, ``bits``. y = narrow(x, bits)
"""

from collections.abc import Sequence

from inference.arithmetic.fixed_point import Integers
from inference.arithmetic.scaled import narrow, narrowing
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import placed, scale


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    bits = numbers["bits"]
    shift, _ = narrowing(scale(inputs, constants, numbers["scale"]), bits)
    return narrow(placed(inputs, constants, numbers["x"]), shift, bits)
