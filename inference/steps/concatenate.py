"""Words side by side: y = ``parts``.

numbers: ``parts``, pieces.
"""

from collections.abc import Sequence

from inference.arithmetic.fixed_point import Integers
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import pieces


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    return pieces(inputs, numbers["parts"])
