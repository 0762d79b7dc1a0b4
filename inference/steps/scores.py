"""q·k of some heads at some positions.

numbers: ``heads``, [start, stop]; ``group``, heads that share a key head; ``query``, pieces: (heads, w);
``keys``, for each position pieces: (key heads, w), from that of the first head to that of the last. Head h has key
head floor(h / group).

    y[h, j] = i32(sum over i of query[h, i]·keys[j, key head of h, i]),  the sum of absolute products < 2^32
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, check, i32
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import matrix, pieces


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    of = key_heads(numbers)
    query = matrix(pieces(inputs, numbers["query"]), len(of))
    return dot(query, vectors(numbers["keys"], inputs, of, query.shape[1])).ravel()


def key_heads(numbers: Numbers) -> Integers:
    """The key head of each head, the first one's being 0."""
    heads = np.arange(*numbers["heads"])
    check(len(heads) > 0, "there are no heads")
    return np.asarray(heads // numbers["group"] - heads[0] // numbers["group"])


def vectors(places: Sequence[Sequence[Sequence[int]]], inputs: Sequence[Words], of: Integers, width: int) -> Integers:
    """(heads, positions, w): each head's keys or values."""
    read = np.stack([matrix(pieces(inputs, each), int(of[-1]) + 1) for each in places])
    check(read.shape[2] == width, "keys or values are not of a head's width")
    return read[:, of].swapaxes(0, 1)


def dot(query: Integers, keys: Integers) -> Integers:
    """(.., n) of queries (.., w) and keys (.., n, w)."""
    products = query[..., None, :] * keys
    sizes = np.abs(products)
    # A partial sum is at most half of the sum of sizes by either sign.
    check(sizes.max() < 2**32 and sizes.sum(-1).max() < 2**32, "a sum of products is not of 32 bits")
    return i32(products.sum(-1))
