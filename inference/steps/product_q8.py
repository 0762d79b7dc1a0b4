"""Partial sums of a product with weights of 8 bits, over a span of columns.

As ``product_q4``, but ``blocks`` is a constant of (N, K / 32) and

    y[n] = i32(sum over blocks b of mulsh(i32(P), blocks[n, b], 16))
"""

from collections.abc import Sequence

import numpy as np

from inference.arithmetic.fixed_point import Integers, i32, multiply_shift
from inference.files.blocks import BLOCK
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import window
from inference.steps.product_q4 import activations, weights


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    a, q = activations(numbers, inputs), weights(numbers, constants)
    D = window(constants, numbers["blocks"], numbers["rows"], [each // BLOCK for each in numbers["columns"]])
    return i32(multiply_shift(i32(np.einsum("nbk,bk->nb", q, a)), D, 16).sum(1))
