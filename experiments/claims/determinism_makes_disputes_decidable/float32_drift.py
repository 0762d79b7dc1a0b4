"""A cheat that stays within the float32 tolerance at every node, and pushes every node the way it wants (section 5).

Each node's output y is moved to centre + f·radius·sign(dG/dy), G = logit[wanted] - logit[honest] of the last token and
dG/dy taken on the honest run; the next node starts from what the cheat has committed to, so the referee, who looks at
one node at a time, finds nothing. To first order G moves by the sum over all nodes of |dG/dy|·radius.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from experiments.claims.determinism_makes_disputes_decidable.float32_disputes import Node, Trace, record, walk
from inference import ops
from inference.arithmetic import tolerance
from inference.files.blocks import Weights
from inference.generate import passes
from inference.model import Model
from inference.ops import attention as attention_op
from inference.ops import rope as rope_op
from inference.reference import Array, Reference

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Drift:
    """What a drift came to."""

    gap: float
    """Logit of the honest token less that of the wanted one, before."""
    moved: float
    """How much of it is gone."""
    scale: float
    """Standard deviation of the honest logits, to compare with."""
    trace: Trace
    changed: bool
    """Whether another token comes out."""


Factor = Callable[[str], float]
"""How much of its radius a node may move, by op."""


def drift(model: Model, ids: list[int], factors: list[Factor]) -> list[Drift]:
    """For each of the factors a drift towards the second likeliest token after a prompt of one pass."""
    [honest] = record(Reference(model), ids, 1)
    logits = honest["logits"][0].astype(np.float64)
    wanted, likeliest = np.argsort(logits)[-2:]
    [each] = passes(model, ids, 1)
    inputs = each.inputs(ids)
    known = list(walk(Reference(model), each.graph, inputs, lambda node: honest[node.name]))
    towards = np.zeros((1, len(logits)))
    towards[0, wanted], towards[0, likeliest] = 1, -1
    slopes = gradients(known, {"logits": towards})

    def played(factor: Factor) -> Drift:
        committed: dict[str, Array] = {}

        def output(node: Node) -> Array:
            committed[node.name] = pushed(node, slopes.get(node.name), factor(node.op))
            return committed[node.name]

        for _ in walk(Reference(model), each.graph, inputs, output):
            pass
        after = committed["logits"][0].astype(np.float64)
        gap = logits[likeliest] - logits[wanted]
        moved = float(gap - (after[likeliest] - after[wanted]))
        return Drift(float(gap), moved, float(logits.std()), [committed], int(committed["choice"][0]) != likeliest)

    return [played(factor) for factor in factors]


def pushed(node: Node, slope: Floats | None, factor: float) -> Array:
    """The float32 output that lies ``factor`` of the radius uphill; of a choice the honest one."""
    if slope is None:
        honest: Array = ops.load(node.op).float32(*node.operands.values(), **node.attributes)
        return honest
    found = tolerance.enclosure(node.op, *node.operands.values(), **node.attributes)
    y = (found.centre + factor * found.radius * np.sign(slope)).astype(np.float32)
    beyond = found.used(y) > 1  # rounded outwards
    return np.where(beyond, np.nextafter(y, found.centre.astype(np.float32)), y)


def gradients(known: list[Node], slopes: dict[str, Floats]) -> dict[str, Floats]:
    """dG/dy of every node's output that G depends on, from the slopes at its end, by reverse accumulation."""
    for node in reversed(known):
        if node.name not in slopes or node.op not in PULLED:
            continue
        shares = PULLED[node.op](slopes[node.name], *node.operands.values(), **node.attributes)
        for name, share in zip(node.operands, shares, strict=False):
            if share is not None:
                slopes[name] = slopes[name] + share if name in slopes else share
    return slopes


Pulled = tuple[Floats | None, ...]
"""dG/dx of an op's operands, in order; None for those that are constant."""


def _product(g: Floats, a: Array, q: Array, blocks: Array, residual: Array | None = None, **_: object) -> Pulled:
    """y = W a + r."""
    d, m = (blocks, None) if blocks.ndim == 2 else (blocks[..., :-1].reshape(len(blocks), -1), blocks[..., -1])
    return g @ Weights(q, d, m).matrix().astype(np.float64), None, None, g


def _rms_norm(g: Floats, x: Array, gain: Array, *, first: int = 0, epsilon: float) -> Pulled:
    """y = s x gain, s = (mean x^2 + epsilon)^(-1/2): s g gain - s^3 x mean(g gain x)."""
    wide, weighted = x[first:].astype(np.float64), g * gain
    s = 1 / np.sqrt((wide * wide).mean(1, keepdims=True) + epsilon)
    pulled = s * weighted - s**3 * wide * (weighted * wide).mean(1, keepdims=True)
    return np.vstack((np.zeros((first, x.shape[1])), pulled)), None


def _rope(g: Floats, x: Array, table: Array, places: Array, *, offset: int, heads: int, copied: int = 0) -> Pulled:
    """A rotation back."""
    even, odd, cos, sin, tail = rope_op.pairs(g, table, places, 0, heads, copied)
    turned = np.stack((even * cos + odd * sin, odd * cos - even * sin), axis=3).reshape(len(x), -1)
    pulled = np.zeros(x.shape)
    pulled[:, offset : offset + g.shape[1]] = np.hstack((turned, tail))
    return pulled, None, None


def _attention(
    g: Floats, q: Array, cache: Array, places: Array, *, heads: int, kv_heads: int, capacity: int, **_: object
) -> Pulled:
    """y = pi v: dG/ds = pi (g·v - pi·(g·v)), to q by k / sqrt(w), to k by q / sqrt(w); to v by pi."""
    to_q, to_cache = np.empty(q.shape), np.zeros((len(q), cache.shape[1]))
    wide = q.astype(np.float64)
    for t, (queries, keys, values) in enumerate(attention_op.visible(wide, cache, places, heads, kv_heads, capacity)):
        n, root = len(keys), np.sqrt(queries.shape[2])
        s = np.einsum("kgw,nkw->kgn", queries, keys) / root
        pi = np.exp(s - s.max(2, keepdims=True))
        pi /= pi.sum(2, keepdims=True)
        back = g[t].reshape(queries.shape)
        along = np.einsum("kgw,nkw->kgn", back, values)
        slope = pi * (along - (pi * along).sum(2, keepdims=True)) / root
        to_q[t] = np.einsum("kgn,nkw->kgw", slope, keys).ravel()
        to_keys, to_values = np.einsum("kgn,kgw->nkw", slope, queries), np.einsum("kgn,kgw->nkw", pi, back)
        to_cache[:n] += np.stack((to_keys, to_values), axis=1).reshape(n, -1)
    return to_q, to_cache, None


def _silu_gate(g: Floats, x: Array) -> Pulled:
    """z = gate sigma(gate) up."""
    gate, up = np.split(x.astype(np.float64), 2, axis=1)
    sigma = 1 / (1 + np.exp(-gate))
    return (np.hstack((g * up * sigma * (1 + gate * (1 - sigma)), g * gate * sigma)),)


PULLED: dict[str, Callable[..., Pulled]] = {
    "matmul_q4": _product,
    "matmul_q8": _product,
    "matmul_k": _product,
    "rms_norm": _rms_norm,
    "rope": _rope,
    "attention": _attention,
    "silu_gate": _silu_gate,
}
