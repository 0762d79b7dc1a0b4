"""Attention without a cache: every query sees every key, of its own image or of another sequence.

q: (.., heads · w), T rows; k, v: (.., heads · w), S rows; y as q. y = sum_j softmax(q·k_j / sqrt(w))_j v_j; where
``causal`` a query sees the keys up to its own place. As many queries a dispatch as ``WORKSPACE`` holds scores of.
Exact, with scales: b = ``bits_of(w)`` so that w · 2^(2 b) <= 2^30;

    q, k narrowed to b bits; v is, to 14   s_j = q·k_j, |s| and its partial sums <= 2^30
    u = mul16(max s - s_j, mantissa) moved by shift - E_q - E_k of the narrowed   log2(e) (s - s_j) / sqrt(w), 8
    fraction bits p = EXP[u & 255] >> min((u >> 8) + drop, 31)                               EXP[i] = 2^(18 - i/256) den
    = sum p <= 2^31, p' = rs(p, bit length of den - 16), den' = sum p', rc = min((2^30 + den' / 2) / den', 32767) y =
    mul16(sum p'·v, rc) at E_v - 14                                        |sum p'·v| <= den' · 2^14 < 2^31

``drop`` is 0 up to 8,192 keys, one more bit for each doubling.
"""

import itertools
import math
from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.arithmetic import tables
from inference.arithmetic.fixed_point import bit_length, i32, round_shift, u32
from inference.arithmetic.scaled import narrow, narrowing
from inference.arithmetic.tolerance import Array, Enclosed, U, flushed, gamma
from inference.derivation import Constant, Derivation, Operand, Reading
from inference.device.target import Target
from inference.files.blocks import pack_plain
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator, floats
from inference.ops._images import SCALE, draw_scaled, pixels, require_image
from inference.ops.combine import factor
from inference.outputs import committed
from inference.steps import LEAF, SOURCES, Source, Step
from inference.steps.attention_mean import mean
from inference.steps.softmax_weights import weights

PACK = dict.fromkeys(("q", "k", "v", "scale_q", "scale_k", "exponential"), pack_plain)
COLOUR = "#f8dcc4"
VALUE = 14
"""Bits of a value."""
MOST_KEYS = 8192
"""For which no bit of a weight is dropped."""
NARROWING = 256
"""Workgroups that narrow keys, however many there are."""
WORKSPACE = 2**25
"""Words of scores at once: 128 MiB, what every device binds."""
AT_ONCE = 1024
"""Queries of the reference."""


def bits_of(width: int) -> int:
    """Bits of queries and keys."""
    return (30 - (width - 1).bit_length()) // 2


