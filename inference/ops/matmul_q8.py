"""y = W a (+ residual), W in blocks of 32 weights of 8 bits: w = d·q.

a: (T, K); q: (N, K) in -127..127; blocks: (N, K / 32); rows: (N, 2); residual and y: (T, N).

Exact: a row's D is 15 bits and a sign, a an integer of at most 16 bits; per block

    P = sum q·a                                               |P| <= 2^27
    acc += mul16(P, D)                                        |acc| < 2^31 over the row, in any order
    y = rs(mul16(acc, mantissa), shift - exponent)            plus rs(residual, residual_shift)

bounded and refused as in ``matmul_q4``.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from inference.arithmetic.fixed_point import multiply_shift, narrowed
from inference.arithmetic.tolerance import Array, Enclosed, flushed
from inference.derivation import Operand
from inference.device.target import Target
from inference.files.blocks import BLOCK, pack_blocks, pack_q8, pack_rows
from inference.ops import Shape, require
from inference.ops import _product_kernels as kernels
from inference.ops._drawing import Drawn, Generator, weights
from inference.ops._product import product_derivation
from inference.ops._product_kernels import before, entry, lanes, workgroups, workspace
from inference.ops.matmul_q4 import (
    arguments,
    dimensions,
    draw_product,
    finish,
    product_enclosure,
    product_shape,
    row_chunks,
    tuned_weights,
    work,
)
from inference.steps import Step

__all__ = ["arguments", "before", "dimensions", "entry", "lanes", "work", "workgroups", "workspace"]

PACK = {"q": pack_q8, "blocks": pack_blocks, "rows": pack_rows}
BITS = {"q": 8}
COLOUR = "#cfe3f5"


def shape(
    a: Shape,
    q: Shape,
    blocks: Shape,
    *others: Shape,
    bits: int = 0,
    unscaled: int = 0,
    adds: bool = False,
    **_: object,
) -> Shape:
    require(unscaled == 0 or (unscaled == 1 and bits > 0 and not adds), f"unscaled is {unscaled} of {bits} bits")
    return product_shape((), a, q, blocks, others, bits, adds)


def exact(
    a: npt.NDArray[np.int32],
    q: npt.NDArray[np.int8],
    blocks: npt.NDArray[np.int16],
    rows: npt.NDArray[np.int32],
    residual: npt.NDArray[np.int32] | None = None,
    *,
    bits: int = 0,
    unscaled: int = 0,
    residual_shift: int = 0,
    **_: object,
) -> npt.NDArray[np.int32]:
    values, exponent = narrowed(a.astype(np.int64), bits)
    exponent *= 1 - unscaled
    activations = values.reshape(len(a), -1, BLOCK)
    weights = q.reshape(len(q), -1, BLOCK).transpose(1, 2, 0)
    acc = np.zeros((len(a), len(q)), np.int64)
    for block in range(blocks.shape[1]):
        D, W = blocks[:, block].astype(np.int64), weights[block].astype(np.float64)
        for t in row_chunks(len(a), len(q)):
            acc[t] += multiply_shift((activations[t, block].astype(np.float64) @ W).astype(np.int64), D, 16)
    return finish(acc, rows, exponent, residual, residual_shift)


def derivation(row: int, start: int, stop: int, a: Operand, *others: Any, **attributes: Any) -> list[Step]:
    return product_derivation("product_q8", row, start, stop, a, *others, **attributes)


def float32(
    a: npt.NDArray[np.float32],
    q: npt.NDArray[np.int8],
    blocks: npt.NDArray[np.float32],
    residual: npt.NDArray[np.float32] | None = None,
    **_: object,
) -> npt.NDArray[np.float32]:
    weights = q.reshape(*blocks.shape, BLOCK) * blocks[..., None]
    y = a @ weights.reshape(q.shape).T
    return y if residual is None else residual + y


def enclosure(a: Array, q: Array, blocks: Array, residual: Array | None = None, **_: object) -> Enclosed:
    """y = sum_k d q_k a_k (+ r): gamma(K + 2) (sum |d q_k a_k| + |r|).

    A term passes 2 products, K - 1 additions and that of r, the weights dequantised first; by blocks, d·(sum q a), it
    passes 1 + 31 + 1 + (K / 32 - 1) + 1, which is no more.
    """
    d = blocks.astype(np.float64)
    weights = (q.reshape(*d.shape, BLOCK) * d[..., None]).reshape(q.shape)
    return product_enclosure(q.shape[1] + 2, a, weights, np.abs(weights), residual, flushed(3 * q.shape[1], a, q, d))


def variants(output: Shape, *, arithmetic: str, target: Target, **_: object) -> list[str]:
    """The kernels that a target admits, the likeliest first."""
    if arithmetic == "float32":
        return kernels.float32_variants(output[0], target)
    return kernels.variants(output[0], target, eight=True)


def tuned(generator: Generator, arithmetic: str, tokens: int, size: int) -> Drawn:
    """As of 4 bits."""
    return draw_product(generator, arithmetic, tokens, tuned_weights(size, eight=True), "")


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    fused = generator.choice(["", "adds"])
    return draw_product(generator, arithmetic, a, weights(generator, 5 * b + c, c, eight=True), fused)
