"""How far a float32 evaluation of an op may lie from the real result, elementwise and derived, not calibrated.

What WGSL promises of float32 ('Floating Point Evaluation'): + - * give either neighbour of the real result, so a
relative error of at most u = 2^-23; x / y is within 2.5 ulp, inverseSqrt within 2, sqrt is 1 / inverseSqrt, exp(x)
within 3 + 2|x|; sums may be reassociated and products fused into them; any operand or result below 2^-126 may be
flushed to 0. An ulp is at most u times the value. numpy keeps these promises too.

A value that passes factors (1 + d_i)^(+-1), |d_i| <= c_i u, is off by a factor 1 + t with

    |t| <= gamma(n) = n u / (1 - n u),  n = sum c_i        for (1 - a)(1 - b) >= 1 - (a + b)

A term of a sum of n terms passes at most n - 1 additions, in any order, and a fused product passes one fewer.

``enclosure`` gives centre and radius of an op on given inputs: every evaluation that keeps the promises lies within the
radius of the centre, two of them within twice the radius of one another. The centre is computed in float64, whose own
error is 2^-30 of the radius; ``MARGIN`` covers it. Overflow is excluded: a result that is not finite is outside.
Choices (argmax, sampling) have no radius: see each. ``used`` holds an output against either.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.files.blocks import BLOCK
from inference.ops import attention as attention_op
from inference.ops import rope as rope_op
from inference.ops.argmax_partial import SPAN

U = 2.0**-23
FLUSH = 2.0**-126
MARGIN = 1 + 2.0**-20
EXP_CLAMP = 80.0
"""The gate's kernel takes e^-g at most at g = -80."""

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Enclosure:
    """Where the evaluations of an op lie, of the output's shape."""

    centre: Floats
    radius: Floats

    def used(self, y: Array) -> Floats:
        """|y - centre| / radius."""
        return np.abs(y - self.centre) / self.radius


def enclosure(op: str, *operands: Array, **attributes: Any) -> Enclosure:
    """Of an op in VALUES; the operands are those of its ``float32``."""
    centre, radius = VALUES[op](*operands, **attributes)
    return Enclosure(centre, radius * MARGIN)


def used(op: str, y: Array, *operands: Array, **attributes: Any) -> Floats:
    """The share of the tolerance that an output uses, elementwise: accepted where <= 1; never so where NaN."""
    if op in CHOICES:
        return CHOICES[op](y, *operands, **attributes)
    return enclosure(op, *operands, **attributes).used(y)


def within(op: str, y: Array, *operands: Array, **attributes: Any) -> bool:
    """Whether an output lies within the tolerance everywhere."""
    return bool((used(op, y, *operands, **attributes) <= 1).all())


def gamma(n: Any) -> Any:
    """n u / (1 - n u)."""
    return n * U / (1 - n * U)


def flushed(operations: int, *operands: Array) -> float:
    """What flushing costs: 2^-126 an operation, which two more factors may follow and (1 + gamma) <= 2 from each."""
    largest = max((float(np.abs(operand).max(initial=0)) for operand in operands), default=0.0)
    return 4 * FLUSH * operations * (1 + largest) ** 2


def embedding(tokens: Array, q: Array, blocks: Array) -> tuple[Floats, Floats]:
    """x = q·d, one product: gamma(1) |x|."""
    rows, d = q[tokens].astype(np.float64), blocks[tokens].astype(np.float64)
    x = rows * np.repeat(d, BLOCK, axis=1)
    return x, gamma(1) * np.abs(x) + flushed(1, rows, d)


def matmul_q8(a: Array, q: Array, blocks: Array, residual: Array | None = None, **_: object) -> tuple[Floats, Floats]:
    """y = sum_k d q_k a_k (+ r): gamma(K + 2) (sum |d q_k a_k| + |r|).

    A term passes 2 products, K - 1 additions and that of r, the weights dequantised first; by blocks, d·(sum q a), it
    passes 1 + 31 + 1 + (K / 32 - 1) + 1, which is no more.
    """
    d = blocks.astype(np.float64)
    weights = (q.reshape(*d.shape, BLOCK) * d[..., None]).reshape(q.shape)
    return _product(q.shape[1] + 2, a, weights, np.abs(weights), residual, flushed(3 * q.shape[1], a, q, d))


def matmul_q4(a: Array, q: Array, blocks: Array, residual: Array | None = None, **_: object) -> tuple[Floats, Floats]:
    """y = sum_k (d q_k + m) a_k (+ r): gamma(K + 3) (sum (|d| q_k + |m|) |a_k| + |r|).

    A term d q_k a_k passes 2 products and K + 1 additions, the weights dequantised first. By blocks, d·(sum q a) +
    m·(sum a), it passes 1 + 31 + 1 and, the 2 K / 32 terms of all blocks in any order, 2 K / 32 - 1 + 1: no more.
    """
    d, m = blocks.astype(np.float64).transpose(2, 0, 1)[..., None]
    steps = q.reshape(*d.shape[:2], BLOCK) * d
    weights, sizes = (steps + m).reshape(q.shape), (np.abs(steps) + np.abs(m)).reshape(q.shape)
    return _product(q.shape[1] + 3, a, weights, sizes, residual, flushed(4 * q.shape[1], a, q, d, m))