def shape(q: Shape, k: Shape, v: Shape, *exact: Shape, heads: int, causal: bool = False, **_: object) -> Shape:
    require_image("q", q, *exact[:2])
    require(q[-1] % heads == 0 and q[-1] // heads % 4 == 0, f"{heads} heads of fours do not fit queries {q}")
    require(k == v and k[-1] == q[-1], f"keys {k} and values {v} do not fit queries {q}")
    require(not causal or pixels(q) == pixels(k), f"keys {k} do not stand at the places of {q}")
    require(exact in ((), (SCALE, SCALE, (256,))), f"scales and exponential are not {exact}")
    return q


def softmax_scale(width: int) -> dict[str, int]:
    """log2(e) / sqrt(w) in 8 fraction bits, as mantissa and shift."""
    mantissa, unit = factor(math.log2(math.e) / math.sqrt(width) * 256)
    return {"mantissa": mantissa, "shift": -unit}


def exact(
    q: npt.NDArray[np.int32],
    k: npt.NDArray[np.int32],
    v: npt.NDArray[np.int32],
    scale_q: npt.NDArray[np.int32],
    scale_k: npt.NDArray[np.int32],
    exponential: npt.NDArray[np.int32],
    *,
    heads: int,
    mantissa: int = 0,
    shift: int = 0,
    causal: bool = False,
) -> npt.NDArray[np.int32]:
    bits = bits_of(q.shape[-1] // heads)
    (n, at), (m, at_k) = narrowing(scale_q, bits), narrowing(scale_k, bits)
    queries, keys = (by_head(narrow(x.astype(np.int64), by, bits), heads) for x, by in ((q, n), (k, m)))
    values, table = by_head(v.astype(np.int64), heads), exponential.astype(np.int64)
    output, count = np.empty(queries.shape, np.int64), keys.shape[1]
    for head, begin in itertools.product(range(heads), range(0, queries.shape[1], AT_ONCE)):
        few = slice(begin, begin + AT_ONCE)
        scores = i32((queries[head, few].astype(float) @ keys[head].T.astype(float)).astype(np.int64))
        seen = np.tri(len(scores), count, begin, np.bool_) if causal else np.ones((1, count), np.bool_)
        largest = np.where(seen, scores, -(2**31)).max(1, keepdims=True)
        scores = np.where(seen, scores, largest)
        p = seen * weights(largest - scores, table, mantissa, shift - at - at_k, drop_of(count))
        p = round_shift(p, bit_length(u32(p.sum(1, keepdims=True))) - 16)
        mixed = i32((p.astype(float) @ values[head].astype(float)).astype(np.int64))
        output[head, few] = mean(mixed, p.sum(1, keepdims=True))
    return output.transpose(1, 0, 2).reshape(q.shape).astype(np.int32)


def drop_of(keys: int) -> int:
    """Bits of a weight that so many keys leave no room for."""
    return max(0, (keys - 1).bit_length() - (MOST_KEYS - 1).bit_length())


def by_head(x: npt.NDArray[Any], heads: int) -> npt.NDArray[Any]:
    """(heads, rows, w)."""
    return x.reshape(-1, heads, x.shape[-1] // heads).transpose(1, 0, 2)


def derivation(
    row: int,
    start: int,
    stop: int,
    q: Operand,
    k: Operand,
    v: Operand,
    scale_q: Operand | Constant,
    scale_k: Operand | Constant,
    exponential: Constant,
    *,
    heads: int,
    mantissa: int = 0,
    shift: int = 0,
    causal: bool = False,
) -> list[Step]:
    """Query by query, over its heads that lie in the leaf."""
    made, channels = Derivation(), q.shape[-1]
    width, keys = channels // heads, pixels(k.shape)
    bits, first = bits_of(width), row * committed(q.shape)[1] + start
    known: dict[tuple[str, Source], int] = {}

    def narrowed(name: str, operand: Operand, begin: int, end: int, own: Operand | Constant | None) -> list[Any]:
        """[step or leaf, start, stop] of words of a tensor, narrowed at its scale, a step for each leaf they lie in."""
        reading = Reading()
        found = []
        for at, low, high in reading.words(operand, begin, end):
            leaf = reading.sources[at]
            if own is None:
                found.append([leaf, low, high])
                continue
            if (name, leaf) not in known:
                whole = words_in(operand, leaf)
                one = Reading([leaf])
                numbers = {"x": [[0, 0, whole]], "scale": one.all(own), "bits": bits}
                known[name, leaf] = made.step("narrowed", one.sources, whole, whole, **numbers)
            found.append([known[name, leaf], low, high])
        return found

    def words_in(operand: Operand, leaf: Source) -> int:
        assert not isinstance(leaf, int)
        each = -(-operand.words // LEAF)
        return min(LEAF, operand.words - LEAF * (leaf[1] % each))

    def indexed(places: list[list[Any]], sources: list[Source]) -> list[list[Any]]:
        """Places of steps as places of a step's sources."""
        for place in places:
            for piece in place:
                if piece[0] not in sources:
                    sources.append(piece[0])
        return [[[sources.index(at), low, high] for at, low, high in place] for place in places]

    def positions_of(
        name: str, operand: Operand, own: Operand | Constant | None, low: int, high: int, taken: int, seen: int
    ) -> Iterator[tuple[int, list[list[Any]]]]:
        """Positions and their places, a few at a time."""
        group, lanes = list[list[Any]](), (high - low) // width
        read: set[Any] = set()
        begin = 0
        for j in range(seen):
            place = narrowed(name, operand, j * channels + low, j * channels + high, own)
            leaves = read | {piece[0] for piece in place}
            if group and (len(leaves) > SOURCES - taken or (len(group) + 1) * lanes > LEAF):
                yield begin, group
                begin, group, leaves = j, [], {piece[0] for piece in place}
            group.append(place)
            read = leaves
        yield begin, group

    def attended(query: int, low: int, high: int) -> int:
        """Channels low to high of a query."""
        head, last, seen = low // width, -(-high // width), query + 1 if causal else keys
        lanes, begin, end = last - head, head * width, last * width
        of = {"heads": [0, lanes], "group": 1}
        own = narrowed("q", q, query * channels + begin, query * channels + end, scale_q)
        scores = []
        for _, group in positions_of("k", k, scale_k, begin, end, len(own), seen):
            sources: list[Source] = []
            [asked, *read] = indexed([own, *group], sources)
            count = lanes * len(group)
            scores.append(made.step("scores", sources, count, count * width, query=asked, keys=read, **of))
        largest = made.reduced("maximum", scores, lanes, rows=lanes, absolute=0)
        p = []
        for each in scores:
            reading = Reading([largest, each])
            scales = {"scale_q": reading.all(scale_q), "scale_k": reading.all(scale_k), "bits": bits}
            numbers = {"mantissa": mantissa, "shift": shift, "drop": drop_of(keys), "table": exponential.name}
            words = made.words(each)
            p.append(made.step("softmax_weights", reading.sources, words, words, rows=lanes, **scales, **numbers))
        total = made.reduced("sum", p, lanes, rows=lanes, unsigned=1)
        p = [made.step("narrow", [total, each], made.words(each), made.words(each), rows=lanes) for each in p]
        total = made.reduced("sum", p, lanes, rows=lanes, unsigned=1)
        ends = [0]
        for each in p:
            ends.append(ends[-1] + made.words(each) // lanes)
        part, words, mixes, block = [low - begin, high - begin], high - low, [], 0
        for at, group in positions_of("v", v, None, begin, end, 1, seen):
            done = 0
            while done < len(group):
                while ends[block + 1] <= at + done:
                    block += 1
                few = group[done : done + ends[block + 1] - at - done]
                sources = [p[block]]
                values = indexed(few, sources)
                columns = [at + done - ends[block], at + done - ends[block] + len(few)]
                macs = lanes * len(few) * width
                mixes.append(made.step("mix", sources, words, macs, columns=columns, values=values, part=part, **of))
                done += len(few)
        mixture = made.summed(mixes, words)
        return made.step("attention_mean", [total, mixture], words, words, width=width, part=part)

    parts, at, end = [], first, first + stop - start
    while at < end:
        query, low = divmod(at, channels)
        high = min(channels, low + end - at)
        parts.append(attended(query, low, high))
        at += high - low
    made.concatenated(parts)
    return made.steps


def float32(
    q: npt.NDArray[np.float32],
    k: npt.NDArray[np.float32],
    v: npt.NDArray[np.float32],
    *,
    heads: int,
    causal: bool = False,
) -> npt.NDArray[np.float32]:
    queries, keys, values = (by_head(x, heads) for x in (q, k, v))
    scores = queries @ keys.transpose(0, 2, 1) / np.float32(np.sqrt(queries.shape[2]))
    if causal:
        scores = np.where(np.tri(*scores.shape[1:], dtype=np.bool_), scores, np.float32(-np.inf))
    p = np.exp(scores - scores.max(2, keepdims=True))
    y = p @ values / p.sum(2, keepdims=True)
    return np.asarray(y.transpose(1, 0, 2).reshape(q.shape), np.float32)


def enclosure(q: Array, k: Array, v: Array, *, heads: int, causal: bool = False) -> Enclosed:
    """As in ``attention``, over all keys; those that are not seen weigh nothing."""
    queries, keys, values = (by_head(x.astype(np.float64), heads) for x in (q, k, v))
    n, width = keys.shape[1:]
    s = queries @ keys.transpose(0, 2, 1) / np.sqrt(width)
    sizes = np.abs(queries) @ np.abs(keys).transpose(0, 2, 1)
    e = gamma(width + 7) * sizes / np.sqrt(width) + flushed(3 * width, q, k)
    seen = np.tri(*s.shape[1:], dtype=np.bool_) if causal else np.ones(s.shape[1:], np.bool_)
    s, e = np.where(seen, s, s.min(2, keepdims=True)), np.where(seen, e, 0)
    top = np.where(seen, s, -np.inf).max(2, keepdims=True)
    D = np.maximum(top - s, 0) + e + e.max(2, keepdims=True)
    r = np.exp(e + U * D) * (1 + (3 + 2 * D * (1 + U)) * U) - 1
    p = seen * np.exp(np.minimum(s - top, 0))
    pi = p / p.sum(2, keepdims=True)
    y = pi @ values
    apart = np.einsum("hts,htsw->htw", pi * r, np.abs(values[:, None] - y[:, :, None]))
    spread = 1 - (pi * r).sum(2, keepdims=True)
    radius = apart / spread + gamma(2 * n + 2) * ((pi * (1 + r)) @ np.abs(values)) / spread + flushed(4 * n, v)
    return y.transpose(1, 0, 2).reshape(q.shape), radius.transpose(1, 0, 2).reshape(q.shape)


def work(q: Shape, k: Shape, *_: Shape, **__: object) -> int:
    return 2 * pixels(q) * pixels(k) * q[-1]


def dimensions(q: Shape, k: Shape, *_: Shape, heads: int, **__: object) -> dict[str, int]:
    width = q[-1] // heads
    return {
        "queries": pixels(q),
        "first": 0,
        "quads": _quads(q, k, heads),
        "keys": pixels(k),
        "head_width": width,
        "bits": bits_of(width),
        "drop": drop_of(pixels(k)),
    }


def _quads(q: Shape, k: Shape, heads: int) -> int:
    """Fours of queries of a dispatch."""
    return min(-(-pixels(q) // 4), max(1, (WORKSPACE - prod(k)) // (4 * pixels(k) * heads)))


def pieces(q: Shape, k: Shape, *_: Shape, heads: int, **__: object) -> list[dict[str, int]]:
    each = 4 * _quads(q, k, heads)
    return [{"first": first} for first in range(0, pixels(q), each)]


def workspace(q: Shape, k: Shape, *_: Shape, lanes: int, heads: int, **__: object) -> int:
    """Words of scores, and of narrowed keys."""
    return heads * 4 * _quads(q, k, heads) * pixels(k) + prod(k)


def variants(output: Shape, *, arithmetic: str, target: Target, causal: bool = False, **_: object) -> list[str]:
    """The kernels that a target admits, the likeliest first."""
    shared = arithmetic == "exact" and target.rasteriser and target.subgroups and not causal
    return ["subgroup", ""] if shared else [""]


def before(variant: str, arithmetic: str) -> list[str]:
    """The variants dispatched before one of them."""
    return ["narrow"] if arithmetic == "exact" and variant != "narrow" else []


def workgroups(output: Shape, *, lanes: int, heads: int = 1, variant: str = "", **_: object) -> Shape:
    if variant == "narrow":
        return (NARROWING, 1, 1)
    return (-(-pixels(output) // (4 * lanes)), heads, 1)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    heads, width, causal = 1 + a % 3, 4 * b, bool(c % 2)
    queries: Shape = (a, c, heads * width)
    keys: Shape = queries if causal else (3 * c + b, heads * width)
    attributes = {"heads": heads, "causal": causal}
    if arithmetic == "float32":
        return (
            {"q": floats(generator, queries), "k": floats(generator, keys), "v": floats(generator, keys)},
            {},
            attributes,
        )
    inputs = {}
    for name, each in (("q", queries), ("k", keys), ("v", keys)):
        inputs[name], scale = draw_scaled(generator, each, VALUE if name == "v" else 0)
        if name != "v":
            inputs[f"scale_{name}"] = scale
            scale[0, 1] = generator.integers(-32, -10)
    return inputs, {"exponential": tables.exponential()}, attributes | softmax_scale(width)
