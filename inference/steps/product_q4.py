"""Partial sums of a product with weights of 4 bits, over a span of columns.

sources: where ``bits`` > 0 the largest |word| of the whole row of activations, one word; then the activations of the
span. numbers: ``q`` and ``blocks``, constants of (N, K) and (N, K / 32, 2); ``rows`` of them; ``columns``, the span,
from a multiple of 32 to one; ``bits``. With a the activations, narrowed where bits > 0:

    e = max(bits(largest) - bits, 0),  a = rs(word, e) kept within ±(2^bits - 1),  |word| <= largest
    y[n] = i32(sum over blocks b of mulsh(i32(P), blocks[n, b, 0], 15) + mulsh(i32(A), blocks[n, b, 1], 11))
    P = sum of q[n, c]·a[c],  A = sum of a[c],  over the columns of b
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, bit_length, check, clipped, i32, multiply_shift
from inference.files.blocks import BLOCK
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import one, signed, window


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    a, q = activations(numbers, inputs), weights(numbers, constants)
    steps = window(constants, numbers["blocks"], numbers["rows"], [2 * each // BLOCK for each in numbers["columns"]])
    D, M = steps.reshape(len(steps), -1, 2).transpose(2, 0, 1)
    return i32(terms(i32(np.einsum("nbk,bk->nb", q, a)), i32(a.sum(1)), D, M).sum(1))


def terms(P: Integers, A: Integers, D: Integers, M: Integers) -> Integers:
    """What a block adds."""
    return multiply_shift(P, D, 15) + multiply_shift(A, M, 11)


def activations(numbers: Numbers, inputs: Sequence[Words]) -> Integers:
    """(blocks, 32): those of the span."""
    (start, stop), bits = numbers["columns"], numbers["bits"]
    check(start % BLOCK == 0 and stop % BLOCK == 0, "a span cuts a block")
    a = signed(inputs[-1])
    check(len(inputs) == (2 if bits else 1) and len(a) == stop - start, "the sources are not the span's")
    if bits:
        largest = one(inputs[0])
        check(np.abs(a).max() <= largest[0], "a value exceeds the largest of its row")
        a = clipped(a, np.maximum(bit_length(largest) - bits, 0), bits)
    return a.reshape(-1, BLOCK)


def weights(numbers: Numbers, constants: Constants) -> Integers:
    """(rows, blocks, 32): those of the span."""
    q = window(constants, numbers["q"], numbers["rows"], numbers["columns"])
    return q.reshape(len(q), -1, BLOCK)
