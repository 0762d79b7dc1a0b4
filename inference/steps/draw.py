"""The token that a random word draws, where it lies in one of some spans, else -1.

sources: the sums of all spans' weights, unsigned; the largest word and its id; some spans of words, one after another,
each of which has a sum.
numbers: ``first``, which span the first is; ``draw``, the random word, unsigned; ``mantissa``, ``shift``, ``drop`` and
``table`` as for ``exponential``. With p the weights of span s = first + i, end[s] = u32(sum of sums 0 to s), t = the
last end:

    threshold = portion(t, draw) = (((t >> 16)·draw) + (((t & 65535)·draw) >> 16)) >> 16
    left = threshold - end[s - 1]   (end[-1] = 0)
    y = 1024 s + how many prefix sums p[0] + .. + p[j] are <= left, where end[s - 1] <= threshold < end[s]
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, check, portion, u32
from inference.steps import LEAF, Constants, Numbers, Words
from inference.steps._operands import unsigned
from inference.steps.span_weights import spans


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    sums, draw, first = unsigned(inputs[0]), np.array([numbers["draw"]]), numbers["first"]
    p = spans(numbers, constants, inputs[1:])
    check(first >= 0 and first + len(p) <= len(sums), "a span has no sum")
    return np.max([inside(each[None], sums[None], draw, first + i) for i, each in enumerate(p)], axis=0)


def inside(p: Integers, sums: Integers, draw: Integers, span: int) -> Integers:
    """(T,): the token where the threshold lies in a span of weights p (T, up to 1,024), -1 where it does not."""
    ends = u32(sums.cumsum(1))
    threshold = portion(ends[:, -1], draw)
    left = threshold - (ends[:, span - 1] if span else 0)
    token = span * LEAF + (p.cumsum(1) <= left[:, None]).sum(1)
    return np.where((left >= 0) & (threshold < ends[:, span]), token, -1)
