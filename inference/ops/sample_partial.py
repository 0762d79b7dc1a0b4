"""The weight of each 1,024 tokens at a temperature: the first level of sampling.

    p = e^((logit - max) / temperature);  y[t, b] = sum of p over span b

logits: (T, V); maxima: (T, P, 2) of ``argmax_partial``; y: (T, P). Exact: |logit| < 2^30, so max - logit < 2^31;
u = rs(mul16(max - logit, mantissa), shift) in 8 fraction bits, p = (EXP[u & 255] >> drop) >> min(u >> 8, 31) in
18 - drop fraction bits, drop = max(3, bit length of V - 14): a sum over V tokens stays below 2^32.
"""

import numpy as np
import numpy.typing as npt

from inference.arithmetic import tables
from inference.arithmetic.fixed_point import u32
from inference.arithmetic.tolerance import Array, Enclosed, U, flushed, gamma
from inference.derivation import Constant, Derivation, Operand, groups
from inference.files.blocks import pack_plain
from inference.ops import Shape, argmax_partial, require
from inference.ops._drawing import Drawn, Generator, scale_of
from inference.ops.argmax_partial import SPAN, values_of
from inference.steps import SOURCES, Step
from inference.steps.exponential import weights as exponential_weights

PACK = {"exponential": pack_plain}


def drop(columns: int) -> int:
    """Fraction bits that the table has and a weight has not: so many that a sum over all tokens fits a word."""
    return max(3, columns.bit_length() - 14)


def shape(logits: Shape, maxima: Shape, *tables: Shape, **_: object) -> Shape:
    require(len(logits) == 2, f"logits are rows, not {logits}")
    spans = (logits[0], -(-logits[1] // SPAN))
    require(maxima == (*spans, 2), f"partial maxima {maxima} do not fit logits {logits}")
    require(tables in ((), ((256,),)), f"the exponential has 256 entries, not {tables}")
    return spans


def exact(
    logits: npt.NDArray[np.int32],
    maxima: npt.NDArray[np.int32],
    exponential: npt.NDArray[np.int32],
    *,
    mantissa: int,
    shift: int,
) -> npt.NDArray[np.int32]:
    p = integer_weights(logits, maxima, exponential, mantissa, shift)
    return u32(np.add.reduceat(p, range(0, p.shape[1], SPAN), axis=1)).astype(np.uint32).view(np.int32)


def derivation(
    row: int, start: int, stop: int, logits: Operand, maxima: Operand, exponential: Constant, **scale: int
) -> list[Step]:
    made, numbers = Derivation(), {"drop": drop(logits.words), "table": exponential.name, **scale}
    largest = made.reduced("largest", maxima.leaves(row), 2)
    parts = [
        made.step("span_weights", [largest, *spans], len(spans), SPAN * len(spans), **numbers)
        for spans in groups(logits.leaves(row)[start:stop], SOURCES - 1)
    ]
    made.concatenated(parts)
    return made.steps


def integer_weights(
    logits: npt.NDArray[np.int32],
    maxima: npt.NDArray[np.int32],
    exponential: npt.NDArray[np.int32],
    mantissa: int,
    shift: int,
) -> npt.NDArray[np.int64]:
    """(T, V): p in 18 - drop fraction bits."""
    distance = maxima[..., 0].max(1, keepdims=True).astype(np.int64) - logits
    return exponential_weights(distance, exponential.astype(np.int64), mantissa, shift, drop(logits.shape[1]))


def float32(logits: npt.NDArray[np.float32], maxima: npt.NDArray[np.int32], *, scale: float) -> npt.NDArray[np.float32]:
    return np.add.reduceat(weights(logits, maxima, scale), range(0, logits.shape[1], SPAN), axis=1)


def weights(logits: npt.NDArray[np.float32], maxima: npt.NDArray[np.int32], scale: float) -> npt.NDArray[np.float32]:
    """(T, V): p."""
    top = np.ascontiguousarray(maxima[..., 0]).view(np.float32).max(1, keepdims=True)
    return np.exp((logits - top) * np.float32(scale))


def enclosure(logits: Array, maxima: Array, *, scale: float) -> Enclosed:
    """y = sum over a span of n of p = e^t, t = (logit - max)·scale: sum of p times p's error and gamma(n - 1)."""
    p, error = enclosed_weights(logits, maxima, scale)
    starts = range(0, p.shape[1], SPAN)
    total, off = (np.add.reduceat(part, starts, axis=1) for part in (p, p * error))
    lengths = np.diff([*starts, p.shape[1]])
    return total, off + gamma(lengths - 1) * (total + off) + flushed(2 * SPAN)


def enclosed_weights(logits: Array, maxima: Array, scale: float) -> Enclosed:
    """(T, V): p = e^t and its relative error: t by a difference and a product, exp within 3 + 2|t| ulp."""
    top = values_of(maxima).max(1, keepdims=True).astype(np.float64)
    t = (logits - top) * np.float64(np.float32(scale))
    off = np.abs(t) * gamma(2)
    return np.exp(t), np.exp(off) * (1 + (3 + 2 * (np.abs(t) + off)) * U) - 1


def work(logits: Shape, *_: Shape, **__: object) -> int:
    return logits[0] * logits[1]


def dimensions(logits: Shape, *_: Shape, **__: object) -> dict[str, int]:
    return {"columns": logits[1], "spans": -(-logits[1] // SPAN)}


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    return (output[1], output[0], 1)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    inputs, _, _ = argmax_partial.draw(generator, arithmetic, a, b, c)
    inputs |= {"maxima": argmax_partial.exact(**inputs)}
    if arithmetic == "float32":
        return inputs, {}, {"scale": 0.7}
    return inputs, {"exponential": tables.exponential()}, scale_of(2.0**-6)
