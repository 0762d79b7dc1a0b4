"""A Llama's constants and formats in the exact arithmetic: bounds carried from the embedding to the head."""

import math
from typing import Any

import numpy as np

from inference.arithmetic import formats, tables
from inference.errors import InputError
from inference.files.blocks import Weights, concatenate, eight_bits
from inference.model import Llama, layer
from inference.ops.matmul_q4 import paired


def joined(llama: Llama, prefix: str, parts: tuple[str, ...]) -> Weights:
    """Matrices of one input as one product; of different formats, all at 8 bits."""
    matrices = [llama.matrices[f"{prefix}.{part}"] for part in parts]
    if len({matrix.op for matrix in matrices}) > 1:
        matrices = [eight_bits(matrix.matrix()) for matrix in matrices]
    return concatenate(matrices)


class Exact:
    """Constants and attributes by name, filled from the first op to the last."""

    def __init__(self, llama: Llama) -> None:
        self.llama = llama
        self.context = min(llama.context, formats.LONGEST)
        self.constants: dict[str, Any] = {
            "exponential": tables.exponential(),
            "curve": tables.silu_curve(),
            "rotations": tables.rotations(self.context, llama.head_width, llama.theta, llama.rotation_factors),
        }
        self.attributes: dict[str, dict[str, int | float]] = {}
        table = self._embedding()
        for index in range(llama.layers):
            self._attention(layer(index))
            self._feed_forward(layer(index))
        self._head(table)

    def _embedding(self) -> formats.Linear:
        embedding = self.llama.matrices["embedding"]
        table = formats.linear("embedding", embedding)
        largest = np.abs(embedding.d).max(1) * np.abs(embedding.q.astype(np.int64)).max(1)
        self.bound = float(largest.max()) + 2**-10
        """|x| of the residual, whatever the input."""
        self.residual = formats.residual_fraction("embedding", self.bound)
        """Its fraction bits."""
        self.constants["embedding.q"], self.constants["embedding.blocks"] = table.q, table.blocks
        # The accumulator's unit is sigma·2^16; the kernel multiplies (q·D) << 8 instead.
        self.constants["embedding.rows"] = formats.rows("embedding", table.sigma * 2.0 ** (self.residual - 16 - 8))
        return table

    def _attention(self, prefix: str) -> None:
        llama, gain = self.llama, self.llama.gains[f"{prefix}.attention_norm"]
        q, k, v = (llama.matrices[f"{prefix}.{part}"].matrix() for part in "qkv")
        output = llama.matrices[f"{prefix}.output"]
        product = formats.linear(f"{prefix}.output", output)
        values = formats.row_bounds(v, gain)
        attention = formats.attention(
            f"{prefix}.attention",
            query=formats.head_bound(q, gain, llama.heads),
            key=formats.head_bound(k, gain, llama.kv_heads),
            value=float(values.max()),
            head_width=llama.head_width,
            context=self.context,
            largest=product.largest,
        )
        self.attributes[f"{prefix}.attention"] = dict(attention.attributes)
        qkv = formats.linear(f"{prefix}.qkv", joined(llama, prefix, ("q", "k", "v")))
        norm = self._norm(f"{prefix}.attention_norm", qkv.largest)
        to = np.repeat(
            [attention.query_fraction, attention.key_fraction, attention.value_fraction], [len(q), len(k), len(v)]
        )
        self._product(f"{prefix}.qkv", qkv, np.exp2(to - float(norm.fraction)))
        if qkv.q.dtype == np.uint8:  # two products, each of which rotates its heads at once
            for part in ("q", "blocks", "rows"):
                both = np.split(self.constants.pop(f"{prefix}.qkv.{part}"), [len(q)])
                self.constants[f"{prefix}.query.{part}"], self.constants[f"{prefix}.cache.{part}"] = both
        # Every head's output lies in the hull of its values: bounded row by row, and by norms.
        group = llama.heads // llama.kv_heads
        hull = math.sqrt(llama.heads) * formats.head_bound(v, gain, llama.kv_heads)
        each = np.repeat(values.reshape(llama.kv_heads, -1), group, axis=0).ravel()
        after = self._grow(f"{prefix}.output", output, each, hull)
        self._product(f"{prefix}.output", product, 2.0 ** (after - attention.fraction))

    def _feed_forward(self, prefix: str) -> None:
        llama, gain = self.llama, self.llama.gains[f"{prefix}.feed_forward_norm"]
        gates, ups = (formats.row_bounds(llama.matrices[f"{prefix}.{part}"].matrix(), gain) for part in ("gate", "up"))
        fraction = formats.gate(f"{prefix}.gate", gates, ups)
        self.attributes[f"{prefix}.gate"] = {"fraction": fraction}
        product = formats.linear(f"{prefix}.gate_up", joined(llama, prefix, ("gate", "up")))
        norm = self._norm(f"{prefix}.feed_forward_norm", product.largest)
        self._product(f"{prefix}.gate_up", product, 2.0 ** (fraction - norm.fraction))
        if product.q.dtype == np.uint8:  # the product makes the gate at once
            for part in ("q", "blocks", "rows"):
                self.constants[f"{prefix}.gate_up.{part}"] = paired(self.constants[f"{prefix}.gate_up.{part}"])
        down = llama.matrices[f"{prefix}.down"]
        product = formats.linear(f"{prefix}.down", down)
        hidden = gates * ups  # |silu(g)·u| <= |g|·|u|
        after = self._grow(f"{prefix}.down", down, hidden, float(np.sqrt((hidden**2).sum())))
        self.attributes[f"{prefix}.down"]["bits"] = (product.largest + 1).bit_length() - 1
        self._product(f"{prefix}.down", product, 2.0 ** (after - (2 * fraction - formats.GATE_SPLIT)))

    def _head(self, table: formats.Linear) -> None:
        head, tied = self.llama.matrices["head"], self.llama.matrices["head"] is self.llama.matrices["embedding"]
        product = table if tied else formats.linear("head", head)
        norm = self._norm("norm", product.largest)
        largest = float(formats.row_bounds(head.matrix(), self.llama.gains["norm"]).max())
        self.logit_fraction = min(14, math.floor(math.log2(formats.LIMIT / 2 / max(largest, 1.0))))
        if self.logit_fraction < 0:
            raise InputError(f"head: logits of up to {largest:.3g} leave no fraction bits")
        if tied:
            self.constants["head.rows"] = formats.rows(
                "head", product.sigma * 2.0 ** (self.logit_fraction - norm.fraction)
            )
        else:
            self._product("head", product, 2.0 ** (self.logit_fraction - norm.fraction))

    def _norm(self, name: str, largest: int) -> formats.Norm:
        norm = formats.norm(name, self.llama.gains[name], self.residual, self.llama.epsilon, largest)
        self.constants[f"{name}.gain"], self.attributes[name] = norm.gain, dict(norm.attributes)
        return norm

    def _product(self, name: str, product: formats.Linear, scale: formats.Floats | float) -> None:
        self.constants[f"{name}.q"], self.constants[f"{name}.blocks"] = product.q, product.blocks
        self.constants[f"{name}.rows"] = formats.rows(name, product.sigma * scale)

    def _grow(self, name: str, weights: Weights, each: formats.Floats, length: float) -> int:
        """The residual after W z is added, |z_i| <= each and |z|_2 <= length: its fraction bits."""
        matrix = np.abs(weights.matrix())
        by_rows = float((matrix @ each).max())
        by_norms = math.sqrt(float((matrix**2).sum(1).max())) * length
        self.bound += min(by_rows, by_norms) * formats.slack(self.llama.width)
        after = formats.residual_fraction(name, self.bound)
        self.attributes[name] = {"residual_shift": self.residual - after}
        self.residual = after
        return after
