"""y = W a (+ residual), W in blocks of 32 weights of 8 bits, a step of each half: w = d0·q + m and w = d1·q + m.

GGUF's Q5_K (d0 = d1, q in 0..31) and Q6_K (m = 0, q in -32..31), and whatever ``matmul_q4`` and ``matmul_q8`` hold.
a: (T, K); q: (N, K) in -128..127; blocks: (N, K / 32, 3): d0, d1, m; rows: (N, 2); residual and y: (T, N).

Exact: a row's D0, D1 and M are 15 bits and a sign (M at 16 times D's scale), a an integer of at most 16 bits; per block

    P0 = sum q·a of the first 16, P1 of the others, A = sum a of all        |P0|, |P1| <= 2^26, |A| <= 2^20
    acc += mulsh(P0, D0, 15) + mulsh(P1, D1, 15) + mulsh(A, M, 11)          |acc| < 2^31 over the row, in any order
    y = rs(mul16(acc, mantissa), shift - exponent)                          plus rs(residual, residual_shift)

In mulsh (P >> 15)·D stays within 2^26, the rest times D below 2^30; (A >> 11)·M within 2^24, the rest times M below
2^26. acc is bounded and refused as in ``matmul_q4``: by the row's sums of |q|·|D0|, |q|·|D1| and 32·|M|, and 3 of
rounding a block.

Kernels are those of ``matmul_q8``. Nothing is fused into it before or after but narrowing and a residual.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from inference.arithmetic.fixed_point import i32, multiply_shift, narrowed
from inference.arithmetic.tolerance import Array, Enclosed, flushed
from inference.derivation import Operand
from inference.device.target import Target
from inference.files.blocks import halved, pack_blocks, pack_q8, pack_rows
from inference.ops import Shape, require
from inference.ops import _product_kernels as kernels
from inference.ops._drawing import Drawn, Generator, halves
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
from inference.steps.product_k import HALF

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
    return product_shape((3,), a, q, blocks, others, bits, adds)


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
    activations = values.reshape(len(a), -1, 2, HALF)
    weights = q.reshape(len(q), -1, 2, HALF).transpose(1, 2, 3, 0)
    acc = np.zeros((len(a), len(q)), np.int64)
    for block, (*steps, M) in enumerate(blocks.astype(np.int64).transpose(1, 2, 0)):
        for t in row_chunks(len(a), len(q)):
            here = activations[t, block]
            for half, D in enumerate(steps):
                P = here[:, half].astype(np.float64) @ weights[block, half].astype(np.float64)
                acc[t] += multiply_shift(P.astype(np.int64), D, 15)
            acc[t] += multiply_shift(i32(here.sum((1, 2)))[:, None], M, 11)
    return finish(acc, rows, exponent, residual, residual_shift)


def derivation(row: int, start: int, stop: int, a: Operand, *others: Any, **attributes: Any) -> list[Step]:
    return product_derivation("product_k", row, start, stop, a, *others, **attributes)


def float32(
    a: npt.NDArray[np.float32],
    q: npt.NDArray[np.int8],
    blocks: npt.NDArray[np.float32],
    residual: npt.NDArray[np.float32] | None = None,
    **_: object,
) -> npt.NDArray[np.float32]:
    weights = q.reshape(*blocks.shape[:2], 2, HALF) * blocks[..., :2, None] + blocks[..., 2:, None]
    y = a @ weights.reshape(q.shape).T
    return y if residual is None else residual + y


def enclosure(a: Array, q: Array, blocks: Array, residual: Array | None = None, **_: object) -> Enclosed:
    """y = sum_k (d q_k + m) a_k (+ r): gamma(K + 3) (sum (|d q_k| + |m|) |a_k| + |r|).

    As of 4 bits, the weights dequantised first. By blocks, d0·(sum q a) + d1·(sum q a) + m·(sum a), a term passes at
    most 31 + 1 and, the 3 K / 32 terms of all blocks in any order, 3 K / 32 - 1 + 1: no more.
    """
    wide = blocks.astype(np.float64)
    d, m = wide[..., :2, None], wide[..., 2:, None]
    steps = q.reshape(*wide.shape[:2], 2, HALF) * d
    weights, sizes = (steps + m).reshape(q.shape), (np.abs(steps) + np.abs(m)).reshape(q.shape)
    return product_enclosure(q.shape[1] + 3, a, weights, sizes, residual, flushed(4 * q.shape[1], a, q, d, m))


def variants(output: Shape, *, arithmetic: str, target: Target, **_: object) -> list[str]:
    """The kernels that a target admits, the likeliest first."""
    if arithmetic == "float32":
        return kernels.float32_variants(output[0], target)
    return kernels.variants(output[0], target, eight=True)


def tuned(generator: Generator, arithmetic: str, tokens: int, size: int) -> Drawn:
    """As of 8 bits."""
    return draw_product(generator, arithmetic, tokens, halved(tuned_weights(size, eight=True)), "")


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    fused = generator.choice(["", "adds"])
    return draw_product(generator, arithmetic, a, halves(generator, 5 * b + c, c), fused)
