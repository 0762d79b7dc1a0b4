"""Part of the weighted sums of values, over some positions.

sources: weights, a matrix of a row for each head; others. numbers: ``heads`` and ``group`` as for ``scores``;
``columns`` of the weights that are the positions'; ``values``, for each position pieces: (key heads, w); ``part``,
which words of the sums (heads, w) are wanted.

    y = words of part of i32(sum over positions j of i32(p[h, j]·values[j, key head of h, i]))
"""

from collections.abc import Sequence

from inference.arithmetic.fixed_point import Integers, check, i32
from inference.steps import Constants, Numbers, Words
from inference.steps._operands import matrix, pieces, signed
from inference.steps.scores import key_heads, vectors


def result(numbers: Numbers, constants: Constants, inputs: Sequence[Words]) -> Integers:
    of, (start, stop), (first, last) = key_heads(numbers), numbers["columns"], numbers["part"]
    p = matrix(signed(inputs[0]), len(of))[:, start:stop]
    check(p.shape[1] == stop - start == len(numbers["values"]), "weights and positions are not as many")
    width = len(pieces(inputs, numbers["values"][0])) // (int(of[-1]) + 1)
    products = p[..., None] * vectors(numbers["values"], inputs, of, width)
    return i32(i32(products).sum(1)).ravel()[first:last]
