"""Logits of a span up to the last that is kept, the others -2^30.

sources: the last one's logit and id; a span of logits. numbers: ``first``, the id of its first.

    y[i] = x[i] where x[i] > logit, or x[i] = logit and first + i <= id; else -2^30
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, check
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import signed

LOWEST = -(2**30)


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    last, x = signed(inputs[0]), signed(inputs[1])
    check(last.shape == (2,), "the last is not a logit and its id")
    return np.where(among(x, numbers["first"] + np.arange(len(x)), *last), x, LOWEST)


def among(x, ids, logit, last):
    """Whether logits are not after the last one."""
    return (x > logit) | ((x == logit) & (ids <= last))