def _product(
    n: int, a: Array, weights: Floats, sizes: Floats, residual: Array | None, flush: float
) -> tuple[Floats, Floats]:
    wide = a.astype(np.float64)
    y, size = wide @ weights.T, np.abs(wide) @ sizes.T
    if residual is not None:
        y, size = y + residual, size + np.abs(residual)
    return y, gamma(n) * size + flush


def rms_norm(x: Array, gain: Array, *, first: int = 0, epsilon: float) -> tuple[Floats, Floats]:
    """y = x·gain·v^(-1/2), v = mean(x^2) + epsilon: ((1 + gamma(9)) / sqrt(1 - gamma(K + 4)) - 1) |y|.

    All terms of v are positive, so its relative error is at most gamma(1 + (K - 1) + 2.5 + 1): a square, the additions,
    / K, + epsilon. The root halves it; 1 / sqrt is within 2 + 2.5 + 2.5 ulp, inverseSqrt within 2; then two products.
    """
    wide, width = x[first:].astype(np.float64), x.shape[1]
    y = wide / np.sqrt((wide * wide).mean(1, keepdims=True) + np.float64(np.float32(epsilon))) * gain
    error = (1 + gamma(9)) / np.sqrt(1 - gamma(width + 4)) - 1
    return y, (error + 2 * width * FLUSH / epsilon) * np.abs(y) + flushed(3, gain, y)


def rope(x: Array, table: Array, places: Array, **attributes: Any) -> tuple[Floats, Floats]:
    """y = a·cos -+ b·sin: gamma(2) (|a cos| + |b sin|), two products and an addition; columns copied are exact."""
    layout = attributes["offset"], attributes["heads"], attributes.get("copied", 0)
    even, odd, cos, sin, tail = rope_op.pairs(x.astype(np.float64), table.astype(np.float64), places, *layout)
    rotated = np.stack((even * cos - odd * sin, even * sin + odd * cos), axis=3)
    even, odd, cos, sin = (np.abs(part) for part in (even, odd, cos, sin))
    sizes = np.stack((even * cos + odd * sin, even * sin + odd * cos), axis=3)
    flat = (len(x), -1)
    radius = gamma(2) * np.hstack((sizes.reshape(flat), np.zeros_like(tail))) + flushed(2, x, table)
    return np.hstack((rotated.reshape(flat), tail)), radius


def attention(
    q: Array, cache: Array, places: Array, *, heads: int, kv_heads: int, capacity: int, **_: object
) -> tuple[Floats, Floats]:
    """y = sum_j pi_j v_j, pi = softmax(s), s_j = q·k_j / sqrt(w), over the n positions a token sees.

    Scores: w products and w - 1 additions, 1 / sqrt(w) within 2 + 2.5 ulp and a division, so s_j is off by at most

        e_j = gamma(w + 7) sum_i |q_i k_ji| / sqrt(w)

    Weights: whatever maximum m is subtracted cancels. With D_j >= |s_j - m| as computed, the difference is rounded once
    and exp adds 3 + 2 D_j (1 + u) ulp: p_j is off by a factor 1 + rho_j,

        |rho_j| <= r_j = e^(e_j + u D_j) (1 + (3 + 2 D_j (1 + u)) u) - 1

    Since sum pi_j (v_j - y) = 0, errors that all weights share cancel:

        |sum pi_j (1 + rho_j) v_j / sum pi_j (1 + rho_j) - y| <= sum pi_j r_j |v_j - y| / (1 - sum pi_j r_j)

    Both sums and the quotient: gamma(n + n - 1 + 2.5) times sum pi'_j |v_j|, pi' the weights as they are by then.
    """
    centre, radius = np.empty(q.shape), np.empty(q.shape)
    visible = attention_op.visible(q.astype(np.float64), cache.astype(np.float64), places, heads, kv_heads, capacity)
    for t, (queries, seen_keys, seen_values) in enumerate(visible):
        n, width = len(seen_keys), queries.shape[2]
        keys, values = (
            seen_keys.transpose(1, 2, 0),
            seen_values.transpose(1, 0, 2),
        )  # (kv_heads, w, n), (kv_heads, n, w)
        s = queries @ keys / np.sqrt(width)
        e = gamma(width + 7) * (np.abs(queries) @ np.abs(keys)) / np.sqrt(width) + flushed(3 * width, queries, keys)
        D = s.max(2, keepdims=True) - s + e + e.max(2, keepdims=True)
        r = np.exp(e + U * D) * (1 + (3 + 2 * D * (1 + U)) * U) - 1
        p = np.exp(s - s.max(2, keepdims=True))
        pi = p / p.sum(2, keepdims=True)
        y = pi @ values  # (kv_heads, group, w)
        shift = np.einsum("kgj,kgjw->kgw", pi * r, np.abs(values[:, None] - y[:, :, None]))
        spread = 1 - (pi * r).sum(2, keepdims=True)
        sums = gamma(2 * n + 2) * ((pi * (1 + r)) @ np.abs(values)) / spread
        centre[t], radius[t] = y.ravel(), (shift / spread + sums).ravel() + flushed(4 * n, values)
    return centre, radius


