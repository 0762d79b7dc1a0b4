"""A decoder as a graph: constants of either arithmetic, and one graph a number of tokens.

What it computes, the parts in brackets where the model has constants for them::

    x = embedding[token]
    for each layer:  q k v = qkv · norm(x) [+ bias],  x += [norm] output · attention(rope([norm] q), rope([norm] k), v)
                     gate up = gate_up · norm(x),     x += [norm] down · (silu(gate) · up)
    logits = head · norm(x)

Layers whose attention has a ``window`` see so many positions and are rotated by ``rotations.local`` if there are any;
the gate may be another curve's.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import signature
from itertools import chain, count, takewhile
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt

from inference import ops
from inference.arithmetic import tables
from inference.arithmetic.formats import longest, rows
from inference.errors import InputError
from inference.files.blocks import Weights
from inference.graph import Arithmetic, add, new, schedule, source
from inference.kernels import holds, kernel
from inference.likeliest import Likeliest
from inference.model import Checkpoint, Model, layer, tokenizer_digest
from inference.models._exact import QKV, Exact, joined, rotations
from inference.ops import Shape
from inference.ops.argmax_partial import SPAN

MOST_ROTATIONS = 2**25
"""Words of the table: twice what 131,072 positions of 128 take."""
MEASURES = ("layers", "width", "heads", "kv_heads", "head_width", "hidden", "vocabulary", "context")


def model(name: str, read: Checkpoint, arithmetic: Arithmetic) -> Model:
    """Constants and formats of a model in one arithmetic.

    Raises:
        InputError: a bound of the exact arithmetic cannot be met; the message names the layer.
    """
    measures, tokenizer = {key: getattr(read, key) for key in MEASURES}, tokenizer_digest(read.tokenizer)
    if arithmetic == "float32":
        constants, attributes = _float32(read)
        return Model(name, arithmetic, measures, divided(constants), attributes, 0, read.end, tokenizer)
    with np.errstate(over="ignore"):  # bounds beyond float32 are infinite, and refused
        exact = Exact(read)
    measures["context"] = exact.context
    return Model(
        name,
        arithmetic,
        measures,
        divided(exact.constants),
        dict(exact.attributes),
        exact.logit_fraction,
        read.end,
        tokenizer,
    )


SHIFTS = {"square_shift": (8, 31), "fraction": (5, 16)}
"""Attributes by which words are shifted, beyond which no step computes anything."""


def check(model: Model) -> None:
    """Refuse a model from a file whose constants and attributes do not fit one another, its measures or its ops.

    Raises:
        InputError: see above.
    """
    constants, measures = model.constants, model.measures
    for name, array in constants.items():
        _check_numbers(model, name, array)
    try:
        built = graph(model, 1, capacity=1)
        logits = built.nodes["logits"]["shape"]
        found = [(sum(_rows(constants)), *constants["embedding.q"].shape[1:]), constants["rotations"].shape]
        rows = (measures["vocabulary"], measures["width"])
    except KeyError as error:
        raise InputError(f"{model.name}: the constant or measure {error} is missing") from None
    if [logits, *found] != [(1, rows[0]), rows, (measures["context"], measures["head_width"] // 2, 2)]:
        raise InputError(f"{model.name}: its embedding, head and rotations do not fit its measures")
    if model.arithmetic == "exact" and measures["context"] > (most := longest(measures["head_width"])):
        raise InputError(f"{model.name}: a context of {measures['context']}; heads of its width see at most {most}")
    for name in schedule(built):
        node = built.nodes[name]
        fields = kernel(model.arithmetic, node["op"]).fields
        for attribute, value in model.attributes.get(name, {}).items():
            kind = fields.get(attribute, "i32")
            if not holds(kind, value):
                raise InputError(f"{model.name}: {name}: {attribute} is {value}; the kernel takes it as {kind}")
        try:
            taken = signature(getattr(ops.load(node["op"]), model.arithmetic))
            given = taken.bind(*node["inputs"], **node["attributes"])
        except TypeError as error:
            raise InputError(f"{model.name}: {name} ({node['op']}): {error}") from None
        given.apply_defaults()
        if node["op"] == "attention" and _short(built, name) != _short(built, node["inputs"][1]):
            raise InputError(f"{model.name}: {name} reads a cache that is {'not ' * _short(built, name)}short")
        for attribute, (low, high) in SHIFTS.items():
            value = given.arguments.get(attribute, low)
            if not low <= value <= high and (attribute != "fraction" or given.arguments.get("gated", True)):
                raise InputError(f"{model.name}: {name}: {attribute} is {value}; {low} to {high} are allowed")
    # In a product without its scales the residual would stand in their place.
    products = (name.removesuffix(".q") for name in constants if name.endswith(".q"))
    lacking = [name for name in products if model.arithmetic == "exact" and f"{name}.rows" not in constants]
    if lacking:
        raise InputError(f"{model.name}: the constant {lacking[0]}.rows is missing")


def _check_numbers(model: Model, name: str, array: npt.NDArray[Any]) -> None:
    """Refuse a constant of another type than its kernels read: weights of 4 or 8 bits, scales of 16, others of 32."""
    of = {"q": ("uint8", "int8"), "blocks": ("int16",)} if model.arithmetic == "exact" else {"q": ("uint8", "int8")}
    allowed = of.get(name.rpartition(".")[2], ("int32",) if model.arithmetic == "exact" else ("float32",))
    if array.dtype.name not in allowed:
        raise InputError(f"{model.name}: the constant {name} is of {array.dtype}; {' or '.join(allowed)} is allowed")
    if array.dtype == np.uint8 and (largest := int(array.max(initial=0))) > 15:
        raise InputError(f"{model.name}: the constant {name} has a weight of {largest}; 4 bits hold 0 to 15")


def _short(built: nx.DiGraph, name: str) -> int:
    return int(built.nodes[name]["attributes"].get("short", 0))


LARGEST_TABLE = 2**27
"""Bytes of an embedding's or a head's weights that one binding holds on every adapter."""


def divided(constants: dict[str, Any]) -> dict[str, Any]:
    """Constants whose embedding and head are cut by rows into parts that a binding holds: ``embedding``,
    ``embedding.1`` and so on, of whole spans of 1,024 tokens."""
    vocabulary, width = constants["embedding.q"].shape
    rows = max(LARGEST_TABLE // width // SPAN, 1) * SPAN
    if vocabulary <= rows:
        return constants
    found = dict(constants)
    for table in ("embedding", "head"):
        for each in ("q", "blocks", "rows"):
            if (whole := found.pop(f"{table}.{each}", None)) is not None:
                for index, at in enumerate(range(0, vocabulary, rows)):
                    found[f"{part(table, index)}.{each}"] = whole[at : at + rows]
    return found


def part(table: str, index: int) -> str:
    """The name of a part."""
    return f"{table}.{index}" if index else table


def _rows(constants: Mapping[str, Any]) -> list[int]:
    """Rows of an embedding, or of its parts."""
    names = takewhile(constants.__contains__, (f"{part('embedding', index)}.q" for index in count()))
    return [len(constants[name]) for name in names]


def windows(measures: Mapping[str, int], window: int, local: Callable[[int], bool]) -> tuple[int, ...]:
    """Of each layer how many positions it sees: the window where it is ``local``; empty without a window."""
    return tuple(window if local(index) else 0 for index in range(measures["layers"])) if window else ()


def _float32(read: Checkpoint) -> tuple[dict[str, Any], dict[str, dict[str, int | float]]]:
    constants: dict[str, Any] = {}

    def product(name: str, weights: Weights) -> None:
        constants[f"{name}.q"] = weights.q
        constants[f"{name}.blocks"] = weights.blocks()

    product("embedding", read.matrices["embedding"])
    tied = read.matrices["head"] is read.matrices["embedding"]
    if not tied:
        product("head", read.matrices["head"])
    if read.embedding_scale != 1:
        if tied:  # the head's blocks are not scaled
            constants["head.blocks"] = constants["embedding.blocks"]
        constants["embedding.blocks"] = constants["embedding.blocks"] * np.float32(read.embedding_scale)
    attributes: dict[str, dict[str, int | float]] = {name: {"epsilon": read.epsilon} for name in read.gains}
    for index in range(read.layers):
        prefix = layer(index)
        product(f"{prefix}.qkv", joined(read, prefix, QKV))
        product(f"{prefix}.gate_up", joined(read, prefix, ("gate", "up")))
        for part in ("output", "down"):
            product(f"{prefix}.{part}", read.matrices[f"{prefix}.{part}"])
        if f"{prefix}.q" in read.biases:
            constants[f"{prefix}.qkv.bias"] = np.concatenate([read.biases[f"{prefix}.{part}"] for part in QKV])
        if read.windows and read.windows[index]:
            attributes[f"{prefix}.attention"] = {"window": read.windows[index]}
        if read.gelu:
            attributes[f"{prefix}.gate"] = {"tanh": 1}
    constants |= {f"{name}.gain": gain for name, gain in read.gains.items()}
    if read.context * read.head_width > MOST_ROTATIONS:
        raise InputError(
            f"a context of {read.context} is too long for rotations in float32 of heads of {read.head_width}: "
            f"{MOST_ROTATIONS // read.head_width} is allowed"
        )
    for name, theta, factors in rotations(read):
        angles = tables.angles(read.context, read.head_width, theta, factors)
        constants[name] = np.stack((np.cos(angles), np.sin(angles)), axis=2).astype(np.float32)
    return constants, attributes


def graph(
    model: Model,
    tokens: int,
    *,
    capacity: int,
    sequences: int = 1,
    first: int = 0,
    temperature: float = 0,
    among: Likeliest | None = None,
) -> nx.DiGraph:
    """The graph of one pass over ``tokens`` tokens, of which those from ``first`` on get logits and a choice.

    Inputs: ``tokens`` (T,), ``places`` (T, 2) of sequence and position and, to sample at a temperature, ``draws``
    (T - first,); states: ``layer00.cache`` and so on, of sequences·capacity rows; ``logits`` (T - first, vocabulary)
    and ``choice`` (T - first,), drawn ``among`` the likeliest where not among all, which is for the exact arithmetic.

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
    curve, exponential = "curve", "exponential"
    x = build.embedding(ids)
    for index in range(measures["layers"]):
        name = layer(index)
        y = build.op(f"{name}.attention_norm", "rms_norm", [x], [f"{name}.attention_norm.gain"])
        window = int(model.attributes.get(f"{name}.attention", {}).get("window", 0))
        table = "rotations.local" if window and "rotations.local" in model.constants else "rotations"
        stored: dict[str, Any] = {"state": True, "heads": kv_heads, "capacity": capacity, "sequences": sequences}
        if f"{name}.query.q" in model.constants:
            q = build.op(f"{name}.query", "matmul_q4", [y], packed(f"{name}.query"), [table], [places], heads=heads)
            cache = build.op(f"{name}.cache", "matmul_q4", [y], packed(f"{name}.cache"), [table], [places], **stored)
        else:
            q = k = build.product(f"{name}.qkv", y)
            if f"{name}.qkv.bias" in model.constants:
                q = k = build.op(f"{name}.biased", "add", [q], [f"{name}.qkv.bias"])
            offset = heads * width
            if f"{name}.query_norm.gain" in model.constants:
                gains = ([f"{name}.{part}_norm.gain"] for part in ("query", "key"))
                of_queries: dict[str, Any] = {"offset": 0, "heads": heads}
                of_keys: dict[str, Any] = {"offset": offset, "heads": kv_heads, "copied": kv_heads * width}
                q = build.op(f"{name}.query_norm", "head_norm", [q], next(gains), **of_queries)
                k = build.op(f"{name}.key_norm", "head_norm", [k], next(gains), **of_keys)
                offset = 0
            q = build.op(f"{name}.query", "rope", [q], [table], [places], offset=0, heads=heads)
            cache = build.op(
                f"{name}.cache", "rope", [k], [table], [places], offset=offset, copied=kv_heads * width, **stored
            )
        y = build.op(
            f"{name}.attention", "attention", [q, cache, places], [exponential],
            heads=heads, kv_heads=kv_heads, capacity=capacity, sequences=sequences,
        )  # fmt: skip
        x = build.grown(f"{name}.output", y, x, f"{name}.attention_after")
        y = build.op(f"{name}.feed_forward_norm", "rms_norm", [x], [f"{name}.feed_forward_norm.gain"])
        if model.constants[f"{name}.gate_up.q"].dtype == np.uint8 and model.arithmetic == "exact":
            z = build.op(f"{name}.gate", "matmul_q4", [y], packed(f"{name}.gate_up"), [curve], gated=True)
        else:
            z = build.op(f"{name}.gate", "silu_gate", [build.product(f"{name}.gate_up", y)], [curve])
        x = build.grown(f"{name}.down", z, x, f"{name}.feed_forward_after")
    y = build.op("norm", "rms_norm", [x], ["norm.gain"], first=first)
    logits = build.logits(y)
    maxima = build.op("maxima", "argmax_partial", [logits])
    if not temperature:
        build.op("choice", "argmax", [maxima])
        return build.graph
    scale: dict[str, Any] = _temperature(model, temperature)
    for name, wanted in among.cuts if among else ():
        last = build.op(name, "cut", [logits, maxima], [exponential], **{**wanted, **scale})
        logits = build.op(f"{name}.kept", "kept", [logits, last])
    sums = build.op("sums", "sample_partial", [logits, maxima], [exponential], **scale)
    draws = source(build.graph, "draws", "input", (tokens - first,))
    build.op("choice", "sample", [logits, maxima, sums, draws], [exponential], **scale)
    return build.graph


