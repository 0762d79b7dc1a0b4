"""y = W a (+ residual), W in blocks of 32 weights of 4 bits: w = d·q + m.

a: (T, K); q: (N, K) in 0..15; blocks: (N, K / 32, 2); rows: (N, 2); residual and y: (T, N).

Exact: a row's D and M are 15 bits and a sign (M at 16 times D's scale), a an integer of at most 16 bits; per block

    P = sum q·a,  A = sum a                                   |P| < 2^24, |A| <= 2^20
    acc += mulsh(P, D, 15) + mulsh(A, M, 11)                  |acc| < 2^31 over the row, in any order
    y = rs(mul16(acc, mantissa), shift - exponent)            plus rs(residual, residual_shift)

``formats.linear`` bounds |acc| from the row's own q, D and M and takes bits from the activations until it holds. With
``bits`` a are wider integers, narrowed to that many bits and an exponent a row (``fixed_point.narrowed``);
``unscaled``, y stays at that exponent: what reads it has to know a (``rms_norm``).

Exact alone: ``gated``, rows come in pairs of 8 gates and their 8 ups, a curve follows them, and the output is
z = silu(gate)·up of each pair (``silu_gate``): (T, N / 2). With ``heads`` a table and places follow them, and the first
rows are heads, rotated by each token's position (``rope``).
"""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.arithmetic import tables
from inference.arithmetic.fixed_point import check, i32, narrowed, requantise, round_shift
from inference.arithmetic.formats import linear
from inference.arithmetic.formats import rows as row_scales
from inference.arithmetic.tolerance import Array, Enclosed, Floats, flushed, gamma
from inference.derivation import Operand
from inference.device.target import Target
from inference.files.blocks import BLOCK, TILE, Weights, pack_blocks, pack_plain, pack_q4, pack_rows
from inference.ops import Shape, require, rope, silu_gate
from inference.ops import _product_kernels as kernels
from inference.ops._drawing import Drawn, Generator, draw_places, floats, integers, weights
from inference.ops._product import product_derivation
from inference.ops._product_kernels import before, entry, lanes, workgroups, workspace
from inference.steps import Step
from inference.steps.product_q4 import terms

__all__ = ["before", "entry", "lanes", "workgroups", "workspace"]

PACK = {"q": pack_q4, "blocks": pack_blocks, "rows": pack_rows, "curve": pack_plain, "table": pack_plain}
BITS = {"q": 4}
COLOUR = "#cfe3f5"
TUNED = ((1536, 18), (4096, 128))  # rows, and blocks of 32 columns
PER_BLOCK: Shape = (2,)
CHUNK = 1 << 22  # products of one pass of the reference: bounds its memory


def shape(
    a: Shape,
    q: Shape,
    blocks: Shape,
    *others: Shape,
    bits: int = 0,
    unscaled: int = 0,
    adds: bool = False,
    gated: bool = False,
    heads: int = 0,
    capacity: int = 0,
    sequences: int = 1,
    short: int = 0,
    **_: object,
) -> Shape:
    alone = not (adds or gated or heads)
    require(unscaled == 0 or (unscaled == 1 and bits > 0 and alone), f"unscaled is {unscaled} of {bits} bits")
    if heads:
        require(q[0] % 2 == 0, f"weights {q} are no pairs of rows")
        *scales, table, places = others
        tokens, outputs = product_shape(PER_BLOCK, a, q, blocks, tuple(scales), bits, adds)
        copied = outputs - heads * 2 * table[1]
        return rope.shape((tokens, outputs), table, places, offset=0, heads=heads, copied=copied, short=short)
    if not gated:
        return product_shape(PER_BLOCK, a, q, blocks, others, bits, adds)
    require(q[0] % (2 * TILE) == 0 and not adds, f"weights {q} are no pairs of {TILE} gates and {TILE} ups")
    tokens, outputs = product_shape(PER_BLOCK, a, q, blocks, others[:-1], bits, adds)
    return silu_gate.shape((tokens, outputs), *others[-1:])


