"""Part of the weighted sums of values, over some positions.

sources: weights, a matrix of a row for each head; others. numbers: ``heads`` and ``group`` as for ``scores``;
``columns`` of the weights that are the positions'; ``values``, for each position pieces: (key heads, w); ``part``,
which words of the sums (heads, w) are wanted; ``low`` and ``half``, or absent: v is values >> low, or in half 1
values & (2^low - 1).

    y = words of part of i32(sum over positions j of i32(p[h, j]·v[j, key head of h, i]))
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
    v = halves(vectors(numbers["values"], inputs, of, width), numbers.get("low", 0))[numbers.get("half", 0)]
    products = p[..., None] * v
    return i32(i32(products).sum(1)).ravel()[first:last]


def halves(values: Integers, low: int) -> list[Integers]:
    """Values without their ``low`` last bits, and those; the values themselves where that is none."""
    return [values >> low, values & ((1 << low) - 1)] if low else [values]
