"""A diffusion model's ONNX graph as a graph of ours: its nodes read in order, as tensors or as what is not yet
complete.

Ops that make sense together only (a group norm is two reshapes, an instance norm, a product and a sum; silu a sigmoid
and a product; attention two einsums and a softmax) are kept until it is seen what they are part of.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from inference.errors import InputError
from inference.files.onnx_file import Node, OnnxGraph, folded
from inference.graph import Arithmetic
from inference.models.layers import Layers, Tensor
from inference.ops import Shape

Array = npt.NDArray[Any]
EINSUMS = {b"bct,bcs->bts": "scores", b"bts,bcs->bct": "mix"}
LARGEST_SIDE = 1024
"""Pixels of an image's side."""


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """A convolution, of whose rows one of several equal parts is taken; queries, keys and values have a factor."""

    x: Tensor
    weight: Array
    bias: Array
    stride: int = 1
    factor: float = 1.0
    width: int = 0
    """Of a head, once that is seen."""


@dataclass(frozen=True, slots=True, eq=False)
class Half:
    """One half of a tensor's channels, and whether 1 was added."""

    x: Tensor
    index: int
    plus_one: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Norm:
    """A group norm, before or after its gains and biases."""

    x: Tensor
    groups: int
    epsilon: float = 0.0
    gain: Array | None = None
    bias: Array | None = None
    modulation: Tensor | None = None
    complete: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Sigmoid:
    """Of a value by its name."""

    of: str


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Products of queries and keys, and whether their softmax is taken."""

    q: Product
    k: Product
    softmax: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Sum:
    """One or two tensors with factors."""

    terms: tuple[tuple[float, Tensor], ...]


Value: TypeAlias = Tensor | Product | Half | Norm | Sigmoid | Scores | Sum


@dataclass(slots=True, eq=False)
class Reader:
    """Reads one graph; ``values`` begins with the tensors of its inputs, ``known`` with constants."""

    file: OnnxGraph
    arithmetic: Arithmetic
    layers: Layers = field(init=False)
    shapes: dict[str, Shape] = field(default_factory=dict)
    arrays: dict[str, Array] = field(default_factory=dict)
    known: dict[str, Array] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    made: dict[str, Tensor] = field(default_factory=dict)
    """Values that are tensors by now."""
    numbers: Any = field(default_factory=count)

    def __post_init__(self) -> None:
        self.layers = Layers(self.arithmetic, self.shapes, self.arrays.__getitem__)
        self.known |= self.file.constants

    def run(self) -> None:
        """All nodes.

        Raises:
            InputError: one that is no part of such a model.
        """
        for node in self.file.nodes:
            missing = [name for name in node.inputs if name and name not in self.values and name not in self.known]
            self.require(not missing, node, f"reads {', '.join(missing)}, which nothing before it gives")
            taken = [name for name in node.outputs if name in self.values or name in self.known]
            self.require(not taken, node, "has a name that is taken")
            if node.op == "Shape":
                self.known[node.outputs[0]] = self.shape_of(node)
            elif node.op != "Gemm" and all(name in self.known for name in node.inputs if name):
                self.known[node.outputs[0]] = folded(self.file.path, node, self.known)
            else:
                self.read(node)

    def require(self, holds: bool, node: Node, what: str) -> None:
        """InputError unless it holds."""
        if not holds:
            raise InputError(f"{self.file.path}: {node.outputs[0]} ({node.op}) {what}")

    def read(self, node: Node) -> None:
        """A node that reads what is not constant."""
        reader = READERS.get(node.op)
        if reader is None:
            raise InputError(f"{self.file.path}: the op {node.op} is not known; {', '.join(sorted(READERS))} are")
        found = reader(self, node)
        each = found if isinstance(found, list) else [found]
        self.require(len(each) == len(node.outputs), node, f"gives {len(each)} values, not {len(node.outputs)}")
        self.values.update(zip(node.outputs, each, strict=True))

    def name(self, op: str) -> str:
        """Of the next node: names sort as the file does."""
        return f"{next(self.numbers):04d}.{op}"

    def tensor(self, node: Node, name: str) -> Tensor:
        """A value as a tensor, which is added to the graph where it is complete by now."""
        if name not in self.made:
            self.made[name] = self.put(node, name)
        return self.made[name]

    def put(self, node: Node, name: str, *, silu: bool = False) -> Tensor:
        """A value put into the graph."""
        if name in self.known:
            vector = self.known[name]
            self.require(vector.ndim == 2 and len(vector) == 1 and np.abs(vector).max() <= 1, node, f"reads {name}")
            return self.layers.constant(self.name("constant"), vector)
        value = self.values[name]
        if isinstance(value, Tensor):
            return value
        if isinstance(value, Product):
            own = self.parameters("conv", weight=value.weight, bias=value.bias)
            return self.layers.conv(own, value.x, own, stride=value.stride)
        if isinstance(value, Sum):
            return self.layers.combine(self.name("sum"), value.terms)
        self.require(isinstance(value, Norm) and value.complete, node, f"reads {name}, which is not complete")
        assert isinstance(value, Norm) and value.gain is not None and value.bias is not None
        own = self.parameters("norm", weight=value.gain.ravel(), bias=value.bias.ravel())
        return self.layers.group_norm(
            own, value.x, own, groups=value.groups, epsilon=value.epsilon, silu=silu, modulation=value.modulation
        )

    def parameters(self, op: str, **parts: Array) -> str:
        """Arrays as parameters; the name of the next node, which has them."""
        name = self.name(op)
        for part, array in parts.items():
            self.arrays[f"{name}.{part}"], self.shapes[f"{name}.{part}"] = array, array.shape
        return name

    def shape_of(self, node: Node) -> Array:
        """The shape of a value, as ONNX has it."""
        [name] = node.inputs
        value = self.values.get(name)
        if isinstance(value, Product):
            shape: tuple[int, ...] = (1, len(value.weight), *self.tensor(node, name).shape[:2])
        else:
            shape = onnx_shape(self.tensor(node, name).shape)
        return np.array(shape[node.attributes.get("start", 0) : node.attributes.get("end")], np.int64)

    def weights(self, node: Node, name: str) -> Array:
        """An operand that must be constant."""
        self.require(name in self.known, node, f"has no constant {name}")
        return self.known[name]


def onnx_shape(shape: Shape) -> tuple[int, ...]:
    """(1, C, H, W) of an image; a number is (1,)."""
    return (1, shape[2], *shape[:2]) if len(shape) == 3 else shape


def read_conv(self: Reader, node: Node) -> Value:
    x, weight = self.tensor(node, node.inputs[0]), self.weights(node, node.inputs[1])
    kernel, strides = weight.shape[2:], node.attributes.get("strides", [1, 1])
    pads = node.attributes.get("pads", [0] * 4)
    fits = weight.ndim == 4 and kernel in ((1, 1), (3, 3)) and strides in ([1, 1], [2, 2])
    fits = fits and list(pads) == [kernel[0] // 2] * 4 and node.attributes.get("group", 1) == 1
    fits = fits and node.attributes.get("dilations", [1, 1]) == [1, 1] and len(x.shape) == 3
    self.require(fits and weight.shape[1] == x.shape[2], node, f"is no 1 × 1 or 3 × 3 convolution of {x.shape}")
    bias = self.weights(node, node.inputs[2]) if len(node.inputs) > 2 else np.zeros(len(weight), np.float32)
    self.require(bias.shape == weight.shape[:1], node, f"has a bias of {bias.shape}")
    return Product(x, weight, bias, strides[0])


def read_gemm(self: Reader, node: Node) -> Value:
    x, weight, bias = self.tensor(node, node.inputs[0]), *(self.weights(node, name) for name in node.inputs[1:])
    plain = all(
        node.attributes.get(name, default) == default for name, default in (("alpha", 1), ("beta", 1), ("transA", 0))
    )
    fits = plain and node.attributes.get("transB", 0) == 1 and weight.ndim == 2 and weight.shape[1] == x.shape[-1]
    self.require(fits and bias.shape == weight.shape[:1], node, f"is no linear layer of {x.shape}")
    own = self.parameters("linear", weight=weight, bias=bias)
    return self.layers.linear(own, x, own)


def read_reshape(self: Reader, node: Node) -> Value:
    name, shape = node.inputs[0], self.weights(node, node.inputs[1]).tolist()
    value = self.values[name]
    if len(shape) == 3 and shape[0] == 0 and shape[2] == -1:
        x = self.tensor(node, name)
        self.require(shape[1] > 0 and len(x.shape) == 3 and x.shape[2] % shape[1] == 0, node, f"has {shape[1]} groups")
        return Norm(x, shape[1])
    if isinstance(value, Product):  # rows of queries, keys and values, or heads
        if len(shape) == 3 and shape[0] != 1 and shape[1] > 0:
            self.require(value.bias.size % shape[1] == 0, node, f"heads of {shape[1]}")
            return replace(value, width=shape[1])
        return value
    return value


def read_instancenormalization(self: Reader, node: Node) -> Value:
    value = self.values[node.inputs[0]]
    gain, bias = (self.weights(node, name) for name in node.inputs[1:])
    plain = isinstance(value, Norm) and (gain == 1).all() and (bias == 0).all()
    self.require(plain, node, "is no part of a group norm")
    assert isinstance(value, Norm)
    epsilon = float(node.attributes.get("epsilon", 1e-5))
    self.require(0 < epsilon < 1, node, f"has an epsilon of {epsilon}")
    return replace(value, epsilon=epsilon)


def read_sigmoid(self: Reader, node: Node) -> Value:
    return Sigmoid(node.inputs[0])


def read_mul(self: Reader, node: Node) -> Value:
    first, second = node.inputs
    for name, other in ((first, second), (second, first)):
        sigmoid = self.values.get(other)
        if isinstance(sigmoid, Sigmoid) and sigmoid.of == name:
            if isinstance(self.values[name], Norm):
                return self.put(node, name, silu=True)
            return self.layers.activation(self.name("silu"), self.tensor(node, name))
        value = self.values.get(name)
        if isinstance(value, Norm) and other in self.known and value.gain is None:
            gain = self.known[other]
            self.require(gain.size == value.x.shape[2], node, f"has gains of {gain.shape}")
            return replace(value, gain=gain)
        half = self.values.get(other)
        if isinstance(value, Norm) and value.complete and isinstance(half, Half) and half.plus_one and half.index == 0:
            return replace(value, modulation=half.x, complete=False)
        if other in self.known and value is not None and self.known[other].size == 1:
            factor = float(self.known[other].ravel()[0])
            if isinstance(value, Product) and value.weight.shape[2:] == (1, 1):
                return replace(value, factor=value.factor * factor)
            return Sum(((factor, self.tensor(node, name)),))
    raise InputError(f"{self.file.path}: {node.outputs[0]} (Mul) is no part of a norm, an activation or a sum")


def read_add(self: Reader, node: Node) -> Value:
    first, second = node.inputs
    for name, other in ((first, second), (second, first)):
        value, known = self.values.get(name), self.known.get(other)
        if isinstance(value, Norm) and known is not None and value.gain is not None and value.bias is None:
            self.require(known.size == value.x.shape[2], node, f"has biases of {known.shape}")
            return replace(value, bias=known, complete=True)
        if isinstance(value, Half) and known is not None and known.size == 1 and known.ravel()[0] == 1:
            return replace(value, plus_one=True)
        half = self.values.get(other)
        if isinstance(value, Norm) and value.modulation is not None and not value.complete:
            fits = isinstance(half, Half) and half.x is value.modulation and half.index == 1 and not half.plus_one
            self.require(fits, node, "adds no shift to a norm")
            return replace(value, complete=True)
    parts = [each.terms for each in map(self.values.get, node.inputs) if isinstance(each, Sum) and len(each.terms) == 1]
    if len(parts) == 2:
        return Sum((*parts[0], *parts[1]))
    return Sum(((1.0, self.tensor(node, first)), (1.0, self.tensor(node, second))))


def read_split(self: Reader, node: Node) -> Value | list[Value]:
    value, parts = self.values[node.inputs[0]], len(node.outputs)
    self.require(len(node.inputs) == 1 and node.attributes.get("axis", 0) == 1, node, "is no split in equal parts")
    if isinstance(value, Product) and parts == 3 and len(value.bias) % 3 == 0:
        weights, biases = np.split(value.weight, 3), np.split(value.bias, 3)
        return [replace(value, weight=w, bias=b) for w, b in zip(weights, biases, strict=True)]
    x = self.tensor(node, node.inputs[0])
    self.require(parts == 2 and x.shape[-1] % 2 == 0, node, f"splits {x.shape} in {parts}")
    return [Half(x, index) for index in range(2)]


def read_unsqueeze(self: Reader, node: Node) -> Value:
    return self.values[node.inputs[0]]


def read_einsum(self: Reader, node: Node) -> Value:
    kind = EINSUMS.get(node.attributes.get("equation", b""))
    first, second = (self.values.get(name) for name in node.inputs)
    if kind == "scores" and isinstance(first, Product) and isinstance(second, Product):
        return Scores(first, second)
    fits = kind == "mix" and isinstance(first, Scores) and first.softmax and isinstance(second, Product)
    self.require(fits, node, "is no part of an attention")
    assert isinstance(first, Scores) and isinstance(second, Product)
    width, scale = first.q.width, first.q.factor * first.k.factor
    same = width == first.k.width == second.width > 0 and second.factor == 1
    self.require(same and abs(scale * width**0.5 - 1) < 1e-5, node, "has scores that are not q·k over the width's root")
    parts = [
        self.parameters(part, weight=p.weight, bias=p.bias)
        for part, p in (("q", first.q), ("k", first.k), ("v", second))
    ]
    q, k, v = (self.layers.conv(own, first.q.x, own) for own in parts)
    return self.layers.attention(self.name("attention"), q, k, v, heads=len(second.bias) // width)


def read_softmax(self: Reader, node: Node) -> Value:
    value = self.values[node.inputs[0]]
    self.require(isinstance(value, Scores) and node.attributes.get("axis", -1) == -1, node, "is of no scores")
    assert isinstance(value, Scores)
    return replace(value, softmax=True)


def read_averagepool(self: Reader, node: Node) -> Value:
    twos = node.attributes.get("kernel_shape") == node.attributes.get("strides") == [2, 2]
    plain = not any(node.attributes.get("pads", [])) and not node.attributes.get("ceil_mode", 0)
    self.require(twos and plain, node, "is no mean of squares of four")
    return self.layers.average_pool(self.name("pool"), self.tensor(node, node.inputs[0]))


def read_resize(self: Reader, node: Node) -> Value:
    scales = self.weights(node, node.inputs[2]).tolist() if len(node.inputs) == 3 else []
    nearest = node.attributes.get("mode", b"nearest") == b"nearest"
    self.require(nearest and scales == [1, 1, 2, 2], node, "does not double pixels")
    return self.layers.resize(self.name("resize"), self.tensor(node, node.inputs[0]))


def read_concat(self: Reader, node: Node) -> Value:
    self.require(len(node.inputs) == 2 and node.attributes.get("axis") == 1, node, "puts no two images side by side")
    x, z = (self.tensor(node, name) for name in node.inputs)
    return self.layers.concatenate(self.name("concatenate"), x, z)


def read_clip(self: Reader, node: Node) -> Value:
    low, high = (float(self.weights(node, name).ravel()[0]) for name in node.inputs[1:3])
    value = self.values[node.inputs[0]]
    self.require(isinstance(value, Sum) and low == -high and high == round(high) > 0, node, f"keeps to {low} to {high}")
    assert isinstance(value, Sum)
    return self.layers.combine(self.name("picture"), value.terms, limit=round(high), fixed=24)


READERS: dict[str, Callable[[Reader, Node], Value | list[Value]]] = {
    "Add": read_add,
    "AveragePool": read_averagepool,
    "Clip": read_clip,
    "Concat": read_concat,
    "Conv": read_conv,
    "Einsum": read_einsum,
    "Gemm": read_gemm,
    "InstanceNormalization": read_instancenormalization,
    "Mul": read_mul,
    "Reshape": read_reshape,
    "Resize": read_resize,
    "Sigmoid": read_sigmoid,
    "Softmax": read_softmax,
    "Split": read_split,
    "Unsqueeze": read_unsqueeze,
}
