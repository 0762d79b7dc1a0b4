"""Partial sums of a product with weights of 8 bits, a step of each half of a block, over a span of columns.

As ``product_q4``, but ``blocks`` is a constant of (N, K / 32, 3), of which D, E, M = blocks[n, b], and

    y[n] = i32(sum over blocks b of mulsh(i32(P), D, 15) + mulsh(i32(R), E, 15) + mulsh(i32(A), M, 11))
    P = sum of q[n, c]·a[c] over the first 16 columns of b,  R over its others,  A = sum of a[c] over all of them
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, i32, multiply_shift
from inference.files.blocks import BLOCK
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import window
from inference.steps.product_q4 import activations, weights

HALF = BLOCK // 2


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    a, q = activations(numbers, inputs), weights(numbers, constants)
    steps = window(constants, numbers["blocks"], numbers["rows"], [3 * each // BLOCK for each in numbers["columns"]])
    D, M = np.split(steps.reshape(len(steps), -1, 3), [2], axis=2)
    P = i32(np.einsum("nbhk,bhk->nbh", q.reshape(*D.shape, HALF), a.reshape(-1, 2, HALF)))
    return i32(multiply_shift(P, D, 15).sum((1, 2)) + multiply_shift(i32(a.sum(1)), M[..., 0], 11).sum(1))
