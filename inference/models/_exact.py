"""A decoder's constants and formats in the exact arithmetic: bounds carried from the embedding to the head."""

import math
from collections import defaultdict
from typing import Any

import numpy as np

from inference.arithmetic import formats, tables
from inference.errors import InputError
from inference.files.blocks import Weights, concatenate
from inference.model import Checkpoint, layer
from inference.ops.matmul_q4 import paired

QKV = ("q", "k", "v")
READ = (".attention_norm", ".feed_forward_norm")
"""Norms of layers whose output products read."""


def joined(read: Checkpoint, prefix: str, parts: tuple[str, ...]) -> Weights:
    """Matrices of one input as one product."""
    return concatenate([read.matrices[f"{prefix}.{part}"] for part in parts])


def rotations(read: Checkpoint) -> list[tuple[str, float, tuple[float, ...]]]:
    """Names, bases and factors of the tables by which heads are rotated."""
    whole = ("rotations", read.theta, read.rotation_factors)
    local = read.local_theta and (read.local_theta, ()) != whole[1:]
    return [whole, ("rotations.local", read.local_theta, ())] if local else [whole]


class Exact:
    """Constants and attributes by name, filled from the first op to the last."""

    def __init__(self, read: Checkpoint) -> None:
        self.read = read
        self.context = min(read.context, formats.longest(read.head_width))
        self.constants: dict[str, Any] = {
            "exponential": tables.exponential(),
            "curve": tables.gelu_curve() if read.gelu else tables.silu_curve(),
        }
        for name, theta, factors in rotations(read):
            self.constants[name] = tables.rotations(self.context, read.head_width, theta, factors)
        self.attributes: dict[str, dict[str, int | float]] = defaultdict(dict)
        read_by_products = [read.gains[name] for name in read.gains if name.endswith(READ)]
        self.outlying = any(formats.outlying(gain) for gain in read_by_products)
        table = self._embedding()
        for index in range(read.layers):
            self._attention(layer(index), read.windows[index] if read.windows else 0)
            self._feed_forward(layer(index))
        self._head(table)

    def _embedding(self) -> formats.Linear:
        embedding, scale = self.read.matrices["embedding"], self.read.embedding_scale
        table = formats.linear("embedding", embedding)
        digits = formats.by_rows(lambda q: np.abs(q.astype(np.int64)).max(1), embedding.q)
        largest = np.abs(embedding.d).max(1) * digits
        if embedding.m is not None:
            largest += np.abs(embedding.m).max(1)
        self.bound = float(largest.max()) * scale + 2**-10
        """|x| of the residual, whatever the input."""
        self.finest = formats.finest_residual(
            "embedding", scale * _typical(embedding), self.bound, self.read.epsilon * self.read.width
        )
        self.residual = formats.residual_fraction("embedding", self.bound, self.finest)
        """Its fraction bits."""
        self.constants["embedding.q"], self.constants["embedding.blocks"] = table.q, table.blocks
        # The accumulator's unit is sigma·2^16, with offsets sigma·2^15; the kernel takes (q·D + 16·M) << 8 instead.
        units = scale * 2.0 ** (self.residual - (16 if embedding.m is None else 15) - 8)
        self.constants["embedding.rows"] = formats.rows("embedding", table.sigma * units)
        return table

    def _attention(self, prefix: str, window: int) -> None:
        read, gain = self.read, self.read.gains[f"{prefix}.attention_norm"]
        q, k, v = (read.matrices[f"{prefix}.{part}"].matrix() for part in QKV)
        biases = [
            np.abs(read.biases.get(f"{prefix}.{part}", np.zeros(len(w))))
            for part, w in zip(QKV, (q, k, v), strict=True)
        ]
        product = formats.linear(f"{prefix}.output", read.matrices[f"{prefix}.output"])
        values = formats.row_bounds(v, gain) + biases[2]
        normed = _balanced([read.gains.get(f"{prefix}.{part}_norm") for part in ("query", "key")])
        lengths = [
            formats.head_bound(w, gain, heads) + _longest(bias, heads) if by is None else formats.normed_bound(by)
            for w, bias, heads, by in zip((q, k), biases, (read.heads, read.kv_heads), normed, strict=False)
        ]
        attention = formats.attention(
            f"{prefix}.attention",
            query=lengths[0],
            key=lengths[1],
            value=float(values.max()),
            head_width=read.head_width,
            context=self.context,
            largest=product.largest,
            entry=0 if normed[0] is None else max(lengths),
        )
        self.attributes[f"{prefix}.attention"] = {**attention.attributes, **({"window": window} if window else {})}
        if short := attention.attributes.get("short"):
            self.attributes[f"{prefix}.cache"]["short"] = short
        qkv = formats.linear(f"{prefix}.qkv", joined(read, prefix, QKV))
        fused = qkv.q.dtype == np.uint8 and normed[0] is None and f"{prefix}.q" not in read.biases
        readers = (f"{prefix}.query", f"{prefix}.cache") if fused else (f"{prefix}.qkv",)
        norm = self._read(f"{prefix}.attention_norm", qkv.largest, readers)
        to = [attention.query_fraction, attention.key_fraction, attention.value_fraction]
        for at, (part, by) in enumerate(zip(("query", "key"), normed, strict=True)):
            if by is not None:
                name, rows = f"{prefix}.{part}_norm", formats.row_bounds((q, k)[at], gain) + biases[at]
                before = formats.wide_fraction(name, float(rows.max()))
                head = formats.head_norm(name, by, before, read.epsilon, to[at])
                self.constants[f"{name}.gain"], self.attributes[name] = head.gain, dict(head.attributes)
                to[at] = before
        fractions = np.repeat(to, [len(q), len(k), len(v)])
        self._product(f"{prefix}.qkv", qkv, np.exp2(fractions - float(norm.fraction)))
        if f"{prefix}.q" in read.biases:
            bias = np.concatenate([read.biases[f"{prefix}.{part}"] for part in QKV]).astype(np.float64)
            self.constants[f"{prefix}.qkv.bias"] = np.rint(bias * np.exp2(fractions)).astype(np.int32)
        elif fused:  # two products, each of which rotates its heads at once
            for part in ("q", "blocks", "rows"):
                both = np.split(self.constants.pop(f"{prefix}.qkv.{part}"), [len(q)])
                self.constants[f"{prefix}.query.{part}"], self.constants[f"{prefix}.cache.{part}"] = both
        if (after := f"{prefix}.attention_after") in read.gains:
            self._grow_normed(f"{prefix}.output", product, attention.fraction, after)
            return
        # Every head's output lies in the hull of its values: bounded row by row, and by norms.
        group = read.heads // read.kv_heads
        hull = math.sqrt(read.heads) * (formats.head_bound(v, gain, read.kv_heads) + _longest(biases[2], read.kv_heads))
        each = np.repeat(values.reshape(read.kv_heads, -1), group, axis=0).ravel()
        narrows = "low" in attention.attributes
        self._grow(f"{prefix}.output", product, attention.fraction, each, hull, narrows)

    def _feed_forward(self, prefix: str) -> None:
        read, gain = self.read, self.read.gains[f"{prefix}.feed_forward_norm"]
        gates, ups = (formats.row_bounds(read.matrices[f"{prefix}.{part}"].matrix(), gain) for part in ("gate", "up"))
        fraction = formats.gate(f"{prefix}.gate", gates, ups)
        self.attributes[f"{prefix}.gate"]["fraction"] = fraction
        product = formats.linear(f"{prefix}.gate_up", joined(read, prefix, ("gate", "up")))
        readers = (f"{prefix}.{'gate' if product.q.dtype == np.uint8 else 'gate_up'}",)
        norm = self._read(f"{prefix}.feed_forward_norm", product.largest, readers)
        self._product(f"{prefix}.gate_up", product, 2.0 ** (fraction - norm.fraction))
        if product.q.dtype == np.uint8:  # the product makes the gate at once
            for part in ("q", "blocks", "rows"):
                self.constants[f"{prefix}.gate_up.{part}"] = paired(self.constants[f"{prefix}.gate_up.{part}"])
        product = formats.linear(f"{prefix}.down", read.matrices[f"{prefix}.down"])
        before = 2 * fraction - formats.GATE_SPLIT
        if (after := f"{prefix}.feed_forward_after") in read.gains:
            self._grow_normed(f"{prefix}.down", product, before, after)
            return
        hidden = gates * ups  # |silu(g)·u| <= |g|·|u|
        self._grow(f"{prefix}.down", product, before, hidden, float(np.sqrt((hidden**2).sum())), narrows=True)

    def _head(self, table: formats.Linear) -> None:
        head, tied = self.read.matrices["head"], self.read.matrices["head"] is self.read.matrices["embedding"]
        product = table if tied else formats.linear("head", head)
        norm = self._read("norm", product.largest, ("head",))
        gain, spans = self.read.gains["norm"], formats.spans(head.q.shape)
        largest = max(float(formats.row_bounds(head.rows(span).matrix(), gain).max()) for span in spans)
        self.logit_fraction = min(14, math.floor(math.log2(formats.LIMIT / 2 / max(largest, 1.0))))
        if self.logit_fraction < 0:
            raise InputError(f"head: logits of up to {largest:.3g} leave no fraction bits")
        if tied:
            self.constants["head.rows"] = formats.rows(
                "head", product.sigma * 2.0 ** (self.logit_fraction - norm.fraction)
            )
        else:
            self._product("head", product, 2.0 ** (self.logit_fraction - norm.fraction))

    def _norm(self, name: str, largest: int, fraction: int) -> formats.Norm:
        norm = formats.norm(name, self.read.gains[name], fraction, self.read.epsilon, largest)
        self.constants[f"{name}.gain"], self.attributes[name] = norm.gain, dict(norm.attributes)
        return norm

    def _read(self, name: str, largest: int, readers: tuple[str, ...]) -> formats.Norm:
        """A norm whose output products read, up to ``largest``: as it is, or, in a model with outliers among its gains,
        wide and narrowed by the products, each row by its own largest."""
        if not self.outlying:
            return self._norm(name, largest, self.residual)
        norm = self._norm(name, 2**30, self.residual)
        self.attributes[name]["wide"] = 1
        for reader in readers:
            self.attributes[reader]["bits"] = formats.bits(largest)
        return norm

    def _product(self, name: str, product: formats.Linear, scale: formats.Floats | float) -> None:
        self.constants[f"{name}.q"], self.constants[f"{name}.blocks"] = product.q, product.blocks
        self.constants[f"{name}.rows"] = formats.rows(name, product.sigma * scale)

    def _grow(
        self, name: str, product: formats.Linear, before: int, each: formats.Floats, length: float, narrows: bool
    ) -> None:
        """Adds W z to the residual, z in ``before`` fraction bits, |z_i| <= each and |z|_2 <= length."""
        weights, width = self.read.matrices[name], self.read.width
        if narrows:
            self.attributes[name]["bits"] = formats.bits(product.largest)
        matrix = np.abs(weights.matrix())
        by_rows = float((matrix @ each).max())
        by_norms = math.sqrt(float((matrix**2).sum(1).max())) * length
        self.bound += min(by_rows, by_norms) * formats.slack(width)
        after = formats.residual_fraction(name, self.bound, self.finest)
        self.attributes[name]["residual_shift"] = self.residual - after
        self._product(name, product, 2.0 ** (after - before))
        self.residual = after

    def _grow_normed(self, name: str, product: formats.Linear, before: int, norm: str) -> None:
        """Adds gain · norm(W z) to the residual, z in ``before`` fraction bits. What only the norm reads, W z, stays at
        the exponent of each row of z: the most that it could be leaves few bits for what it is."""
        read, bits = self.read, formats.bits(product.largest)
        fraction = formats.unscaled_fraction(name, read.matrices[name], 1 << bits, before, read.epsilon)
        self.attributes[name] |= {"bits": bits, "unscaled": 1}
        self._product(name, product, 2.0 ** (fraction - before))
        added = self._norm(norm, 2**30, fraction)
        self.attributes[norm] |= {"wide": 1, "bits": bits}
        self.bound += formats.normed_bound(read.gains[norm])
        after = formats.residual_fraction(norm, self.bound, self.finest)
        self.attributes[f"{norm}.sum"] = {"shift": self.residual - after, "other_shift": added.fraction - after}
        self.residual = after


def _balanced(gains: list[Any]) -> list[Any]:
    """Gains of the norms of queries and keys, of which q·k sees only the products, pair of a rotation by pair: with as
    much of each product in the one as in the other, outliers of either are halved in bits."""
    if gains[0] is None:
        return gains
    largest = [np.abs(gain.astype(np.float64)).reshape(-1, 2).max(1) for gain in gains]
    ratio = np.divide(largest[1], largest[0], out=np.ones_like(largest[0]), where=np.minimum(*largest) > 0)
    factor = np.repeat(np.sqrt(ratio), 2)
    return [gains[0] * factor, gains[1] / factor]


def _typical(embedding: Weights) -> float:
    """The root of the mean square of the middle row."""
    rows = (embedding.rows(span).matrix().astype(np.float64) for span in formats.spans(embedding.q.shape))
    return float(np.sqrt(np.median(np.concatenate([(each**2).mean(1) for each in rows]))))


def _longest(bias: Any, heads: int) -> float:
    """The largest |b_head|_2."""
    return float(np.sqrt((np.asarray(bias, np.float64).reshape(heads, -1) ** 2).sum(1)).max())
