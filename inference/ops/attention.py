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

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.arithmetic import tables
from inference.arithmetic.fixed_point import bit_length, i32, multiply_shift, round_shift, u32
from inference.arithmetic.tolerance import Array, Enclosed, U, flushed, gamma
from inference.derivation import LEAF, OPENED, Columns, Operand, Source, Step, Words, read, reduced, unsigned
from inference.files.blocks import pack_plain
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator, draw_places, floats, integers, scale_of

PACK = {"exponential": pack_plain}
COLOUR = "#f8dcc4"
FULL = 32  # tokens from which whole subgroups are busy with one each
POSITIONS = 16  # of a block, at most


def shape(
    q: Shape,
    cache: Shape,
    places: Shape,
    *tables: Shape,
    heads: int,
    kv_heads: int,
    capacity: int,
    sequences: int = 1,
    **_: object,
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
    **_: object,
) -> npt.NDArray[np.int32]:
    output = np.empty(q.shape, np.int32)
    for t, (queries, keys, values) in enumerate(visible(q, cache, places, heads, kv_heads, capacity)):
        s = scores(queries, keys)
        p = weights(s, s.max(2), exponential, mantissa, shift)
        p = narrowed(p, u32(p.sum(2)))
        output[t] = scaled(mixed(p, values), p.sum(2), value_shift).ravel()
    return output


