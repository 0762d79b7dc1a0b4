"""The derivation of a product with packed weights, of any format, and of what is fused into it."""

from typing import Any

from inference.derivation import Constant, Derivation, Operand
from inference.files.blocks import TILE
from inference.ops import rope
from inference.steps import LEAF, WORK, Step


def product_derivation(
    kind: str,
    row: int,
    start: int,
    stop: int,
    a: Operand,
    q: Constant,
    blocks: Constant,
    rows: Constant,
    *last: Any,
    bits: int = 0,
    unscaled: int = 0,
    adds: bool = False,
    residual_shift: int = 0,
    gated: bool = False,
    fraction: int = 0,
    heads: int = 0,
    short: int = 0,
    **_: object,
) -> list[Step]:
    """Rows of W a few at a time, over each leaf of a; ``last``: a residual, a curve, or table and places."""
    made, leaves = Derivation(), a.leaves(row)
    largest = [made.reduced("maximum", leaves, 1, rows=1, absolute=1)] if bits else []
    each = min(1 << (WORK // min(a.words, LEAF)).bit_length() - 1, LEAF)

    def sums(part: range) -> int:
        """Of rows of W."""
        numbers = {"rows": [part.start, part.stop], "q": q.name, "blocks": blocks.name, "bits": bits}
        spans = [[at, min(at + LEAF, a.words)] for at in range(0, a.words, LEAF)]
        found = [
            made.step(kind, [*largest, leaf], len(part), len(part) * (span[1] - span[0]), columns=span, **numbers)
            for span, leaf in zip(spans, leaves, strict=True)
        ]
        return made.summed(found, len(part))

    def scaled(part: range) -> int:
        """The outputs of up to ``LEAF`` rows of W."""
        sources: list[Any] = [*largest, made.concatenated([sums(part[at:][:each]) for at in range(0, len(part), each)])]
        residual = last[0].pieces(row, part.start, part.stop, sources) if adds else []
        x, scales = [[len(largest), 0, len(part)]], {"rows": rows.name, "range": [part.start, part.stop]}
        numbers = {"bits": bits, "residual": residual, "residual_shift": residual_shift}
        numbers |= {"unscaled": 1} if unscaled else {}
        return made.step("requantise", sources, len(part), 2 * len(part), x=x, **scales, **numbers)

    pair, words = 1 + gated, stop - start  # rows of W for a column
    parts = [range(at, min(at + LEAF, pair * stop)) for at in range(pair * start, pair * stop, LEAF)]
    y = [scaled(part) for part in parts]
    if gated:
        numbers = {"group": TILE, "curve": last[0].name, "fraction": fraction}
        made.step("gate", y, words, 2 * words, x=made.whole(y), **numbers)
    if heads:
        table, places = last
        rope.derive_rotation(made, y, made.whole(y), start, stop, heads, table, places[row], short)
    return made.steps
