"""A token drawn in proportion to its weight: the smallest id whose inclusive prefix sum exceeds a threshold.

logits: (T, V); maxima: (T, P, 2); sums: (T, P) of ``sample_partial``; draws: (T,) words of a counter-based generator
(``threefry``), the task's and not the provider's; y: (T,) ids. Exact: threshold = floor(draw · sum of sums / 2^32), in
16-bit pieces, below the sum; the span is found first and then the token in it.
"""

import numpy as np
import numpy.typing as npt

from inference.arithmetic.tolerance import MARGIN, Array, Floats, flushed, gamma
from inference.derivation import Constant, Derivation, Operand, groups
from inference.files.blocks import pack_plain
from inference.ops import Shape, require, sample_partial
from inference.ops._drawing import Drawn, Generator
from inference.ops.argmax_partial import SPAN
from inference.steps import SOURCES, Step
from inference.steps._operands import unsigned
from inference.steps.draw import inside

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
    totals, words = (unsigned(each) for each in (sums, draws))
    spans = [inside(p[:, at : at + SPAN], totals, words, at // SPAN) for at in range(0, p.shape[1], SPAN)]
    return np.max(spans, axis=0).astype(np.int32)


def derivation(
    row: int,
    start: int,
    stop: int,
    logits: Operand,
    maxima: Operand,
    sums: Operand,
    draws: npt.NDArray[np.int32],
    exponential: Constant,
    **scale: int,
) -> list[Step]:
    made, [total] = Derivation(), sums.leaves(row)
    numbers = {
        "draw": int(unsigned(draws)[row]),
        "drop": sample_partial.drop(logits.words),
        "table": exponential.name,
        **scale,
    }
    largest = made.reduced("largest", maxima.leaves(row), 2)
    most = SOURCES - 2
    parts = [
        made.step("draw", [total, largest, *spans], 1, SPAN * len(spans), first=most * index, **numbers)
        for index, spans in enumerate(groups(logits.leaves(row), most))
    ]
    made.reduced("maximum", parts, 1, rows=1, absolute=0)
    return made.steps


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


def used(y: Array, logits: Array, maxima: Array, sums: Array, draws: Array, *, scale: float) -> Floats:
    """(T,): how far the threshold lies outside the chosen token's piece of the prefix sums, in units of the error.

    The threshold, draw / 2^32 of the total of P sums, is off by gamma(P - 1 + 1 + 2.5 + 1) of itself. The ends of a
    token's piece are sums before its span and p within: off by p's error and gamma(P + n + 1) of the span's end, which
    the reference takes its sum from again. The last token of a span also has what its committed sum exceeds p's by.
    """
    result = np.full(len(y), np.inf)
    p, error = sample_partial.enclosed_weights(logits, maxima, scale)
    for t, token in enumerate(y.tolist()):
        if not 0 <= token < logits.shape[1]:
            continue
        span, spans = token // SPAN, sums.shape[1]
        ends = sums[t].astype(np.float64).cumsum()
        threshold = float(draws.view(np.uint32)[t]) / 2**32 * ends[-1]
        inside = slice(span * SPAN, min(span * SPAN + SPAN, logits.shape[1]))
        before = ends[span - 1] if span else 0.0
        prefix = before + p[t, inside].cumsum()
        at, last = token - inside.start, inside.stop - inside.start - 1
        low = prefix[at - 1] if at else before
        high = np.inf if at == last and span == spans - 1 else max(prefix[at], ends[span] if at == last else 0)
        off = (p[t, inside] * error[t, inside])[: at + 1].sum() + gamma(spans + last + 2) * max(ends[span], prefix[at])
        off += gamma(spans + 3.5) * threshold + flushed(2 * SPAN + spans)
        result[t] = max(low - threshold, threshold - high, 0) / (off * MARGIN)
    return result


def work(logits: Shape, *_: Shape, **__: object) -> int:
    return logits[0] * (SPAN + -(-logits[1] // SPAN))


def dimensions(logits: Shape, *_: Shape, **__: object) -> dict[str, int]:
    return {"tokens": logits[0], "columns": logits[1], "spans": -(-logits[1] // SPAN)}


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    return (-(-output[0] // lanes), 1, 1)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    inputs, constants, attributes = sample_partial.draw(generator, arithmetic, a, b, c)
    reference = sample_partial.exact if arithmetic == "exact" else sample_partial.float32
    inputs["sums"] = reference(*inputs.values(), *constants.values(), **attributes)
    draws = generator.integers(0, 2**32, a, dtype=np.uint32)
    draws[0] = generator.choice(np.array([0, 2**32 - 1, draws[0]], np.uint32))
    return inputs | {"draws": draws.view(np.int32)}, constants, attributes
