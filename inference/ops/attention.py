"""Causal attention of grouped heads over a cache of keys and values.

q: (T, heads·w); cache: (sequences·capacity, 2·kv_heads·w), a row the keys and then the values of a position; places:
(T, 2) of sequence and position; y: (T, heads·w). Head h reads key head h // (heads / kv_heads); a token sees the
positions up to its own, of a ``window`` the last ones: y = sum_j softmax(q·k_j / sqrt(w))_j v_j.

Exact: q·k in 16 fraction bits, |q·k| and its partial sums below 2^30 by Cauchy–Schwarz; t = max - score < 2^31;

    u = rs(mul16(t, mantissa), shift)      t · log2(e) / sqrt(w) in 8 fraction bits
    p = EXP[u & 255] >> min(u >> 8, 31)    EXP[i] = 2^(18 - i/256)

Of each block b of 8,192 positions, counted from the first that is seen:

    den_b = sum p <= 8,192 · 2^18 = 2^31,  sh_b = max(bit length of den_b - 16, 0)
    p' = rs(p, sh_b),  den'_b = sum p' <= 2^16 + 2^12
    m_b = sum p'·v                         |m_b| <= den'_b · max|v| < 2^31 - 2^6 · max|v|

and of all blocks, of which the one with the largest p = 2^18 has sh_b >= 3 and den'_b >= 2^15:

    S = max sh_b,  D = sum_b rs(den'_b, S - sh_b),  more = 0 where D <= 2^16 + 2^12, else bit length of D - 16
    den' = sum_b rs(den'_b, S - sh_b + more),  m likewise of m_b     of one block den'_b and m_b themselves
    rc = min((2^30 + den' / 2) / den', 32767)
    y = rs(mul16(m, rc), value_shift)

A half of rounding is at most 2^20, and den' at most 2^16 + 2^12 + 2^5. Values of more than 16 bits are summed in two
parts, v >> low and their ``low`` last bits l:

    y = rs(mul16(m of v >> low, rc) + (mul16(m of l, rc) >> low), value_shift)

``short``, keys and values have 16 bits, and two share a word of the cache where it lies.
"""

import numpy as np
import numpy.typing as npt

from inference.arithmetic import tables
from inference.arithmetic.fixed_point import i32, u32
from inference.arithmetic.formats import POSITIONS, longest
from inference.arithmetic.tolerance import Array, Enclosed, U, flushed, gamma
from inference.files.blocks import pack_plain
from inference.ops import Shape, require
from inference.ops._attention_kernels import (
    before,
    dimensions,
    entry,
    pieces,
    variants,
    visible_positions,
    workgroups,
    workspace,
)
from inference.ops._attention_steps import derivation
from inference.ops._drawing import Drawn, Generator, draw_places, floats, integers, scale_of
from inference.steps.attend import mean
from inference.steps.exponential import weights
from inference.steps.merge import merged, shifts
from inference.steps.mix import halves
from inference.steps.narrow import narrowed
from inference.steps.scores import dot

PACK = {"exponential": pack_plain}
COLOUR = "#f8dcc4"
__all__ = ["before", "derivation", "dimensions", "entry", "pieces", "variants", "workgroups", "workspace"]