def check_temperature(temperature: float) -> None:
    """Refuse a temperature at which no token is drawn.

    Raises:
        InputError: neither 0 nor from 0.05 to 100.
    """
    if temperature and not 0.05 <= temperature <= 100:
        raise InputError(f"temperature {temperature} is not allowed; 0 (the likeliest token) or 0.05 to 100")


def _temperature(model: Model, temperature: float) -> dict[str, int | float]:
    """Attributes of sampling; the exact arithmetic commits to 15 bits of log2(e) / temperature."""
    check_temperature(temperature)
    if model.arithmetic == "float32":
        return {"scale": 1 / temperature}
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
        own = self.model.attributes.get(name, {})
        if of_both := sorted(own.keys() & attributes.keys()):
            raise InputError(f"{self.model.name}: {name}: {of_both[0]} is for the graph to say, not for the model")
        attributes = attributes | own
        if attributes.get("window", 0) >= attributes.get("capacity", 0):  # it hides nothing
            attributes.pop("window", None)
        return add(self.graph, name, op, sources, state=name if state else None, **attributes)

    def product(self, name: str, a: str, *, residual: str | None = None) -> str:
        """A product with packed weights, its residual added."""
        q, blocks, scales = packed(name)
        op = self._product(q, blocks)
        if residual is None:
            return self.op(name, op, [a], [q, blocks, scales])
        return self.op(name, op, [a], [q, blocks, scales], [residual], adds=True)

    def embedding(self, ids: str) -> str:
        """Rows of the table, or the sum of those of its parts, of which all but one are zeros."""
        rows = _rows(self.model.constants)
        op = "embedding_q4" if self.model.constants["embedding.q"].dtype == np.uint8 else "embedding"
        if len(rows) == 1:
            return self.op("embedding", op, [ids], packed("embedding"))
        total = ""
        for index in range(len(rows)):
            name = f"embedding.part{index}"
            x = self.op(name, op, [ids], packed(part("embedding", index)), first=sum(rows[:index]))
            total = self.op(f"embedding.sum{index}", "add", [total], [x]) if total else x
        return total

    def logits(self, y: str) -> str:
        """The head's products, those of its parts side by side."""
        parts, joined = len(_rows(self.model.constants)), ""
        for index in range(parts):
            head, embedding = part("head", index), part("embedding", index)
            held = [
                f"{head if f'{head}.{each}' in self.model.constants else embedding}.{each}" for each in ("q", "blocks")
            ]
            name = "logits" if parts == 1 else f"logits.part{index}"
            narrowing: dict[str, Any] = {**self.model.attributes.get("head", {})}
            logits = self.op(name, self._product(*held), [y], [*held, f"{head}.rows"], **narrowing)
            last = index == parts - 1
            joined = (
                self.op("logits" if last else f"logits.to{index}", "join", [joined], [logits]) if joined else logits
            )
        return joined

    def grown(self, name: str, a: str, x: str, norm: str) -> str:
        """x and a product of a, which has passed a norm if there is one."""
        if f"{norm}.gain" not in self.model.constants:
            return self.product(name, a, residual=x)
        read = [a] if "bits" in self.model.attributes.get(norm, {}) else []
        y = self.op(norm, "rms_norm", [self.product(name, a)], [f"{norm}.gain"], read)
        return self.op(f"{norm}.sum", "add", [x, y])

    def _product(self, q: str, blocks: str) -> str:
        """The op that multiplies by packed weights."""
        if self.model.constants[q].dtype == np.uint8:
            return "matmul_q4"
        return "matmul_q8" if self.model.constants[blocks].ndim == 2 else "matmul_k"

    def _weight(self, key: str) -> str:
        shape: Shape = self.model.constants[key].shape
        return source(self.graph, key, "weight", shape)
