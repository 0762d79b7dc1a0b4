"""Embedding: x[t] = E[token[t]]; of a part of a table, from row ``first`` on, 0 where the token's row is not in it.

Exact: E = q·D·sigma with q int8, D a 15-bit integer a block and sigma a row; or, as in ``matmul_k``, (q·D + 16·M)·sigma
with D of each half of a block and M of it;

    x = rs(mul16((q·D + 16·M) << 8, mantissa), shift)

with the residual's fraction bits in the row's (mantissa, shift). |q·D| <= 2^22 and |16·M| < 2^19, so their sum << 8
stays within 2^30 + 2^27.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from inference.arithmetic.formats import linear, rows
from inference.arithmetic.tolerance import Array, Enclosed, flushed, gamma
from inference.derivation import Constant, Derivation, Operand
from inference.files.blocks import BLOCK, Weights, pack_blocks, pack_q8, pack_rows
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator, halves, weights
from inference.steps import Step
from inference.steps.embedding import dequantised, spread

PACK = {"q": pack_q8, "blocks": pack_blocks, "rows": pack_rows}
BITS = {"q": 8}


def shape(tokens: Shape, q: Shape, blocks: Shape, rows: Shape | None = None, *, first: int = -1) -> Shape:
    return looked_up(((), (3,)), tokens, q, blocks, rows)


def looked_up(per_block: tuple[Shape, ...], tokens: Shape, q: Shape, blocks: Shape, rows: Shape | None) -> Shape:
    """The shape rule of every embedding; ``per_block``: shapes of what a block may have."""
    require(len(tokens) == 1, f"tokens are one row of ids, not {tokens}")
    fit = len(q) == 2 and blocks in [(q[0], q[1] // BLOCK, *each) for each in per_block]
    require(fit, f"blocks {blocks} do not fit weights {q}")
    require(rows is None or rows == (q[0], 2), f"scales {rows} do not fit weights {q}")
    return (tokens[0], q[1])


def exact(
    tokens: npt.NDArray[np.int32],
    q: npt.NDArray[np.int8],
    blocks: npt.NDArray[np.int16],
    rows: npt.NDArray[np.int32],
    *,
    first: int = -1,
) -> npt.NDArray[np.int32]:
    at, here = within(tokens, first, len(q))
    D, M = spread(blocks[at].astype(np.int64))
    mantissa, shift = rows[at].astype(np.int64).T[..., None]
    return (dequantised(q[at].astype(np.int64), D, M, mantissa, shift) * here).astype(np.int32)


def within(tokens: npt.NDArray[np.int32], first: int, rows: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Rows of a part, and (T, 1), 1 where the token's row is one of them; of a whole table (``first`` < 0) all are."""
    if first < 0:
        return tokens, np.ones((len(tokens), 1), np.int8)
    here = (tokens >= first) & (tokens < first + rows)
    return np.where(here, tokens - first, 0), here[:, None].astype(np.int8)


def derivation(
    row: int,
    start: int,
    stop: int,
    tokens: Operand | npt.NDArray[np.int32],
    q: Constant,
    blocks: Constant,
    rows: Constant,
    *,
    first: int = -1,
) -> list[Step]:
    made = Derivation()
    numbers: dict[str, Any] = {"columns": [start, stop], "q": q.name, "blocks": blocks.name, "rows": rows.name}
    if first >= 0:
        numbers["part"] = first
    if isinstance(tokens, Operand):
        made.step("embedding", tokens.leaves(row), stop - start, stop - start, **numbers)
    else:
        made.step("embedding", [], stop - start, stop - start, token=int(tokens[row]), **numbers)
    return made.steps


def float32(
    tokens: npt.NDArray[np.int32], q: npt.NDArray[np.int8], blocks: npt.NDArray[np.float32], *, first: int = -1
) -> npt.NDArray[np.float32]:
    at, here = within(tokens, first, len(q))
    d, m = spread(blocks[at])
    return (q[at].astype(np.float32) * d + m) * here


def enclosure(tokens: Array, q: Array, blocks: Array, *, first: int = -1) -> Enclosed:
    """x = q·d, one product: gamma(1) |x|; x = q·d + m, one addition more: gamma(2) (|q·d| + |m|)."""
    at, here = within(tokens, first, len(q))
    rows, d, m = q[at].astype(np.float64) * here, *(each.astype(np.float64) for each in spread(blocks[at]))
    x, m = rows * d, m * here
    operations = blocks.ndim - 1
    return x + m, gamma(operations) * (np.abs(x) + np.abs(m)) + flushed(operations, rows, d, m)


def work(tokens: Shape, q: Shape, *_: Shape, **__: object) -> int:
    return tokens[0] * q[1]


def dimensions(tokens: Shape, q: Shape, blocks: Shape, *_: Shape, **__: object) -> dict[str, int]:
    return {"count": tokens[0] * q[1], "columns": q[1], "table_rows": q[0], "halves": len(blocks) - 2}


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    return (-(-output[0] * output[1] // lanes), 1, 1)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    vocabulary = 8 * a + c
    table = halves(generator, vocabulary, b) if a % 2 else weights(generator, vocabulary, b, eight=True)
    return tokens_drawn(generator, arithmetic, table, c)


def tokens_drawn(generator: Generator, arithmetic: str, table: Weights, count: int) -> Drawn:
    """So many tokens of a table, or, where they are even in number, of more than the part that it is."""
    first = -1 if count % 2 else 3
    tokens = {"tokens": generator.integers(0, len(table.q) + max(first, 0), count).astype(np.int32)}
    if arithmetic == "float32":
        return tokens, {"q": table.q, "blocks": table.blocks()}, {"first": first}
    integer = linear("embedding", table)
    scales = rows("embedding", integer.sigma * 2.0**-16)
    return tokens, {"q": integer.q, "blocks": integer.blocks, "rows": scales}, {"first": first}
