"""How a leaf of attention is derived: over blocks of positions as the formula narrows their weights."""

from typing import Any

import numpy as np
import numpy.typing as npt

from inference.arithmetic.formats import POSITIONS
from inference.derivation import Constant, Derivation, Operand, Pieces, groups
from inference.steps import LEAF, SOURCES, Source, Step


def derivation(
    row: int,
    start: int,
    stop: int,
    q: Operand,
    cache: Operand,
    places: npt.NDArray[np.int32],
    exponential: Constant,
    *,
    heads: int,
    kv_heads: int,
    mantissa: int,
    shift: int,
    value_shift: int,
    low: int = 0,
    window: int = 0,
    **_: object,
) -> list[Step]:
    """For the heads that lie in the leaf; a row of the cache is a position of the one sequence."""
    made, group, width = Derivation(), heads // kv_heads, q.words // heads
    first, last, words = start // width, -(-stop // width), stop - start
    of, lanes = {"heads": [first, last], "group": group}, last - first
    part = [start - first * width, stop - first * width]
    key_heads = (first // group, (last - 1) // group + 1)
    seen = int(places[row, 1]) + 1
    begin = max(seen - window, 0) if window else 0
    blocks = [range(at, min(at + POSITIONS, seen)) for at in range(begin, seen, POSITIONS)]

    def vectors(position: int, offset: int, sources: list[Source]) -> Pieces:
        """Keys or values of a position."""
        start, stop = ((offset + head) * width for head in key_heads)
        return cache.pieces(position, start, stop, sources)

    def fitting(taken: int, offset: int) -> int:
        """Positions that a step can read besides."""
        vectors(0, offset, one := list[Source]())
        return min((SOURCES - taken) // len(one), LEAF // lanes)

    query = q.pieces(row, first * width, last * width, queries := list[Source]())
    few, few_values = fitting(len(queries), 0), fitting(1, kv_heads)

    def scores_of(block: range) -> list[int]:
        scores = []
        for at in block[::few]:
            sources, positions = list(queries), range(at, min(at + few, block.stop))
            keys, count = [vectors(j, 0, sources) for j in positions], lanes * len(positions)
            scores.append(made.step("scores", sources, count, count * width, query=query, keys=keys, **of))
        return scores

    scores = [scores_of(block) for block in blocks]
    largest = made.reduced("maximum", [each for one in scores for each in one], lanes, rows=lanes, absolute=0)

    together = min(LEAF // (lanes * few), SOURCES - 1)
    scale = {"mantissa": mantissa, "shift": shift, "drop": 0, "table": exponential.name}

    def weights_of(scores: list[int]) -> tuple[list[int], int, int]:
        """Narrowed weights of a block, and the sums of weights before and after."""
        p = []
        for some in groups(scores, together):
            count = sum(map(made.words, some))
            p.append(made.step("exponential", [largest, *some], count, count, rows=lanes, **scale))
        total = made.reduced("sum", p, lanes, rows=lanes, unsigned=1)
        p = [made.step("narrow", [total, each], made.words(each), made.words(each), rows=lanes) for each in p]
        return p, total, made.reduced("sum", p, lanes, rows=lanes, unsigned=1)

    weights = [weights_of(each) for each in scores]

    def mixture(block: range, p: list[int], half: dict[str, int]) -> int:
        """The weighted sum of a block's values, or of a part of each."""
        mixes = []
        for index, weighted in enumerate(p):
            before, count = block.start + index * together * few, made.words(weighted) // lanes
            for at in range(0, count, few_values):
                columns, sources = range(at, min(at + few_values, count)), list[Source]([weighted])
                values = [vectors(before + j, kv_heads, sources) for j in columns]
                numbers = {"columns": [columns.start, columns.stop], "values": values, "part": part, **half}
                mixes.append(made.step("mix", sources, words, lanes * len(columns) * width, **numbers, **of))
        return made.summed(mixes, words)

    def merged(each: list[int], of: dict[str, Any]) -> int:
        """Words of all blocks at one scale; of the only one as they are."""
        if len(each) == 1:
            return each[0]
        count, few = made.words(each[0]), SOURCES - len(sums)
        parts = [
            made.step(
                "merge",
                [*sums, *some],
                count,
                count * len(some),
                rows=lanes,
                blocks=[at * few, at * few + len(some)],
                **of,
            )
            for at, some in enumerate(groups(each, few))
        ]
        return made.summed(parts, count)

    narrow = [each for _, _, each in weights]
    sums = [made.concatenated(each) for each in ([total for _, total, _ in weights], narrow)]
    total = merged(narrow, {"width": 1, "part": [0, lanes]})
    halved = [{"low": low, "half": half} for half in (0, 1)] if low else [{}]
    mixtures = [
        merged(
            [mixture(block, p, half) for block, (p, _, _) in zip(blocks, weights, strict=True)],
            {"width": width, "part": part},
        )
        for half in halved
    ]
    numbers = {"width": width, "part": part, "value_shift": value_shift} | ({"low": low} if low else {})
    made.step("attend", [total, *mixtures], words, words, **numbers)
    return made.steps
