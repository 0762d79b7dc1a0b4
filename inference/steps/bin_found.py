"""The digit of the last of the likeliest tokens: a level of its search, see ``bin_weights``.

sources: the weights of all tokens by this digit, unsigned; from level 1 on what was found before: [left, logit, id].
numbers: ``level``; at level 0 ``count``, how many tokens are wanted, or 0 and ``share``, which part of the total t of
the weights, in 2^-32. end[b] = u32(sum of weights 0 to b); left at level 0 is min(count, t), or portion(t, share) + 1,
portion(t, s) = (((t >> 16)·s) + (((t & 65535)·s) >> 16)) >> 16.

    b = how many ends are < left, 1 <= left <= the last end
    y = [left - end[b - 1], logit - (b << shift of a distance), id + (b << shift of an id)]   (end[-1] = 0)

before whose first digit logit is 2^30 and id 0.
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, check, portion, u32
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import unsigned
from inference.steps.bin_weights import DIGITS, FARTHEST, found


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    level, bins = numbers["level"], inputs[0]
    digit = DIGITS[level]
    check(bins.shape == (digit.bins,), f"there is not one weight for each of {digit.bins} digits")
    ends = u32(unsigned(bins).cumsum())
    total, distance, rank = int(ends[-1]), 0, 0
    if level:
        distance, rank = found(inputs[1])
        left = int(unsigned(inputs[1])[0])
    else:
        left = min(numbers["count"], total) if numbers["count"] else int(portion(ends[-1:], numbers["share"])[0]) + 1
    check(1 <= left <= total, "what is left lies in no digit")
    at = int((ends < left).sum())
    moved = at << digit.shift
    left -= int(ends[at - 1]) if at else 0
    y = [left, FARTHEST - distance, rank + moved] if digit.of_id else [left, FARTHEST - distance - moved, rank]
    return np.array(y, np.int64)