def scores(queries, keys):
    """(kv_heads, group, n): q·k of queries (kv_heads, group, w) and keys (n, kv_heads, w)."""
    products = queries[:, :, None, :] * keys.transpose(1, 0, 2)[:, None].astype(np.int64)
    i32(np.abs(products).sum(3) // 2)  # generous: a partial sum is at most half of this by either sign
    return i32(products.sum(3))


def weights(s, largest, exponential, mantissa, shift):
    """p of scores (kv_heads, group, n) below the largest (kv_heads, group)."""
    u = round_shift(multiply_shift(i32(largest[..., None] - s), mantissa, 16), shift)
    return exponential.astype(np.int64)[u & 255] >> np.minimum(u >> 8, 31)


def narrowed(p, den):
    """p' of p (kv_heads, group, n) with its sum over all positions, den (kv_heads, group)."""
    sh = bit_length(den) - 16
    assert sh.min() >= 3
    return round_shift(p, sh[..., None])


def mixed(p, values):
    """(kv_heads, group, w): sum p'·v of p' (kv_heads, group, n) and values (n, kv_heads, w)."""
    return i32(p @ values.transpose(1, 0, 2).astype(np.int64))


def scaled(mix, den, value_shift):
    """y of sum p'·v (kv_heads, group, w) and den' (kv_heads, group)."""
    reciprocal = np.minimum(u32(2**30 + den // 2) // den, 32767)
    y = round_shift(multiply_shift(mix, reciprocal[..., None], 16), value_shift)
    assert np.abs(y).max() <= 32767
    return y


def derivation(
    row: int,
    start: int,
    stop: int,
    q: Operand,
    cache: Operand,
    places: npt.NDArray[np.int32],
    exponential: npt.NDArray[np.int32],
    *,
    heads: int,
    kv_heads: int,
    capacity: int,
    mantissa: int,
    shift: int,
    value_shift: int,
    **_: object,
) -> list[Step]:
    """For the key heads whose queries lie in the leaf; a row of the cache is a position of the one sequence."""
    group, width = heads // kv_heads, q.words // heads
    first, last = start // (group * width), -(-stop // (group * width))
    read_heads, lanes = last - first, (last - first) * group  # key heads and heads
    query = q.columns(row, (first * group * width, last * group * width))
    seen = int(places[row, 1]) + 1

    def rows(positions: range, offset: int) -> list[Columns]:
        return [cache.columns(j, ((offset + first) * width, (offset + last) * width)) for j in positions]

    def shaped(words: Words) -> npt.NDArray[np.int64]:
        """(kv_heads, group, n or w)."""
        return words.reshape(read_heads, group, -1).astype(np.int64)

    def total(words: Sequence[Words]) -> npt.NDArray[np.int64]:
        return np.concatenate([unsigned(each).reshape(lanes, -1) for each in words], axis=1).sum(1)

    def vectors(words: Sequence[Words], columns: list[Columns]) -> Words:
        """(n, kv_heads, w): keys or values."""
        return np.concatenate(read(words, *columns)).reshape(-1, read_heads, width)

    each = LEAF * max(len(columns.leaves) for offset in (0, kv_heads) for columns in rows(range(1), offset))
    block = max(1, min(POSITIONS, (OPENED - q.words) // min(each, cache.words)))
    blocks = [range(at, min(at + block, seen)) for at in range(0, seen, block)]
    steps: list[Step] = []

    def step(inputs: tuple[Source, ...], words: int, macs: int, compute: Callable[[Sequence[Words]], Any]) -> int:
        steps.append(Step(inputs, words, macs, compute))
        return len(steps) - 1

    def score(positions: range) -> int:
        keys = rows(positions, 0)

        def compute(words: Sequence[Words]) -> npt.NDArray[np.int64]:
            cut = len(query.leaves)
            return scores(shaped(query.read(words[:cut])), vectors(words[cut:], keys)).ravel()

        leaves = sum((columns.leaves for columns in keys), query.leaves)
        return step(leaves, lanes * len(positions), lanes * len(positions) * width, compute)

    def mix(part: int, positions: range) -> int:
        values = rows(positions, kv_heads)

        def compute(words: Sequence[Words]) -> npt.NDArray[np.int64]:
            return mixed(shaped(words[0]), vectors(words[1:], values)).ravel()

        leaves: tuple[Source, ...] = sum((columns.leaves for columns in values), ())
        return step((part, *leaves), lanes * width, lanes * len(positions) * width, compute)

    def weight(words: Sequence[Words]) -> npt.NDArray[np.int64]:
        s, largest = (shaped(each) for each in words)
        return weights(s, largest[..., 0], exponential, mantissa, shift).ravel()

    def narrow(words: Sequence[Words]) -> npt.NDArray[np.int64]:
        return narrowed(shaped(words[0]), unsigned(words[1]).reshape(read_heads, group)).ravel()

    def finish(words: Sequence[Words]) -> npt.NDArray[np.int64]:
        y = scaled(shaped(words[0]), unsigned(words[1]).reshape(read_heads, group), value_shift).ravel()
        return y[start - first * group * width :][: stop - start]

    s = [score(positions) for positions in blocks]
    largest = reduced(steps, s, lanes, lambda words: np.max([part.reshape(lanes, -1).max(1) for part in words], axis=0))
    p = [step((part, largest), steps[part].words, steps[part].words, weight) for part in s]
    den = reduced(steps, p, lanes, total)
    p = [step((part, den), steps[part].words, steps[part].words, narrow) for part in p]
    narrow_den = reduced(steps, p, lanes, total)
    mixes = [mix(part, positions) for part, positions in zip(p, blocks, strict=True)]
    mixture = reduced(steps, mixes, lanes * width, lambda words: np.stack(words).sum(0, dtype=np.int64))
    step((mixture, narrow_den), stop - start, lanes * width, finish)
    return steps


def float32(
    q: npt.NDArray[np.float32],
    cache: npt.NDArray[np.float32],
    places: npt.NDArray[np.int32],
    *,
    heads: int,
    kv_heads: int,
    capacity: int,
    **_: object,
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


def enclosure(
    q: Array, cache: Array, places: Array, *, heads: int, kv_heads: int, capacity: int, **_: object
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
    seen = visible(q.astype(np.float64), cache.astype(np.float64), places, heads, kv_heads, capacity)
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


def work(q: Shape, cache: Shape, places: Shape, *_: Shape, capacity: int, **__: object) -> int:
    """With the cache full."""
    return 2 * q[0] * q[1] * capacity


def work_seen(start: int, q: Shape, *_: Shape, **__: object) -> int:
    """For tokens at consecutive positions from ``start`` on, each of which sees those up to its own."""
    return 2 * q[1] * sum(range(start + 1, start + q[0] + 1))


def dimensions(
    q: Shape, *_: Shape, heads: int, kv_heads: int, capacity: int, sequences: int = 1, **__: object
) -> dict[str, int]:
    return {
        "tokens": q[0],
        "columns": q[1],
        "head_width": q[1] // heads,
        "group": heads // kv_heads,
        "sequences": sequences,
        "fours": fours(capacity),
    }


def fours(capacity: int) -> int:
    """Vectors of four positions, an even number of them."""
    return 2 * -(-capacity // 8)


def workspace(
    q: Shape, *_: Shape, lanes: int, heads: int, kv_heads: int, capacity: int, variant: str = "", **__: object
) -> int:
    """Words of scores a dispatch keeps to itself."""
    if variant == "tokens_subgroup":  # whole workgroups of tokens, whole threes of heads
        return -(-q[0] // lanes) * lanes * kv_heads * -(-heads // kv_heads // 3) * 3 * fours(capacity) * 4
    return q[0] * heads * fours(capacity) * 4


def variant(output: Shape, *, arithmetic: str, subgroups: bool, sequences: int = 1, **_: object) -> str:
    """The kernel for a number of tokens and a device; all give the same bits."""
    many = output[0] >= FULL and sequences == 1
    return "tokens_subgroup" if arithmetic == "exact" and subgroups and many else ""


def workgroups(
    output: Shape, *, lanes: int, heads: int, kv_heads: int, arithmetic: str, variant: str = "", **_: object
) -> Shape:
    if variant == "tokens_subgroup":
        return (kv_heads, -(-output[0] // lanes), -(-heads // kv_heads // 3))
    return (heads if arithmetic == "float32" else kv_heads, output[0], 1)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    width, kv_heads, group, capacity = 4 * b, 1 + a % 2, c, 48
    q, cache = (a, kv_heads * group * width), (2 * capacity, 2 * kv_heads * width)
    attributes = {"heads": kv_heads * group, "kv_heads": kv_heads, "capacity": capacity, "sequences": 2}
    places = {"places": draw_places(generator, a, 2, capacity)}
    if arithmetic == "float32":
        return {"q": floats(generator, q), "cache": floats(generator, cache)} | places, {}, attributes
    # |q·k| < 2^30, the weighted sum of values below 2^31.
    inputs = {"q": integers(generator, q, 11), "cache": integers(generator, cache, 11)} | places
    attributes |= scale_of(2.0**-9) | {"value_shift": 11}
    return inputs, {"exponential": tables.exponential()}, attributes
