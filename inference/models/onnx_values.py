"""Values of a diffusion model's ONNX graph: tensors of ours, and what is not yet complete.

Ops that make sense together only (a group norm is two reshapes, an instance norm, a product and a sum; silu a sigmoid
and a product; attention two einsums and a softmax) are kept until it is seen what they are part of.
"""

from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from inference.errors import InputError
from inference.files.onnx_file import Node, OnnxGraph
from inference.files.onnx_node import Size
from inference.graph import Arithmetic
from inference.models.layers import Layers, Tensor
from inference.ops import Shape

Array = npt.NDArray[Any]
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
    heads: int
    softmax: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Sum:
    """One or two tensors with factors."""

    terms: tuple[tuple[float, Tensor], ...]


Value: TypeAlias = Tensor | Product | Half | Norm | Sigmoid | Scores | Sum


@dataclass(slots=True, eq=False)
class Values:
    """Of one graph: ``values`` begins with the tensors of its inputs, ``known`` with constants.

    A reshape moves no number, so that it leaves a value as it is; ``sizes`` are the shapes that ONNX gives all values,
    and whoever reads one says which it must have.
    """

    file: OnnxGraph
    arithmetic: Arithmetic
    layers: Layers = field(init=False)
    shapes: dict[str, Shape] = field(default_factory=dict)
    arrays: dict[str, Array] = field(default_factory=dict)
    known: dict[str, Array] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    sizes: dict[str, Size] = field(default_factory=dict)
    made: dict[str, Tensor] = field(default_factory=dict)
    """Values that are tensors by now."""
    numbers: Any = field(default_factory=count)

    def __post_init__(self) -> None:
        self.layers = Layers(self.arithmetic, self.shapes, self.arrays.__getitem__)
        self.known |= self.file.constants
        self.sizes |= self.file.inputs

    def require(self, holds: bool, node: Node, what: str) -> None:
        """InputError unless it holds."""
        if not holds:
            raise InputError(f"{self.file.path}: {node.outputs[0]} ({node.op}) {what}")

    def name(self, op: str) -> str:
        """Of the next node: names sort as the file does."""
        return f"{next(self.numbers):04d}.{op}"

    def value(self, node: Node, name: str) -> Value:
        """An operand that must not be constant."""
        self.require(name in self.values, node, f"reads {name}, which is constant")
        return self.values[name]

    def weights(self, node: Node, name: str) -> Array:
        """An operand that must be constant."""
        self.require(name in self.known, node, f"has no constant {name}")
        return self.known[name]

    def number(self, node: Node, name: str) -> float:
        """An operand that must be one constant number."""
        array = self.weights(node, name)
        self.require(array.size == 1, node, f"reads {name} of {array.shape}, which is no number")
        return float(array.ravel()[0])

    def tensor(self, node: Node, name: str) -> Tensor:
        """A value as a tensor, which is added to the graph where it is complete by now."""
        if name not in self.made:
            self.made[name] = self.put(node, name)
        return self.made[name]

    def put(self, node: Node, name: str, *, silu: bool = False) -> Tensor:
        """A value put into the graph."""
        if name in self.known:
            vector = self.known[name]
            fits = vector.ndim == 2 and len(vector) == 1 and np.abs(vector).max() <= 1
            self.require(fits, node, f"reads {name}")
            return self.layers.constant(self.name("constant"), vector)
        value = self.values[name]
        if isinstance(value, Tensor):
            found = value
        elif isinstance(value, Product):
            found = self.product(value)
            if value.factor != 1:
                found = self.layers.combine(self.name("sum"), [(value.factor, found)])
        elif isinstance(value, Sum):
            found = self.layers.combine(self.name("sum"), value.terms)
        else:
            self.require(isinstance(value, Norm) and value.complete, node, f"reads {name}, which is not complete")
            assert isinstance(value, Norm) and value.gain is not None and value.bias is not None
            own = self.parameters("norm", weight=value.gain.ravel(), bias=value.bias.ravel())
            found = self.layers.group_norm(
                own, value.x, own, groups=value.groups, epsilon=value.epsilon, silu=silu, modulation=value.modulation
            )
        self.require(self.sizes[name] in sizes_of(found), node, f"reads {name} as {self.sizes[name]}")
        return found

    def product(self, value: Product) -> Tensor:
        """A convolution put into the graph, without its factor."""
        own = self.parameters("conv", weight=value.weight, bias=value.bias)
        return self.layers.conv(own, value.x, own, stride=value.stride)

    def parameters(self, op: str, **parts: Array) -> str:
        """Arrays as parameters; the name of the next node, which has them."""
        name = self.name(op)
        for part, array in parts.items():
            self.arrays[f"{name}.{part}"], self.shapes[f"{name}.{part}"] = array, array.shape
        return name


def sizes_of(tensor: Tensor) -> tuple[Size, ...]:
    """The shapes of a tensor in ONNX: (1, C, H, W) of an image; (1, C) or (1, C, 1, 1) of a vector."""
    if len(tensor.shape) == 3:
        return ((1, tensor.shape[2], *tensor.shape[:2]),)
    return (tensor.shape, (*tensor.shape, 1, 1))
