"""A Llama model as a graph: constants of either arithmetic, and one graph a number of tokens.

What it computes::

    x = embedding[token]
    for each layer:  x += output · attention(rope(q), rope(k), v),  [q k v] = qkv · norm(x)
                     x += down · (silu(gate) · up),                 [gate up] = gate_up · norm(x)
    logits = head · norm(x)
"""

import math
from dataclasses import dataclass
from inspect import signature
from itertools import chain
from typing import Any

import networkx as nx
import numpy as np

from inference import ops
from inference.arithmetic import tables
from inference.arithmetic.formats import rows
from inference.errors import InputError
from inference.files.blocks import Weights
from inference.graph import Arithmetic, add, new, schedule, source
from inference.model import Llama, Model, layer, tokenizer_digest
from inference.models.llama_exact import Exact, joined
from inference.ops import Shape

MOST_ROTATIONS = 2**25
"""Words of the table: twice what 131,072 positions of 128 take."""
MEASURES = ("layers", "width", "heads", "kv_heads", "head_width", "hidden", "vocabulary", "context")


def model(name: str, llama: Llama, arithmetic: Arithmetic) -> Model:
    """Constants and formats of a model in one arithmetic.

    Raises:
        InputError: a bound of the exact arithmetic cannot be met; the message names the layer.
    """
    measures, tokenizer = {key: getattr(llama, key) for key in MEASURES}, tokenizer_digest(llama.tokenizer)
    if arithmetic == "float32":
        constants, attributes = _float32(llama)
        return Model(name, arithmetic, measures, constants, attributes, 0, llama.end, tokenizer)
    with np.errstate(over="ignore"):  # bounds beyond float32 are infinite, and refused
        exact = Exact(llama)
    measures["context"] = exact.context
    return Model(
        name,
        arithmetic,
        measures,
        exact.constants,
        exact.attributes,
        exact.logit_fraction,
        llama.end,
        tokenizer,
    )


SHIFTS = {"square_shift": (1, 31), "fraction": (5, 16)}
"""Attributes by which words are shifted, beyond which no step computes anything."""


