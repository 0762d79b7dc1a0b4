"""The weights of some tokens by a digit of their rank: a level of the search for the last of the likeliest.

Of equal logits the smaller id ranks first. Tokens are ranked by their logit's distance from 2^30, then by their id; a
digit of either is 8 bits of the distance, from the highest on (levels 0 to 3), then 10 bits of the id (4 and 5).
sources: the largest word and its id; from level 1 on what was found before (``bin_found``): [left, logit, id]; spans of
logits, 1,024 each but the last, |logit| <= 2^30. numbers: ``level``; ``first``, which span the first is; ``mantissa``,
``shift``, ``drop`` and ``table`` as for ``exponential``, without which each token weighs 1.

    y[b] = u32(sum of the weights of tokens whose digit is b, and whose digits before are those of what was found)
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from inference.arithmetic.fixed_point import Integers, check, u32
from inference.steps import LEAF, Constants, Numbers, Words
from inference.steps._operands import signed
from inference.steps.span_weights import spans

FARTHEST = 2**30


class Digit(NamedTuple):
    """Bits ``shift`` to ``shift + width`` of a distance, or of an id."""

    of_id: bool
    shift: int
    width: int

    @property
    def bins(self) -> int:
        """How many values it has."""
        return int(2**self.width)


DIGITS = (*(Digit(False, shift, 8) for shift in (24, 16, 8, 0)), *(Digit(True, shift, 10) for shift in (10, 0)))


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    level, first = numbers["level"], numbers["first"]
    largest, digit, given = inputs[0], DIGITS[level], list(inputs[1:])
    distance, rank = found(given.pop(0)) if level else (0, 0)
    check(len(given) > 0 and all(len(span) == LEAF for span in given[:-1]), "a span is not whole")
    x = np.concatenate([signed(span) for span in given])
    p = np.concatenate(spans(numbers, constants, [largest, *given])) if "table" in numbers else np.ones_like(x)
    distances, ids = FARTHEST - x, first * LEAF + np.arange(len(x))
    check(distances.min() >= 0 and distances.max() <= 2 * FARTHEST, "a logit is beyond 2^30")
    check(ids[0] >= 0 and ids[-1] < 2**20, "an id is beyond 2^20")
    of, before = (ids, rank) if digit.of_id else (distances, distance)
    alike = ((of ^ before) >> (digit.shift + digit.width) == 0) & (not digit.of_id or distances == distance)
    y = np.zeros(digit.bins, np.int64)
    np.add.at(y, (of >> digit.shift & digit.bins - 1)[alike], p[alike])
    return u32(y)


def found(words: Words) -> tuple[int, int]:
    """Distance and id, as far as they were found."""
    check(words.shape == (3,), "what was found is not three words")
    distance, rank = FARTHEST - int(words[1]), int(words[2])
    check(0 <= distance <= 2 * FARTHEST and 0 <= rank < 2**20, "what was found is no token")
    return distance, rank
