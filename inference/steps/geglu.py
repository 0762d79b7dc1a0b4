"""Words of a tensor times GELU of others of it.

numbers: ``a`` and ``g``, places of as many words; ``scale`` of the tensor; ``curve``, the constant's name.:

    y = mulsh(narrow(c, 30), narrow(a, 15), 15), c the last formula of ``group_norm`` with y = g and e = E
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from inference.arithmetic.fixed_point import Integers, check, multiply_shift
from inference.arithmetic.scaled import GAIN, curved, narrow, narrowing
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import placed, scale, window

RAISED = 30


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    a, g = (placed(inputs, constants, numbers[name]) for name in ("a", "g"))
    check(len(a) == len(g), "gates are not as many")
    curve = window(constants, numbers["curve"], [0, 1], [0, 257])[0]
    return gated(a, g, scale(inputs, constants, numbers["scale"]), curve)


def gated(a: Integers, g: Integers, of: npt.NDArray[np.integer], curve: Integers) -> Integers:
    """y at twice the exponent of a narrowed."""
    (n, _), (m, _) = narrowing(of, GAIN), narrowing(of, RAISED)
    G = narrow(curved(g, int(of.ravel()[1]), curve), m, RAISED)
    return multiply_shift(G, narrow(a, n, GAIN), GAIN)
