"""Sums of blocks of positions, each of weights that the block has narrowed by itself, brought to one scale.

sources: the sums of each head's weights in every block, (blocks, rows) unsigned; the sums of their narrowed weights,
likewise; for each of some blocks, words of its sums (rows, w). numbers: ``rows``; ``width``, w; ``part``, which words
those are; ``blocks`` [start, stop] that they are of. For a word of head h

    sh[b] = max(bits(sum[b, h]) - 16, 0),  S the largest of them,  D = sum_b rs(narrow[b, h], S - sh[b])
    more = 0 where D <= 2^16 + 2^12, else bits(D) - 16
    y = i32(sum over those blocks of rs(x[b], S - sh[b] + more))
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, bit_length, check, i32, round_shift
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import matrix, signed, unsigned
from inference.steps.narrow import narrowing

WHOLE = 2**16 + 2**12
"""The most that narrowed weights of one block sum to: 2^16, and half a unit of each of 8,192."""


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    rows, (start, stop), (first, last) = numbers["rows"], numbers["part"], numbers["blocks"]
    check(rows > 0 and len(inputs[0]) == len(inputs[1]) and len(inputs[0]) % rows == 0, "sums are not each block's")
    sums, narrow = (matrix(unsigned(words), len(words) // rows) for words in inputs[:2])
    x = [signed(words) for words in inputs[2:]]
    check(0 <= first < last <= len(sums) and len(x) == last - first, "blocks are not the sums'")
    fits = all(len(words) == stop - start for words in x)
    check(start >= 0 and stop <= rows * numbers["width"] and fits, "a part is not the heads'")
    by = shifts(sums, narrow)[first:last, np.arange(start, stop) // numbers["width"]]
    return merged(np.stack(x), by)


def shifts(sums: Integers, narrow: Integers) -> Integers:
    """(blocks, ..): by how many bits each block's sums are narrowed, of sums of weights and of narrowed weights."""
    own = narrowing(sums)
    apart = own.max(0) - own
    total = merged(narrow, apart)
    return apart + np.where(total <= WHOLE, 0, bit_length(total) - 16)


def merged(x: Integers, by: Integers) -> Integers:
    """y of sums (blocks, ..) and their shifts."""
    return i32(round_shift(x, by).sum(0))
