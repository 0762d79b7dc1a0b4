"""Gaussian noise.

numbers: ``seed``, two words without a sign, the low one first; ``first`` and ``count`` of samples; ``table``, a
constant of (65536,). Sample i is the table's entry at 16 bits of the words of Threefry2x32 with 20 rounds of the seed
at counter floor(i / 4): of the first word the low bits where i mod 4 = 0, the high ones where it is 1, then of the
second.
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, check
from inference.arithmetic.threefry import rounds
from inference.steps import LEAF, Constants, Numbers, Words
from inference.steps._operands import window


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    first, count = numbers["first"], numbers["count"]
    check(0 <= first < 2**40 and 0 < count <= LEAF, "samples are not of a leaf")
    found = places(numbers["seed"], first, count)
    table = np.zeros(65536, np.int64)
    for at in np.unique(found // LEAF).tolist():  # of its tiles those that are met
        span = [at * LEAF, (at + 1) * LEAF]
        table[slice(*span)] = window(constants, numbers["table"], [0, 1], span)[0]
    return table[found]


def places(seed: Sequence[int], first: int, count: int) -> Integers:
    """16 bits for each sample from ``first`` on."""
    counters = np.arange(first // 4, -(-(first + count) // 4))
    words = np.stack(rounds(seed[0] | seed[1] << 32, counters, 0 * counters), axis=1)
    return np.stack((words & 65535, words >> 16), axis=2).ravel()[first % 4 :][:count]
