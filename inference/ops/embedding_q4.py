"""Embedding of 4 bits, in blocks w = d·q + m as of ``matmul_q4``; else as ``embedding``, whose formula's M it has.

q: (V, K) in 0..15; blocks: (V, K / 32, 2). |q·D| and |16·M| are below 2^20, so their sum << 8 stays within 2^29.
"""

from inference.files.blocks import pack_blocks, pack_q4, pack_rows
from inference.ops import Shape
from inference.ops._drawing import Drawn, Generator, weights
from inference.ops.embedding import (
    derivation,
    dimensions,
    enclosure,
    exact,
    float32,
    looked_up,
    tokens_drawn,
    work,
    workgroups,
)

__all__ = ["derivation", "dimensions", "enclosure", "exact", "float32", "work", "workgroups"]

PACK = {"q": pack_q4, "blocks": pack_blocks, "rows": pack_rows}
BITS = {"q": 4}


def shape(tokens: Shape, q: Shape, blocks: Shape, rows: Shape | None = None, *, first: int = -1) -> Shape:
    return looked_up(((2,),), tokens, q, blocks, rows)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    return tokens_drawn(generator, arithmetic, weights(generator, 8 * a + c, b, eight=False), c)
