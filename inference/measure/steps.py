"""What disputes over models of given shapes open, walked without their weights: ``python -m inference.measure.steps``.

The first, a middle and the last leaf of the last row of every op are derived, in the last pass of each shape: it sees
most positions, and has the longest derivation.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.arithmetic import formats, tables
from inference.computation import Inference
from inference.model import Model, layer
from inference.models.llama import MEASURES
from inference.ops._drawing import scale_of
from inference.reference import Reference
from inference.steps import LEAF, Step

CONTEXT = 8192
SHAPES = {
    "SmolLM2-135M": (30, 576, 9, 3, 64, 1536, 49152, CONTEXT),
    "Llama-2-7B": (32, 4096, 32, 32, 128, 11008, 32000, CONTEXT),
    "Llama-3-8B": (32, 4096, 32, 8, 128, 14336, 128256, CONTEXT),
    "Llama-3-70B": (80, 8192, 64, 8, 128, 28672, 128256, CONTEXT),
    "Llama-3.1-405B": (126, 16384, 128, 8, 128, 53248, 128256, CONTEXT),
    "71 heads of one key": (32, 4544, 71, 1, 64, 18176, 65024, CONTEXT),
}
"""``MEASURES`` of models, and of one whose heads share one key head and are cut by leaves."""
LEVELS = 2
"""Levels of a tree that one round descends."""
ENVELOPE, QUOTES, DIGEST = 600, 40, 32
"""Bytes of a message besides what is opened, of a source besides words and proofs, and of a digest."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What an architecture's layers have besides a Llama's."""

    tensors: frozenset[str] = frozenset()
    """By the names of ``models._architecture``."""
    windows: tuple[int, ...] = ()
    """Of ``Checkpoint``."""
    local: bool = False
    """Whether layers with a window have rotations of their own."""


LLAMA = Parts()


