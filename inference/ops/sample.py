"""A token drawn in proportion to its weight: the smallest id whose inclusive prefix sum exceeds a threshold.

logits: (T, V); maxima: (T, P, 2); sums: (T, P) of ``sample_partial``; draws: (T,) words of a counter-based generator
(``threefry``), the task's and not the provider's; y: (T,) ids. Exact: threshold = floor(draw · sum of sums / 2^32), in
16-bit pieces, below the sum; the span is found first and then the token in it.
"""

import numpy as np
import numpy.typing as npt

from inference.blocks import pack_plain
from inference.fixed_point import u32
from inference.ops import Shape, require, sample_partial
from inference.ops.argmax_partial import SPAN

PACK = {"exponential": pack_plain}
OUTPUT = np.int32


def shape(logits: Shape, maxima: Shape, sums: Shape, draws: Shape, *tables: Shape, **_: object) -> Shape:
    expected = sample_partial.shape(logits, maxima, *tables)
    require(sums == expected, f"sums {sums} do not fit logits {logits}")
    require(draws == logits[:1], f"draws {draws} do not fit logits {logits}")
    return draws


def exact(
    logits: npt.NDArray[np.int32],
    maxima: npt.NDArray[np.int32],
    sums: npt.NDArray[np.int32],
    draws: npt.NDArray[np.int32],
    exponential: npt.NDArray[np.int32],
    *,
    mantissa: int,
    shift: int,
) -> npt.NDArray[np.int32]:
    p = sample_partial.integer_weights(logits, maxima, exponential, mantissa, shift)
    ends = u32(p.cumsum(1))
    threshold = ends[:, -1] * draws.view(np.uint32).astype(np.uint64).astype(object) // 2**32
    assert (np.add.reduceat(p, range(0, p.shape[1], SPAN), axis=1) == sums.view(np.uint32)).all()
    return (ends <= threshold[:, None].astype(np.int64)).sum(1).astype(np.int32)


def float32(
    logits: npt.NDArray[np.float32],
    maxima: npt.NDArray[np.int32],
    sums: npt.NDArray[np.float32],
    draws: npt.NDArray[np.int32],
    *,
    scale: float,
) -> npt.NDArray[np.int32]:
    chosen = np.empty(len(logits), np.int32)
    p = sample_partial.weights(logits, maxima, scale)
    for t, draw in enumerate(draws.view(np.uint32)):
        threshold = np.float32(draw / 2**32) * sums[t].sum(dtype=np.float32)
        ends = sums[t].cumsum(dtype=np.float32)
        span = min(int((ends <= threshold).sum()), len(ends) - 1)
        inside = p[t, span * SPAN : span * SPAN + SPAN].cumsum(dtype=np.float32) + (ends[span] - sums[t, span])
        chosen[t] = span * SPAN + min(int((inside <= threshold).sum()), len(inside) - 1)
    return chosen


def work(logits: Shape, *_: Shape, **__: object) -> int:
    return logits[0] * (SPAN + -(-logits[1] // SPAN))


def dimensions(logits: Shape, *_: Shape, **__: object) -> dict[str, int]:
    return {"tokens": logits[0], "columns": logits[1], "spans": -(-logits[1] // SPAN)}


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    return (-(-output[0] // lanes), 1, 1)
