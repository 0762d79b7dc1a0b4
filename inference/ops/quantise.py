"""A row of i32 as integers of at most ``bits`` bits and one power of two for all of them.

    exponent = max(bit length of max|z| - bits, 0),  a = min(rs(z, exponent), 2^bits - 1)

z: (T, K), |z| < 2^31 - 2^15; y: (T, K + 4), the exponent in column K and zeros after it. The max does not depend on
order. Exact only.
"""

import numpy as np
import numpy.typing as npt

from inference.derivation import Operand, Step
from inference.fixed_point import bit_length, round_shift
from inference.ops import Shape, require

PACK: dict[str, object] = {}


def shape(z: Shape, *, bits: int) -> Shape:
    require(len(z) == 2 and z[1] % 4 == 0, f"{z} is not rows of whole vectors of 4")
    require(1 <= bits <= 15, f"{bits} bits are not 1..15")
    return (z[0], z[1] + 4)


def exact(z: npt.NDArray[np.int32], *, bits: int) -> npt.NDArray[np.int32]:
    wide = z.astype(np.int64)
    exponent = np.maximum(bit_length(np.abs(wide).max(1, keepdims=True)) - bits, 0)
    a = np.minimum(round_shift(wide, exponent), (1 << bits) - 1)
    return np.hstack((a, exponent, np.zeros((len(z), 3), np.int64))).astype(np.int32)


def derivation(row: int, start: int, stop: int, z: Operand, *, bits: int) -> list[Step]:
    whole = z.columns(row)
    macs = work((1, z.words))
    return [Step(whole.leaves, stop - start, macs, lambda words: exact(whole.read(words), bits=bits)[0, start:stop])]


def work(z: Shape, **_: object) -> int:
    return z[0] * z[1]


def dimensions(z: Shape, **_: object) -> dict[str, int]:
    return {"columns": z[1]}


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    return (output[0], 1, 1)