def shape(
    q: Shape,
    cache: Shape,
    places: Shape,
    *tables: Shape,
    heads: int,
    kv_heads: int,
    capacity: int,
    sequences: int = 1,
    window: int = 0,
    low: int = 0,
    short: int = 0,
    **_: object,
) -> Shape:
    require(0 <= low <= 8, f"{low} low bits are not 0 to 8")
    require(short == 0 or (short == 1 and not low), f"short is {short} of values with {low} low bits")
    require(window >= 0, f"a window of {window} positions is none")
    require(heads % kv_heads == 0, f"{heads} heads do not share {kv_heads} key heads evenly")
    require(len(q) == 2 and q[1] % heads == 0, f"{heads} heads do not fit queries {q}")
    require(cache[1] == 2 * kv_heads * (q[1] // heads), f"keys and values {cache} do not fit queries {q}")
    most = longest(q[1] // heads)
    require(not tables or visible_positions(capacity, window) <= most, f"{capacity} positions are more than {most}")
    require(places == (q[0], 2), f"places {places} do not fit {q}")
    require(tables in ((), ((256,),)), f"the exponential has 256 entries, not {tables}")
    return q


def exact(
    q: npt.NDArray[np.int32],
    cache: npt.NDArray[np.int32],
    places: npt.NDArray[np.int32],
    exponential: npt.NDArray[np.int32],
    *,
    heads: int,
    kv_heads: int,
    capacity: int,
    mantissa: int,
    shift: int,
    value_shift: int,
    low: int = 0,
    window: int = 0,
    **_: object,
) -> npt.NDArray[np.int32]:
    output, table = np.empty(q.shape, np.int32), exponential.astype(np.int64)
    for t, (queries, keys, values) in enumerate(
        visible(q.astype(np.int64), cache, places, heads, kv_heads, capacity, window)
    ):
        scores = dot(queries, keys.transpose(1, 0, 2)[:, None].astype(np.int64))
        p = weights(scores.max(2, keepdims=True) - scores, table, mantissa, shift, 0)
        parts = [p[..., at : at + POSITIONS] for at in range(0, p.shape[2], POSITIONS)]
        sums = np.stack([u32(part.sum(2)) for part in parts])
        parts = [narrowed(part, each) for part, each in zip(parts, sums, strict=True)]
        narrow = np.stack([part.sum(2) for part in parts])
        by = shifts(sums, narrow)
        mixtures = []
        for half in halves(values.transpose(1, 0, 2).astype(np.int64), low):
            each = (part @ half[:, at * POSITIONS : (at + 1) * POSITIONS] for at, part in enumerate(parts))
            mixtures.append(merged(i32(np.stack(list(each))), by[..., None]))
        output[t] = mean(mixtures, merged(narrow, by)[..., None], value_shift, low).ravel()
    return output


def float32(
    q: npt.NDArray[np.float32],
    cache: npt.NDArray[np.float32],
    places: npt.NDArray[np.int32],
    *,
    heads: int,
    kv_heads: int,
    capacity: int,
    window: int = 0,
    **_: object,
) -> npt.NDArray[np.float32]:
    output = np.empty_like(q)
    for t, (queries, keys, values) in enumerate(visible(q, cache, places, heads, kv_heads, capacity, window)):
        scores = queries @ keys.transpose(1, 2, 0) / np.float32(np.sqrt(queries.shape[2]))
        p = np.exp(scores - scores.max(2, keepdims=True))
        output[t] = (p @ values.transpose(1, 0, 2) / p.sum(2, keepdims=True)).ravel()
    return output


def visible(q, cache, places, heads, kv_heads, capacity, window=0):
    """For each token its queries (kv_heads, group, w) and the keys and values (positions, kv_heads, w) it may see."""
    for row, (sequence, position) in zip(q, places.tolist(), strict=True):
        assert 0 <= position < capacity
        first = max(position + 1 - window, 0) if window else 0
        rows = cache[sequence * capacity + first : sequence * capacity + position + 1]
        seen = rows.reshape(len(rows), 2, kv_heads, -1)
        yield row.reshape(kv_heads, heads // kv_heads, -1), seen[:, 0], seen[:, 1]


def enclosure(
    q: Array, cache: Array, places: Array, *, heads: int, kv_heads: int, capacity: int, window: int = 0, **_: object
) -> Enclosed:
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
    seen = visible(q.astype(np.float64), cache.astype(np.float64), places, heads, kv_heads, capacity, window)
    for t, (queries, seen_keys, seen_values) in enumerate(seen):
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


def work(q: Shape, cache: Shape, places: Shape, *_: Shape, capacity: int, window: int = 0, **__: object) -> int:
    """With the cache full."""
    return 2 * q[0] * q[1] * min(capacity, window or capacity)


def work_seen(start: int, q: Shape, *_: Shape, window: int = 0, **__: object) -> int:
    """For tokens at consecutive positions from ``start`` on, each of which sees those up to its own."""
    return 2 * q[1] * sum(min(seen, window or seen) for seen in range(start + 1, start + q[0] + 1))


def tuned(generator: Generator, arithmetic: str, tokens: int, size: int) -> Drawn:
    """Of a small model's heads and context, or of a large one's, to measure kernels on."""
    heads, kv_heads, width, capacity = ((9, 3, 64, 256), (32, 8, 128, 4096))[size]
    shape, cache = (tokens, heads * width), (capacity, 2 * kv_heads * width)
    attributes = {"heads": heads, "kv_heads": kv_heads, "capacity": capacity, "sequences": 1}
    places = np.stack((np.zeros(tokens), np.arange(capacity - tokens, capacity)), 1).astype(np.int32)
    if arithmetic == "float32":
        given = {"q": floats(generator, shape), "cache": floats(generator, cache), "places": places}
        return given, {}, attributes
    given = {"q": integers(generator, shape, 10), "cache": integers(generator, cache, 10), "places": places}
    attributes |= scale_of(2.0**-9) | {
        "value_shift": 11,
        "short": 1,
    }  # which read half of the cache drawn, whatever it is
    return given, {"exponential": tables.exponential()}, attributes


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    width, kv_heads, group, capacity = 4 * b, 1 + a % 2, c, 48 + 150 * (b % 2)
    q, cache = (a, kv_heads * group * width), (2 * capacity, 2 * kv_heads * width)
    attributes = {"heads": kv_heads * group, "kv_heads": kv_heads, "capacity": capacity, "sequences": 2}
    attributes["window"] = (0, 5, 16)[(a + b + c) % 3]
    places = {"places": draw_places(generator, a, 2, capacity)}
    if arithmetic == "float32":
        return {"q": floats(generator, q), "cache": floats(generator, cache)} | places, {}, attributes
    # |q·k| < 2^30, the weighted sum of values, or of their halves, below 2^31.
    inputs = {"q": integers(generator, q, 11), "cache": integers(generator, cache, 11)} | places
    attributes |= scale_of(2.0**-9) | {"value_shift": 11}
    if (a + c) % 2:
        inputs["cache"][:, cache[1] // 2 :] = integers(generator, (cache[0], cache[1] // 2), 20)
        attributes["low"] = 8
    return inputs, {"exponential": tables.exponential()}, attributes
