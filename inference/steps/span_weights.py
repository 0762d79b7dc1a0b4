"""The sum of each source's weights at a temperature, unsigned.

sources: the largest word and its id; spans of words. numbers: ``mantissa``, ``shift``, ``drop`` and ``table`` as for
``exponential``.

    y[i] = u32(sum of the weights of span i below the largest word)
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, check, u32
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import signed
from inference.steps.exponential import scaled


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    return u32(np.array([p.sum() for p in spans(numbers, constants, inputs)]))


def spans(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> list[Integers]:
    """The weights of each span; the first input is the largest word and its id."""
    check(inputs[0].shape == (2,), "the largest is not a word and its id")
    largest = signed(inputs[0])[0]
    return [scaled(numbers, constants, largest - signed(words)) for words in inputs[1:]]