def check(model: Model) -> None:
    """Refuse a model from a file whose constants and attributes do not fit one another, its measures or its ops.

    Raises:
        InputError: see above.
    """
    constants, measures = model.constants, model.measures
    try:
        built = graph(model, 1, capacity=1)
        logits = built.nodes["logits"]["shape"]
        found = [constants[name].shape for name in ("embedding.q", "rotations")]
        rows = (measures["vocabulary"], measures["width"])
    except KeyError as error:
        raise InputError(f"{model.name}: the constant or measure {error} is missing") from None
    if [logits, *found] != [(1, rows[0]), rows, (measures["context"], measures["head_width"] // 2, 2)]:
        raise InputError(f"{model.name}: its embedding, head and rotations do not fit its measures")
    for name in schedule(built):
        node = built.nodes[name]
        try:
            taken = signature(getattr(ops.load(node["op"]), model.arithmetic))
            given = taken.bind(*node["inputs"], **node["attributes"])
        except TypeError as error:
            raise InputError(f"{model.name}: {name} ({node['op']}): {error}") from None
        given.apply_defaults()
        for attribute, (low, high) in SHIFTS.items():
            value = given.arguments.get(attribute, low)
            if not low <= value <= high and (attribute != "fraction" or given.arguments.get("gated", True)):
                raise InputError(f"{model.name}: {name}: {attribute} is {value}; {low} to {high} are allowed")
    # In a product without its scales the residual would stand in their place.
    products = (name.removesuffix(".q") for name in constants if name.endswith(".q"))
    lacking = [name for name in products if model.arithmetic == "exact" and f"{name}.rows" not in constants]
    if lacking:
        raise InputError(f"{model.name}: the constant {lacking[0]}.rows is missing")


def _float32(llama: Llama) -> tuple[dict[str, Any], dict[str, dict[str, int | float]]]:
    constants: dict[str, Any] = {}

    def product(name: str, weights: Weights) -> None:
        constants[f"{name}.q"] = weights.q
        constants[f"{name}.blocks"] = weights.d if weights.m is None else np.stack((weights.d, weights.m), axis=2)

    product("embedding", llama.matrices["embedding"])
    if llama.matrices["head"] is not llama.matrices["embedding"]:
        product("head", llama.matrices["head"])
    for index in range(llama.layers):
        prefix = layer(index)
        product(f"{prefix}.qkv", joined(llama, prefix, ("q", "k", "v")))
        product(f"{prefix}.gate_up", joined(llama, prefix, ("gate", "up")))
        for part in ("output", "down"):
            product(f"{prefix}.{part}", llama.matrices[f"{prefix}.{part}"])
    constants |= {f"{name}.gain": gain for name, gain in llama.gains.items()}
    if llama.context * llama.head_width > MOST_ROTATIONS:
        raise InputError(
            f"a context of {llama.context} is too long for rotations in float32 of heads of {llama.head_width}: "
            f"{MOST_ROTATIONS // llama.head_width} is allowed"
        )
    angles = tables.angles(llama.context, llama.head_width, llama.theta, llama.rotation_factors)
    constants["rotations"] = np.stack((np.cos(angles), np.sin(angles)), axis=2).astype(np.float32)
    return constants, {name: {"epsilon": llama.epsilon} for name in llama.gains}


def graph(
    model: Model, tokens: int, *, capacity: int, sequences: int = 1, first: int = 0, temperature: float = 0
) -> nx.DiGraph:
    """The graph of one pass over ``tokens`` tokens, of which those from ``first`` on get logits and a choice.

    Inputs: ``tokens`` (T,), ``places`` (T, 2) of sequence and position and, to sample at a temperature, ``draws``
    (T - first,); states: ``layer00.cache`` and so on, of sequences·capacity rows; ``logits`` (T - first, vocabulary)
    and ``choice`` (T - first,).

    Raises:
        InputError: a capacity beyond the model's context, a temperature that is not allowed.
    """
    if capacity > model.measures["context"]:
        raise InputError(f"{capacity} positions exceed the context of {model.name}: {model.measures['context']}")
    build = _Graph(model, new(model.arithmetic))
    measures = model.measures
    heads, kv_heads, width = measures["heads"], measures["kv_heads"], measures["head_width"]
    ids = source(build.graph, "tokens", "input", (tokens,))
    places = source(build.graph, "places", "input", (tokens, 2))
    rotations, curve, exponential = "rotations", "curve", "exponential"
    x = build.op("embedding", "embedding", [ids], ["embedding.q", "embedding.blocks", "embedding.rows"])
    for index in range(measures["layers"]):
        name = layer(index)
        y = build.op(f"{name}.attention_norm", "rms_norm", [x], [f"{name}.attention_norm.gain"])
        if f"{name}.query.q" in model.constants:
            q = build.op(f"{name}.query", "matmul_q4", [y], packed(f"{name}.query"), [rotations], [places], heads=heads)
            cache = build.op(
                f"{name}.cache", "matmul_q4", [y], packed(f"{name}.cache"), [rotations], [places], state=True,
                heads=kv_heads, capacity=capacity, sequences=sequences,
            )  # fmt: skip
        else:
            qkv = build.product(f"{name}.qkv", y)
            q = build.op(f"{name}.query", "rope", [qkv], [rotations], [places], offset=0, heads=heads)
            cache = build.op(
                f"{name}.cache", "rope", [qkv], [rotations], [places], state=True,
                offset=heads * width, heads=kv_heads, copied=kv_heads * width, capacity=capacity, sequences=sequences,
            )  # fmt: skip
        y = build.op(
            f"{name}.attention", "attention", [q, cache, places], [exponential],
            heads=heads, kv_heads=kv_heads, capacity=capacity, sequences=sequences,
        )  # fmt: skip
        x = build.product(f"{name}.output", y, residual=x)
        y = build.op(f"{name}.feed_forward_norm", "rms_norm", [x], [f"{name}.feed_forward_norm.gain"])
        if model.constants[f"{name}.gate_up.q"].dtype == np.uint8 and model.arithmetic == "exact":
            z = build.op(f"{name}.gate", "matmul_q4", [y], packed(f"{name}.gate_up"), [curve], gated=True)
        else:
            z = build.op(f"{name}.gate", "silu_gate", [build.product(f"{name}.gate_up", y)], [curve])
        x = build.product(f"{name}.down", z, residual=x)
    y = build.op("norm", "rms_norm", [x], ["norm.gain"], first=first)
    head = "head" if "head.q" in model.constants else "embedding"
    logits = build.op("logits", "matmul_q8", [y], [f"{head}.q", f"{head}.blocks", "head.rows"])
    maxima = build.op("maxima", "argmax_partial", [logits])
    if not temperature:
        build.op("choice", "argmax", [maxima])
        return build.graph
    scale: dict[str, Any] = _temperature(model, temperature)
    sums = build.op("sums", "sample_partial", [logits, maxima], [exponential], **scale)
    draws = source(build.graph, "draws", "input", (tokens - first,))
    build.op("choice", "sample", [logits, maxima, sums, draws], [exponential], **scale)
    return build.graph


def _temperature(model: Model, temperature: float) -> dict[str, int | float]:
    """Attributes of sampling; the exact arithmetic commits to 15 bits of log2(e) / temperature."""
    if not 0.05 <= temperature <= 100:
        raise InputError(f"temperature {temperature} is not allowed; 0 (the likeliest token) or 0.05 to 100")
    if model.arithmetic == "float32":
        return {"scale": 1 / temperature}
    if model.measures["vocabulary"] >= 2**17:
        raise InputError(f"exact sampling takes vocabularies below {2**17}, not {model.measures['vocabulary']}")
    factor = math.log2(math.e) / temperature * 2.0 ** (8 - model.logit_fraction)
    [[mantissa, shift]] = rows("temperature", np.array([factor])).tolist()
    if shift < 0:
        raise InputError(f"temperature {temperature} is too low for logits of {model.logit_fraction} fraction bits")
    return {"mantissa": mantissa, "shift": shift}


def packed(name: str) -> list[str]:
    """The constants of a product with packed weights."""
    return [f"{name}.{part}" for part in ("q", "blocks", "rows")]


@dataclass(frozen=True, slots=True)
class _Graph:
    """Adds ops with the constants and attributes the model has for them."""

    model: Model
    graph: nx.DiGraph

    def op(self, name: str, op: str, *inputs: list[str], state: bool = False, **attributes: Any) -> str:
        """An op; of its inputs those that are constants of the model become weights, and those it lacks fall away."""
        sources = [
            self._weight(key) if key not in self.graph else key
            for key in chain.from_iterable(inputs)
            if key in self.graph or key in self.model.constants
        ]
        attributes = attributes | self.model.attributes.get(name, {})
        return add(self.graph, name, op, sources, state=name if state else None, **attributes)

    def product(self, name: str, a: str, *, residual: str | None = None) -> str:
        """A product with packed weights, its residual added."""
        op = "matmul_q4" if self.model.constants[f"{name}.q"].dtype == np.uint8 else "matmul_q8"
        if residual is None:
            return self.op(name, op, [a], packed(name))
        return self.op(name, op, [a], packed(name), [residual], adds=True)

    def _weight(self, key: str) -> str:
        shape: Shape = self.model.constants[key].shape
        return source(self.graph, key, "weight", shape)
