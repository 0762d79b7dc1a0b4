"""Causal attention of grouped heads over a cache of keys and values.

q: (T, heads·w); cache: (sequences·capacity, 2·kv_heads·w), a row the keys and then the values of a position; places:
(T, 2) of sequence and position; y: (T, heads·w). Head h reads key head h // (heads / kv_heads); a token sees the
positions up to its own: y = sum_j softmax(q·k_j / sqrt(w))_j v_j.

Exact: q·k in 16 fraction bits, |q·k| and its partial sums below 2^30 by Cauchy–Schwarz; t = max - score < 2^31;

    u = rs(mul16(t, mantissa), shift)      t · log2(e) / sqrt(w) in 8 fraction bits
    p = EXP[u & 255] >> min(u >> 8, 31)    EXP[i] = 2^(18 - i/256); den = sum p <= 8,192 · 2^18 = 2^31
    sh = bit length of den - 16            at least 3: the largest p is 2^18
    p' = rs(p, sh), den' = sum p'          2^15 <= den' <= 2^16 + positions / 2
    rc = min((2^30 + den' / 2) / den', 32767)
    y = rs(mul16(sum p'·v, rc), value_shift)     |sum p'·v| <= den' · max|v| < 2^31
"""

import numpy as np
import numpy.typing as npt

from inference.blocks import pack_plain
from inference.fixed_point import bit_length, i32, multiply_shift, round_shift, u32
from inference.ops import Shape, require

PACK = {"exponential": pack_plain}


def shape(
    q: Shape, cache: Shape, places: Shape, *tables: Shape, heads: int, kv_heads: int, capacity: int, **_: object
) -> Shape:
    require(heads % kv_heads == 0, f"{heads} heads do not share {kv_heads} key heads evenly")
    require(len(q) == 2 and q[1] % heads == 0, f"{heads} heads do not fit queries {q}")
    require(cache[1] == 2 * kv_heads * (q[1] // heads), f"keys and values {cache} do not fit queries {q}")
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
) -> npt.NDArray[np.int32]:
    output = np.empty(q.shape, np.int32)
    for t, (queries, keys, values) in enumerate(visible(q, cache, places, heads, kv_heads, capacity)):
        products = queries[:, :, None, :] * keys.transpose(1, 0, 2)[:, None].astype(np.int64)
        i32(np.abs(products).sum(3) // 2)  # generous: a partial sum is at most half of this by either sign
        scores = i32(products.sum(3))  # (kv_heads, group, positions)
        distance = i32(scores.max(2, keepdims=True) - scores)
        u = round_shift(multiply_shift(distance, mantissa, 16), shift)
        p = exponential.astype(np.int64)[u & 255] >> np.minimum(u >> 8, 31)
        den = u32(p.sum(2, keepdims=True))
        sh = bit_length(den) - 16
        assert sh.min() >= 3
        p = round_shift(p, sh)
        den = p.sum(2, keepdims=True)
        reciprocal = np.minimum(u32(2**30 + den // 2) // den, 32767)
        mixed = i32(p @ values.transpose(1, 0, 2).astype(np.int64))
        y = round_shift(multiply_shift(mixed, reciprocal, 16), value_shift)
        assert np.abs(y).max() <= 32767
        output[t] = y.ravel()
    return output


def float32(
    q: npt.NDArray[np.float32],
    cache: npt.NDArray[np.float32],
    places: npt.NDArray[np.int32],
    *,
    heads: int,
    kv_heads: int,
    capacity: int,
) -> npt.NDArray[np.float32]:
    output = np.empty_like(q)
    for t, (queries, keys, values) in enumerate(visible(q, cache, places, heads, kv_heads, capacity)):
        scores = queries @ keys.transpose(1, 2, 0) / np.float32(np.sqrt(queries.shape[2]))
        p = np.exp(scores - scores.max(2, keepdims=True))
        output[t] = (p @ values.transpose(1, 0, 2) / p.sum(2, keepdims=True)).ravel()
    return output


def visible(q, cache, places, heads, kv_heads, capacity):
    """For each token its queries (kv_heads, group, w) and the keys and values (positions, kv_heads, w) it may see."""
    for row, (sequence, position) in zip(q, places.tolist(), strict=True):
        assert 0 <= position < capacity
        seen = cache[sequence * capacity : sequence * capacity + position + 1].reshape(position + 1, 2, kv_heads, -1)
        yield row.reshape(kv_heads, heads // kv_heads, -1), seen[:, 0], seen[:, 1]


def work(q: Shape, cache: Shape, places: Shape, *_: Shape, capacity: int, **__: object) -> int:
    """With the cache full."""
    return 2 * q[0] * q[1] * capacity


def dimensions(q: Shape, *_: Shape, heads: int, kv_heads: int, capacity: int, **__: object) -> dict[str, int]:
    return {"columns": q[1], "head_width": q[1] // heads, "group": heads // kv_heads, "places": -(-capacity // 4)}


def workspace(q: Shape, *_: Shape, heads: int, capacity: int, **__: object) -> int:
    """Words of scores a dispatch keeps to itself."""
    return q[0] * heads * -(-capacity // 4) * 4


def workgroups(output: Shape, *, lanes: int, heads: int, kv_heads: int, arithmetic: str, **_: object) -> Shape:
    return (heads if arithmetic == "float32" else kv_heads, output[0], 1)