def silu_gate(x: Array) -> tuple[Floats, Floats]:
    """z = g / (1 + e^-g)·v: gamma(4.5 + (3 + 2|g|) sigma(-g)) |z|.

    e^-g is within 3 + 2|g| ulp and makes up sigma(-g) of 1 + e^-g; an addition, a quotient (2.5) and a product follow.
    Where g < -80 an exponential that is cut off, or overflows to a z of 0, changes z by at most |g v| e^-80.
    """
    g, v = np.split(x.astype(np.float64), 2, axis=1)
    e = np.exp(np.minimum(-g, 700))
    z = g / (1 + e) * v
    cut = np.where(g < -EXP_CLAMP, np.abs(g * v) * np.exp(-EXP_CLAMP), 0)
    return z, gamma(4.5 + (3 + 2 * np.abs(g)) * e / (1 + e)) * np.abs(z) + cut + flushed(4, x)


def sample_partial(logits: Array, maxima: Array, *, scale: float) -> tuple[Floats, Floats]:
    """y = sum over a span of n of p = e^t, t = (logit - max)·scale: sum of p times p's error and gamma(n - 1)."""
    p, error = _weights(logits, maxima, scale)
    starts = range(0, p.shape[1], SPAN)
    total, off = (np.add.reduceat(part, starts, axis=1) for part in (p, p * error))
    lengths = np.diff([*starts, p.shape[1]])
    return total, off + gamma(lengths - 1) * (total + off) + flushed(2 * SPAN)


def _weights(logits: Array, maxima: Array, scale: float) -> tuple[Floats, Floats]:
    """(T, V): p = e^t and its relative error: t by a difference and a product, exp within 3 + 2|t| ulp."""
    top = _values(maxima).max(1, keepdims=True).astype(np.float64)
    t = (logits - top) * np.float64(np.float32(scale))
    off = np.abs(t) * gamma(2)
    return np.exp(t), np.exp(off) * (1 + (3 + 2 * (np.abs(t) + off)) * U) - 1


def argmax_partial(y: Array, logits: Array) -> Floats:
    """(T, P): comparing rounds nothing, so another id of the span may be chosen only if its logit is as large.

    As large up to 2^-126, for flushing; in units of that.
    """
    ids, spans = y[..., 1].astype(np.int64), np.arange(y.shape[1])
    known = (ids // SPAN == spans) & (ids < logits.shape[1])
    chosen = np.take_along_axis(logits, np.where(known, ids, 0), axis=1).astype(np.float64)
    largest = np.maximum.reduceat(logits, SPAN * spans, axis=1)
    off = np.maximum(np.abs(_values(y) - chosen), largest - chosen)
    return np.where(known, off / FLUSH, np.inf)


def argmax(y: Array, maxima: Array) -> Floats:
    """(T,): the same over the partial maxima."""
    values = _values(maxima).astype(np.float64)
    chosen = np.where(maxima[..., 1] == y[:, None], values, -np.inf).max(1)
    return (values.max(1) - chosen) / FLUSH


def sample(y: Array, logits: Array, maxima: Array, sums: Array, draws: Array, *, scale: float) -> Floats:
    """(T,): how far the threshold lies outside the chosen token's piece of the prefix sums, in units of the error.

    The threshold, draw / 2^32 of the total of P sums, is off by gamma(P - 1 + 1 + 2.5 + 1) of itself. The ends of a
    token's piece are sums before its span and p within: off by p's error and gamma(P + n + 1) of the span's end, which
    the reference takes its sum from again. The last token of a span also has what its committed sum exceeds p's by.
    """
    result = np.full(len(y), np.inf)
    p, error = _weights(logits, maxima, scale)
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


def _values(maxima: Array) -> npt.NDArray[np.float32]:
    return np.ascontiguousarray(maxima[..., 0]).view(np.float32)


VALUES: dict[str, Callable[..., tuple[Floats, Floats]]] = {
    function.__name__: function
    for function in (embedding, matmul_q4, matmul_q8, rms_norm, rope, attention, silu_gate, sample_partial)
}
CHOICES: dict[str, Callable[..., Floats]] = {
    function.__name__: function for function in (argmax_partial, argmax, sample)
}
