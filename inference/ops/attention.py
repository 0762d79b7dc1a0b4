"""Causal attention of grouped heads over a cache of keys and values.

q: (T, heads·w); cache: (sequences·capacity, 2·kv_heads·w), a row the keys and then the values of a position; places:
(T, 2) of sequence and position; y: (T, heads·w). Head h reads key head h // (heads / kv_heads); a token sees the
positions up to its own, of a ``window`` the last ones: y = sum_j softmax(q·k_j / sqrt(w))_j v_j.

Exact: q·k in 16 fraction bits, |q·k| and its partial sums below 2^30 by Cauchy–Schwarz; t = max - score < 2^31;

    u = rs(mul16(t, mantissa), shift)      t · log2(e) / sqrt(w) in 8 fraction bits
    p = EXP[u & 255] >> min(u >> 8, 31)    EXP[i] = 2^(18 - i/256); den = sum p <= 8,192 · 2^18 = 2^31
    sh = bit length of den - 16            at least 3: the largest p is 2^18
    p' = rs(p, sh), den' = sum p'          2^15 <= den' <= 2^16 + positions / 2
    rc = min((2^30 + den' / 2) / den', 32767)
    y = rs(mul16(sum p'·v, rc), value_shift)     |sum p'·v| <= den' · max|v| < 2^31

Values of more than 16 bits are summed in two parts, v >> low and their ``low`` last bits l:

    y = rs(mul16(sum p'·(v >> low), rc) + (mul16(sum p'·l, rc) >> low), value_shift)
"""

import numpy as np
import numpy.typing as npt

from inference.arithmetic import tables
from inference.arithmetic.fixed_point import i32, u32
from inference.arithmetic.tolerance import Array, Enclosed, U, flushed, gamma
from inference.derivation import Constant, Derivation, Operand, Pieces, groups
from inference.device.target import Target
from inference.files.blocks import pack_plain
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator, draw_places, floats, integers, scale_of
from inference.steps import LEAF, SOURCES, Source, Step
from inference.steps.attend import mean
from inference.steps.exponential import weights
from inference.steps.mix import halves
from inference.steps.narrow import narrowed
from inference.steps.scores import dot