def without_weights(
    measures: tuple[int, ...],
    *,
    eight: bool | frozenset[str] = False,
    halves: frozenset[str] = frozenset(),
    tied: bool = False,
    parts: Parts = LLAMA,
) -> Model:
    """A model of these measures, its constants all zero and without memory; ``eight``: whether products of its layers
    have 8 bits, not 4, as embedding and head have, or the names of all that do; ``halves``: of those with a step of
    each half of a block."""
    of = dict(zip(MEASURES, measures, strict=True))
    width, hidden, vocabulary = of["width"], of["hidden"], of["vocabulary"]
    queries, keys = of["heads"] * of["head_width"], 2 * of["kv_heads"] * of["head_width"]
    constants: dict[str, npt.NDArray[Any]] = {"exponential": tables.exponential(), "curve": tables.silu_curve()}
    constants["rotations"] = _zeros(np.int32, of["context"], of["head_width"] // 2, 2)
    attributes: dict[str, dict[str, int | float]] = {}

    def of_eight(name: str) -> bool:
        return eight if isinstance(eight, bool) else name in eight

    def product(name: str, rows: int, columns: int, wide: bool) -> None:
        constants[f"{name}.q"] = _zeros(np.int8 if wide else np.uint8, rows, columns)
        each = (3,) if name in halves else () if wide else (2,)
        constants[f"{name}.blocks"] = _zeros(np.int16, rows, columns // 32, *each)
        constants[f"{name}.rows"] = _zeros(np.int32, rows, 2)

    def norm(name: str, width: int = width) -> None:
        constants[f"{name}.gain"] = _zeros(np.int32, width)
        attributes[name] = dict(formats.norm(name, np.ones(width, np.float32), 10, 1e-5, 32767).attributes)

    def added(name: str, after: str) -> None:
        """What a product adds to the residual, normed before if there is such a norm."""
        attributes[f"{prefix}.{name}"] = {"residual_shift": 0}
        if after in parts.tensors:
            norm(f"{prefix}.{after}")
            attributes[f"{prefix}.{name}"] = {"bits": 14, "unscaled": 1}
            attributes[f"{prefix}.{after}"] |= {"wide": 1, "bits": 14}

    tables_of_eight = ("embedding", "head") if isinstance(eight, bool) else eight
    product("embedding", vocabulary, width, "embedding" in tables_of_eight)
    if parts.local:
        constants["rotations.local"] = constants["rotations"]
    for index in range(of["layers"]):
        prefix = layer(index)
        norm(f"{prefix}.attention_norm")
        norm(f"{prefix}.feed_forward_norm")
        joined = of_eight(f"{prefix}.qkv") or bool(parts.tensors & {"q.bias", "query_norm"})
        for name, rows in ({"qkv": queries + keys} if joined else {"query": queries, "cache": keys}).items():
            product(f"{prefix}.{name}", rows, width, of_eight(f"{prefix}.qkv"))
        if "q.bias" in parts.tensors:
            constants[f"{prefix}.qkv.bias"] = _zeros(np.int32, queries + keys)
        for name in sorted(parts.tensors & {"query_norm", "key_norm"}):
            norm(f"{prefix}.{name}", of["head_width"])
        for name, (rows, columns) in {
            "output": (width, queries),
            "gate_up": (2 * hidden, width),
            "down": (width, hidden),
        }.items():
            product(f"{prefix}.{name}", rows, columns, of_eight(f"{prefix}.{name}"))
        window = {"window": parts.windows[index]} if parts.windows and parts.windows[index] else {}
        attributes[f"{prefix}.attention"] = {**scale_of(2.0**-9), "value_shift": 9, "short": 1, **window}
        attributes[f"{prefix}.cache"] = {"short": 1}
        attributes[f"{prefix}.gate"] = {"fraction": 12}
        added("output", "attention_after")
        added("down", "feed_forward_after")
        attributes[f"{prefix}.down"]["bits"] = 14
    norm("norm")
    product("head", vocabulary, width, "head" in tables_of_eight)
    if tied:
        del constants["head.q"], constants["head.blocks"]
    return Model("shape", "exact", of, constants, attributes, 14)


def _zeros(kind: npt.DTypeLike, *shape: int) -> npt.NDArray[Any]:
    return np.broadcast_to(np.zeros((), kind), shape)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf's derivation, and what a dispute over it takes."""

    name: str
    op: str
    steps: int
    macs: int
    """Of its largest step."""
    opening: int
    """Bytes of its largest ``open``."""
    rounds: int
    """Of the descents over nodes, leaves and steps."""


def walk(computation: Inference) -> Iterator[Leaf]:
    """The leaves walked of a run: of ops of the first layer and outside layers, in the last pass of each shape."""
    nodes = computation.nodes
    counts = {each.count: each.name for each in computation.passes}  # the last of each
    walked = {*counts.values(), "output"}
    for index, node in enumerate(nodes):
        of_pass, _, name = node.name.partition(".")
        if of_pass in walked and (not name.startswith("layer") or name.startswith(layer(0))):
            each = -(-node.words // LEAF)
            for leaf in sorted({(node.rows - 1) * each + chunk for chunk in (0, each // 2, each - 1)}):
                steps = computation.steps(index, leaf)
                depths = [_depth(len(nodes)), _depth(node.rows * each), _depth(len(steps))]
                opening = max(_opening(computation, steps, step) for step in steps)
                rounds = sum(-(-depth // LEVELS) for depth in depths)
                yield Leaf(node.name, node.op, len(steps), max(step.macs for step in steps), opening, rounds)


def _depth(count: int) -> int:
    return (count - 1).bit_length()


def _opening(computation: Inference, steps: Sequence[Step], step: Step) -> int:
    """Bytes of the message that opens the sources of a step."""
    total = ENVELOPE
    for source in step.sources:
        if isinstance(source, int):
            words, depth = steps[source].words, _depth(len(steps))
        else:
            node = computation.nodes[source[0]]
            each = -(-node.words // LEAF)
            words = min(LEAF, node.words - LEAF * (source[1] % each))
            depth = _depth(len(computation.nodes)) + _depth(node.rows * each)
        total += QUOTES + 4 * math.ceil(4 * words / 3) + 4 * math.ceil(DIGEST * depth / 3)
    return total


if __name__ == "__main__":
    for shape, measures in SHAPES.items():
        for eight in (False, True):
            model = without_weights(measures, eight=eight)
            run = Inference(Reference(model), [0] * (CONTEXT - 32), limit=32, temperature=0.8)
            found = list(walk(run))
            print(f"{shape}, {8 if eight else 4} bits: {len(run.nodes)} nodes, {run.macs:.3g} multiply-accumulates")
            for op in sorted({leaf.op for leaf in found}):
                of_op = [leaf for leaf in found if leaf.op == op]
                figures = [
                    max(getattr(leaf, name) for leaf in of_op) for name in ("steps", "macs", "opening", "rounds")
                ]
                print(f"  {op:16}", *(f"{figure:9,}" for figure in figures))