def product_shape(
    per_block: Shape, a: Shape, q: Shape, blocks: Shape, others: tuple[Shape, ...], bits: int, adds: bool
) -> Shape:
    """The shape rule of every product with packed weights."""
    require(len(a) == len(q) == 2 and q[1] % BLOCK == 0, f"weights {q} are not in blocks of {BLOCK}")
    require(a[1] == q[1], f"activations {a} do not fit weights {q}")
    require(0 <= bits <= 15, f"{bits} bits are not 0..15")
    require(blocks == (q[0], q[1] // BLOCK, *per_block), f"blocks {blocks} do not fit weights {q}")
    output = (a[0], q[0])
    expected = (output,) if adds else ()
    scales = others[: len(others) - len(expected)]
    require(scales in ((), ((q[0], 2),)), f"scales {scales} do not fit weights {q}")
    require(others[len(scales) :] == expected, f"a residual of {others[len(scales) :]} does not fit {output}")
    return output


def exact(
    a: npt.NDArray[np.int32],
    q: npt.NDArray[np.uint8],
    blocks: npt.NDArray[np.int16],
    rows: npt.NDArray[np.int32],
    last: npt.NDArray[np.int32] | None = None,
    places: npt.NDArray[np.int32] | None = None,
    *,
    bits: int = 0,
    unscaled: int = 0,
    residual_shift: int = 0,
    gated: bool = False,
    fraction: int = 0,
    heads: int = 0,
    short: int = 0,
    **_: object,
) -> npt.NDArray[np.int32]:
    values, exponent = narrowed(a.astype(np.int64), bits)
    exponent *= 1 - unscaled
    activations = values.reshape(len(a), -1, BLOCK)
    sums = i32(activations.sum(2, dtype=np.int64))  # (T, B)
    # Sums of |q·a| stay below 2^24: float32 products are exact in any order.
    weights = q.reshape(len(q), -1, BLOCK).transpose(1, 2, 0).astype(np.float32)
    D, M = blocks.astype(np.int64).transpose(2, 1, 0)[:, :, None]  # (B, 1, N)
    acc = np.zeros((len(a), len(q)), np.int64)
    for t in row_chunks(len(a), blocks.shape[0] * blocks.shape[1]):
        P = (activations[t].astype(np.float32).transpose(1, 0, 2) @ weights).astype(np.int64)  # (B, T, N)
        check(np.abs(P).max() < 2**24, "a block's sum is not of 24 bits")
        acc[t] = terms(P, sums[t].T[..., None], D, M).sum(0)
    if heads:
        assert last is not None and places is not None
        y = finish(acc, rows, exponent, None, 0).astype(np.int64)
        return rope.turned(y, last, places, heads * 2 * last.shape[1], short)
    if not gated:
        return finish(acc, rows, exponent, last, residual_shift)
    assert last is not None
    pairs = finish(acc, rows, exponent, None, 0).reshape(len(a), -1, 2, TILE)
    halves = [pairs[:, :, half].reshape(len(a), -1) for half in (0, 1)]
    return silu_gate.exact(np.hstack(halves), last, fraction=fraction)


def paired(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Rows of gates and then of ups, as pairs of 8 gates and their 8 ups."""
    halves = rows.reshape(2, -1, TILE, *rows.shape[1:])
    return np.ascontiguousarray(halves.swapaxes(0, 1)).reshape(rows.shape)


def arguments(arithmetic: str, *, adds: bool = False, gated: bool = False, heads: int = 0, **_: object) -> list[str]:
    """Names of the inputs, in order, as the kernel binds them."""
    scales = ["rows"] if arithmetic == "exact" else []
    further = ["table", "places"] if heads else ["curve"] if gated else ["residual"] if adds else []
    return ["a", "q", "blocks", *scales, *further]


def row_chunks(rows: int, products: int) -> list[slice]:
    """Rows a few at a time."""
    step = max(1, CHUNK // products)
    return [slice(start, start + step) for start in range(0, rows, step)]


def finish(
    acc: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int32],
    exponent: npt.NDArray[np.int64],
    residual: npt.NDArray[np.int32] | None,
    residual_shift: int,
) -> npt.NDArray[np.int32]:
    """Requantise, and add the residual brought to the same fraction bits."""
    y = requantise(acc, rows, exponent)
    if residual is not None:
        y = i32(y + round_shift(residual.astype(np.int64), residual_shift))
    return y.astype(np.int32)


def float32(
    a: npt.NDArray[np.float32],
    q: npt.NDArray[np.uint8],
    blocks: npt.NDArray[np.float32],
    residual: npt.NDArray[np.float32] | None = None,
    **_: object,
) -> npt.NDArray[np.float32]:
    weights = q.reshape(*blocks.shape[:2], BLOCK) * blocks[..., :1] + blocks[..., 1:]
    y = a @ weights.reshape(q.shape).T
    return y if residual is None else residual + y


def derivation(row: int, start: int, stop: int, a: Operand, *others: Any, **attributes: Any) -> list[Step]:
    return product_derivation("product_q4", row, start, stop, a, *others, **attributes)


def enclosure(a: Array, q: Array, blocks: Array, residual: Array | None = None, **_: object) -> Enclosed:
    """y = sum_k (d q_k + m) a_k (+ r): gamma(K + 3) (sum (|d| q_k + |m|) |a_k| + |r|).

    A term d q_k a_k passes 2 products and K + 1 additions, the weights dequantised first. By blocks, d·(sum q a) +
    m·(sum a), it passes 1 + 31 + 1 and, the 2 K / 32 terms of all blocks in any order, 2 K / 32 - 1 + 1: no more.
    """
    d, m = blocks.astype(np.float64).transpose(2, 0, 1)[..., None]
    steps = q.reshape(*d.shape[:2], BLOCK) * d
    weights, sizes = (steps + m).reshape(q.shape), (np.abs(steps) + np.abs(m)).reshape(q.shape)
    return product_enclosure(q.shape[1] + 3, a, weights, sizes, residual, flushed(4 * q.shape[1], a, q, d, m))


def product_enclosure(
    n: int, a: Array, weights: Floats, sizes: Floats, residual: Array | None, flush: float
) -> Enclosed:
    wide = a.astype(np.float64)
    y, size = wide @ weights.T, np.abs(wide) @ sizes.T
    if residual is not None:
        y, size = y + residual, size + np.abs(residual)
    return y, gamma(n) * size + flush


def work(a: Shape, q: Shape, *_: Shape, **__: object) -> int:
    return a[0] * q[0] * q[1]


def fused(
    *, bits: int = 0, adds: bool = False, gated: bool = False, heads: int = 0, **_: object
) -> tuple[list[str], list[str]]:
    """What a dispatch computes before the product and after it."""
    after = {"residual": adds, "silu_gate": gated, "rope": heads}
    return ["quantise"] if bits else [], [name for name, present in after.items() if present]


def dimensions(a: Shape, q: Shape, *others: Shape, heads: int = 0, **_: object) -> dict[str, int]:
    head_width = 2 * others[-2][1] if heads else 0
    rotation = {"turned": heads * head_width, "head_width": head_width}
    return {"tokens": a[0], "columns": q[1], "outputs": q[0], **rotation}


def variants(output: Shape, *, arithmetic: str, target: Target, **_: object) -> list[str]:
    """The kernels that a target admits, the likeliest first."""
    if arithmetic == "float32":
        return kernels.float32_variants(output[0], target)
    return kernels.variants(output[0], target, eight=False)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    fused = generator.choice(["", "adds", "gated", "heads"] if arithmetic == "exact" else ["", "adds"])
    outputs = {"gated": 2 * TILE * b, "heads": 8 * b + 2 * c}.get(fused, 5 * b + c)
    matrix = weights(generator, outputs, c, eight=False)
    inputs, constants, attributes = draw_product(generator, arithmetic, a, matrix, fused)
    if fused == "heads":
        inputs |= {"places": draw_places(generator, a, 1, 64)}
        constants |= {"table": tables.rotations(64, 8, 10000.0)}
        attributes |= {"heads": b, "short": int(generator.integers(0, 2))}
    if fused == "gated":
        constants |= {"curve": tables.silu_curve()}
        attributes |= {"gated": True, "fraction": int(generator.integers(8, 13))}
    return inputs, constants, attributes


def tuned(generator: Generator, arithmetic: str, tokens: int, size: int) -> Drawn:
    """A product as large as a small model's or a large one's, to measure kernels on."""
    return draw_product(generator, arithmetic, tokens, tuned_weights(size, eight=False), "")


@lru_cache(maxsize=1)
def tuned_weights(size: int, *, eight: bool) -> Weights:
    """Drawn once for all that is measured on them in turn."""
    return weights(np.random.default_rng(0), *TUNED[size], eight=eight)


def draw_product(generator: Generator, arithmetic: str, tokens: int, matrix: Weights, fused: str) -> Drawn:
    """A product with weights of any format, its residual where one is ``fused``."""
    outputs, columns = matrix.q.shape
    shape, adds = (tokens, outputs), fused == "adds"
    if arithmetic == "float32":
        residual = {"residual": floats(generator, shape)} if adds else {}
        constants = {"q": matrix.q, "blocks": matrix.blocks()}
        return {"a": floats(generator, (tokens, columns))} | residual, constants, {"adds": adds}
    integer = linear("matmul", matrix)
    bits = int(generator.choice([0, (integer.largest + 1).bit_length() - 1]))
    a = integers(generator, (tokens, columns), bits + 7 if bits else 15)
    if not bits:
        a = np.clip(a, -integer.largest, integer.largest)
    inputs = {"a": a} | ({"residual": integers(generator, shape, 29)} if adds else {})
    scales = row_scales("matmul", integer.sigma * 2.0 ** (-21 if bits and fused == "heads" else -14))
    unscaled = int(generator.integers(0, 2)) if bits and not fused else 0
    attributes = {"adds": adds, "bits": bits, "unscaled": unscaled, "residual_shift": 2}
    return inputs, {"q": integer.q, "blocks": integer.blocks, "rows": scales}, attributes