PACK = {"exponential": pack_plain}
COLOUR = "#f8dcc4"
FULL = 32  # tokens from which whole subgroups are busy with one each


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
    **_: object,
) -> Shape:
    require(0 <= low <= 8, f"{low} low bits are not 0 to 8")
    require(window >= 0, f"a window of {window} positions is none")
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
        p = narrowed(p, u32(p.sum(2)))
        mixtures = [i32(p @ half) for half in halves(values.transpose(1, 0, 2).astype(np.int64), low)]
        output[t] = mean(mixtures, p.sum(2, keepdims=True), value_shift, low).ravel()
    return output


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

    def vectors(position: int, offset: int, sources: list[Source]) -> Pieces:
        """Keys or values of a position."""
        start, stop = ((offset + head) * width for head in key_heads)
        return cache.pieces(position, start, stop, sources)

    def fitting(taken: int, offset: int) -> int:
        """Positions that a step can read besides."""
        vectors(0, offset, one := list[Source]())
        return min((SOURCES - taken) // len(one), LEAF // lanes)

    query = q.pieces(row, first * width, last * width, queries := list[Source]())
    few, scores = fitting(len(queries), 0), []
    for at in range(begin, seen, few):
        sources, positions = list(queries), range(at, min(at + few, seen))
        keys, count = [vectors(j, 0, sources) for j in positions], lanes * len(positions)
        scores.append(made.step("scores", sources, count, count * width, query=query, keys=keys, **of))
    largest = made.reduced("maximum", scores, lanes, rows=lanes, absolute=0)

    together = min(LEAF // (lanes * few), SOURCES - 1)
    scale = {"mantissa": mantissa, "shift": shift, "drop": 0, "table": exponential.name}
    p = []
    for some in groups(scores, together):
        count = sum(map(made.words, some))
        p.append(made.step("exponential", [largest, *some], count, count, rows=lanes, **scale))
    total = made.reduced("sum", p, lanes, rows=lanes, unsigned=1)
    p = [made.step("narrow", [total, each], made.words(each), made.words(each), rows=lanes) for each in p]
    total = made.reduced("sum", p, lanes, rows=lanes, unsigned=1)

    few_values = fitting(1, kv_heads)

    def mixture(half: dict[str, int]) -> int:
        """The weighted sum of values, or of a part of each."""
        mixes = []
        for block, weighted in enumerate(p):
            before, count = begin + block * together * few, made.words(weighted) // lanes
            for at in range(0, count, few_values):
                columns, sources = range(at, min(at + few_values, count)), list[Source]([weighted])
                values = [vectors(before + j, kv_heads, sources) for j in columns]
                numbers = {"columns": [columns.start, columns.stop], "values": values, "part": part, **half}
                mixes.append(made.step("mix", sources, words, lanes * len(columns) * width, **numbers, **of))
        return made.summed(mixes, words)

    halved = [{"low": low, "half": half} for half in (0, 1)] if low else [{}]
    sources = [total, *map(mixture, halved)]
    numbers = {"width": width, "part": part, "value_shift": value_shift} | ({"low": low} if low else {})
    made.step("attend", sources, words, words, **numbers)
    return made.steps


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


SPLIT = ("scores", "weights", "mixtures", "split")
"""The dispatches of attention that is split over positions."""
WIDEST = 256  # of a head whose mixture a workgroup holds
FEW = 8  # tokens up to which one is worth several workgroups a head


def workspace(
    q: Shape, *_: Shape, lanes: int, heads: int, kv_heads: int, capacity: int, variant: str = "", **__: object
) -> int:
    """Words of scores a dispatch keeps to itself."""
    if variant == "tokens_subgroup":  # whole workgroups of tokens, whole threes of heads
        return -(-q[0] // lanes) * lanes * kv_heads * -(-heads // kv_heads // 3) * 3 * fours(capacity) * 4
    if variant in SPLIT:
        return q[0] * heads * (capacity + -(-capacity // lanes) * (3 + q[1] // heads))
    return q[0] * heads * fours(capacity) * 4


def entry(*, low: int = 0, **_: object) -> str:
    """The kernel's entry point."""
    return "halves" if low else "main"


def variants(
    output: Shape, *, arithmetic: str, target: Target, heads: int, sequences: int = 1, low: int = 0, **_: object
) -> list[str]:
    """The kernels that a target admits, the likeliest first; all give the same bits.

    On processors three heads that share keys read them together; on GPUs a workgroup takes one head (``wide``), or one
    head's positions are split over several (``split``).
    """
    if arithmetic == "float32":
        return [""]
    if low:
        return [""] if target.rasteriser or output[1] // heads > WIDEST else ["wide", ""]
    if target.rasteriser:
        many = output[0] >= FULL and sequences == 1 and target.subgroups
        return ["tokens_subgroup", ""] if many else [""]
    if output[1] // heads > WIDEST:
        return [""]
    return ["split", "wide", ""] if output[0] <= FEW else ["wide", ""]


def before(variant: str, arithmetic: str) -> list[str]:
    """The variants dispatched before one of them."""
    return list(SPLIT[:-1]) if variant == "split" else []


def workgroups(
    output: Shape,
    *,
    lanes: int,
    heads: int,
    kv_heads: int,
    arithmetic: str,
    capacity: int = 1,
    variant: str = "",
    **_: object,
) -> Shape:
    if variant == "tokens_subgroup":
        return (kv_heads, -(-output[0] // lanes), -(-heads // kv_heads // 3))
    if variant in SPLIT[:-1]:
        return (-(-capacity // lanes), heads, output[0])
    if variant in ("wide", "split"):
        return (heads, output[0], 1)
    return (heads if arithmetic == "float32" else kv_heads, output[0], 1)


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
    attributes |= scale_of(2.0**-9) | {"value_shift": 11}
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
