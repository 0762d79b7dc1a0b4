"""A diffusion model's ONNX graph as a graph of ours: its nodes read in order."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from inference.errors import InputError
from inference.files.onnx_file import Node
from inference.files.onnx_node import Size, check_attributes, default, folded, output_sizes
from inference.models.layers import Tensor
from inference.models.onnx_values import Half, Norm, Product, Scores, Sigmoid, Sum, Value, Values, sizes_of

DOUBLED = {
    (b"asymmetric", b"floor"),
    (b"asymmetric", b"round_prefer_floor"),
    (b"half_pixel", b"round_prefer_floor"),
    (b"half_pixel", b"round_prefer_ceil"),
}
"""What gives each pixel twice where an image is resized to twice its side."""

VIEWS = ("Reshape", "Unsqueeze")
"""Ops of which the second input is a list of integers."""


def read_graph(self: Values) -> None:
    """All nodes.

    Raises:
        InputError: one that is no part of such a model.
    """
    for node in self.file.nodes:
        missing = [name for name in node.inputs if name and name not in self.values and name not in self.known]
        self.require(not missing, node, f"reads {', '.join(missing)}, which nothing before it gives")
        taken = [name for name in node.outputs if name in self.values or name in self.known]
        self.require(not taken and len({*node.outputs}) == len(node.outputs), node, "has a name that is taken")
        if node.op != "Gemm" and all(name in self.known for name in node.inputs if name):
            self.known[node.outputs[0]] = folded(self.file.path, node, self.known)
            continue
        if node.op == "Shape":
            check_attributes(self.file.path, node)
            self.require(len(node.inputs) == len(node.outputs) == 1, node, "is of no one value")
            size = self.sizes[node.inputs[0]][node.attributes.get("start", 0) : node.attributes.get("end")]
            self.known[node.outputs[0]] = np.array(size, np.int64)
            continue
        found, sizes = _read(self, node)
        each = found if isinstance(found, list) else [found]
        self.require(len(each) == len(node.outputs), node, f"gives {len(each)} values, not {len(node.outputs)}")
        for name, value, size in zip(node.outputs, each, sizes, strict=True):
            fits = not isinstance(value, Tensor) or prod(sizes_of(value)[0]) == prod(size)
            self.require(fits, node, f"gives {size}")
            self.values[name], self.sizes[name] = value, size


def _read(self: Values, node: Node) -> tuple[Value | list[Value], list[Size]]:
    """What a node gives that reads what is not constant, and its shapes."""
    op = OPS.get(node.op)
    if op is None:
        raise InputError(f"{self.file.path}: the op {node.op} is not known; {', '.join(sorted(OPS))} are")
    check_attributes(self.file.path, node)
    self.require(len(node.inputs) in op.inputs, node, f"has {len(node.inputs)} inputs")
    blank = [index for index, name in enumerate(node.inputs) if not name and index != op.blank]
    self.require(not blank, node, "lacks an input")
    for index, name in enumerate(node.inputs):
        kind = "int64" if index == 1 and node.op in VIEWS else "float32"
        array = self.known.get(name)
        fits = array is None or (array.dtype == kind and (kind == "float32" or array.ndim == 1))
        self.require(fits, node, f"reads {name}, which is not {kind}{' in a list' * (kind == 'int64')}")
    for name, value in node.attributes.items():
        as_ever = name in op.attributes or value == default(node, name)
        self.require(as_ever, node, f"has {name} {value!r:.40}, which is not read")
    found = op.read(self, node)  # first: ONNX's own code ends the process where attributes are lists too short
    return found, output_sizes(self.file.path, node, self.sizes, self.known)


def read_conv(self: Values, node: Node) -> Value:
    x, weight = self.tensor(node, node.inputs[0]), self.weights(node, node.inputs[1])
    kernel, strides = weight.shape[2:], node.attributes.get("strides", [1, 1])
    fits = weight.ndim == 4 and kernel in ((1, 1), (3, 3)) and strides in ([1, 1], [2, 2])
    fits = fits and node.attributes.get("pads", [0] * 4) == [kernel[0] // 2] * 4
    fits = fits and node.attributes.get("kernel_shape", [*kernel]) == [*kernel]
    fits = fits and node.attributes.get("dilations", [1, 1]) == [1, 1] and len(x.shape) == 3
    self.require(fits and weight.shape[1] == x.shape[2], node, f"is no 1 × 1 or 3 × 3 convolution of {x.shape}")
    bias = self.weights(node, node.inputs[2]) if len(node.inputs) > 2 else np.zeros(len(weight), np.float32)
    self.require(bias.shape == weight.shape[:1], node, f"has a bias of {bias.shape}")
    return Product(x, weight, bias, strides[0])


def read_gemm(self: Values, node: Node) -> Value:
    x, weight, bias = self.tensor(node, node.inputs[0]), *(self.weights(node, name) for name in node.inputs[1:])
    fits = node.attributes.get("transB", 0) == 1 and weight.ndim == 2 and weight.shape[1] == x.shape[-1]
    self.require(fits and bias.shape == weight.shape[:1], node, f"is no linear layer of {x.shape}")
    own = self.parameters("linear", weight=weight, bias=bias)
    return self.layers.linear(own, x, own)


def read_reshape(self: Values, node: Node) -> Value:
    value, shape = self.value(node, node.inputs[0]), self.weights(node, node.inputs[1])
    if len(shape) == 3 and shape[0] == 0 and shape[2] == -1:
        x, groups = self.tensor(node, node.inputs[0]), int(shape[1])
        self.require(groups > 0 and len(x.shape) == 3 and x.shape[2] % groups == 0, node, f"has {groups} groups")
        return Norm(x, groups)
    return value


def read_unsqueeze(self: Values, node: Node) -> Value:
    return self.value(node, node.inputs[0])


def read_instancenormalization(self: Values, node: Node) -> Value:
    value = self.value(node, node.inputs[0])
    gain, bias = (self.weights(node, name) for name in node.inputs[1:])
    plain = isinstance(value, Norm) and value.gain is None and (gain == 1).all() and (bias == 0).all()
    self.require(plain, node, "is no part of a group norm")
    assert isinstance(value, Norm)
    fits = not value.epsilon and self.sizes[node.inputs[0]][:-1] == (1, value.groups)
    self.require(fits, node, "is not of its groups")
    epsilon = float(node.attributes.get("epsilon", 1e-5))
    self.require(0 < epsilon < 1, node, f"has an epsilon of {epsilon}")
    return replace(value, epsilon=epsilon)


def read_sigmoid(self: Values, node: Node) -> Value:
    return Sigmoid(node.inputs[0])


def read_mul(self: Values, node: Node) -> Value:
    first, second = node.inputs
    for name, other in ((first, second), (second, first)):
        sigmoid = self.values.get(other)
        if isinstance(sigmoid, Sigmoid) and sigmoid.of == name:
            if isinstance(self.values[name], Norm):
                return self.put(node, name, silu=True)
            return self.layers.activation(self.name("silu"), self.tensor(node, name))
        value = self.values.get(name)
        if isinstance(value, Norm) and other in self.known and value.gain is None:
            self.require(value.epsilon > 0, node, "is of groups that are not divided by their deviation")
            return replace(value, gain=_by_channels(self, node, name, value, other))
        half = self.values.get(other)
        if isinstance(value, Norm) and value.complete and isinstance(half, Half) and half.plus_one and half.index == 0:
            self.require(value.modulation is None, node, "is a second scale")
            _by_channels(self, node, name, value, other)
            return replace(value, modulation=half.x, complete=False)
        if other in self.known and value is not None and self.known[other].size == 1:
            factor = self.number(node, other)
            if isinstance(value, Product) and value.weight.shape[2:] == (1, 1):
                return replace(value, factor=value.factor * factor)
            return Sum(((factor, self.tensor(node, name)),))
    raise InputError(f"{self.file.path}: {node.outputs[0]} (Mul) is no part of a norm, an activation or a sum")


def _by_channels(self: Values, node: Node, name: str, norm: Norm, other: str) -> np.ndarray:
    """An operand of as many numbers as the norm has channels, an axis of theirs; of none where it is not constant."""
    channels = norm.x.shape[2]
    array = self.known.get(other, np.zeros(0, np.float32))
    size = array.shape if other in self.known else self.sizes[other]
    fits = size in ((channels, 1, 1), (1, channels, 1, 1)) and self.sizes[name] in sizes_of(norm.x)
    self.require(fits, node, f"reads {other} of {size} beside {channels} channels")
    return array


def read_add(self: Values, node: Node) -> Value:
    first, second = node.inputs
    for name, other in ((first, second), (second, first)):
        value, known = self.values.get(name), self.known.get(other)
        if isinstance(value, Norm) and known is not None and value.gain is not None and value.bias is None:
            return replace(value, bias=_by_channels(self, node, name, value, other), complete=True)
        if isinstance(value, Half) and known is not None and known.size == 1 and known.ravel()[0] == 1:
            self.require(not value.plus_one, node, "is a second 1")
            return replace(value, plus_one=True)
        half = self.values.get(other)
        if isinstance(value, Norm) and value.modulation is not None and not value.complete:
            fits = isinstance(half, Half) and half.x is value.modulation and half.index == 1 and not half.plus_one
            self.require(fits, node, "adds no shift to a norm")
            _by_channels(self, node, name, value, other)
            return replace(value, complete=True)
    sizes = [self.known[name].shape if name in self.known else self.sizes[name] for name in node.inputs]
    self.require(sizes[0] == sizes[1], node, f"adds {sizes[0]} and {sizes[1]}")
    parts = [each.terms for each in map(self.values.get, node.inputs) if isinstance(each, Sum) and len(each.terms) == 1]
    if len(parts) == 2:
        return Sum((*parts[0], *parts[1]))
    return Sum(((1.0, self.tensor(node, first)), (1.0, self.tensor(node, second))))


def read_split(self: Values, node: Node) -> Value | list[Value]:
    value, parts = self.value(node, node.inputs[0]), len(node.outputs)
    fits = node.attributes.get("axis", 0) == 1 and node.attributes.get("num_outputs", parts) == parts
    self.require(fits, node, "is no split of channels")
    if isinstance(value, Product) and parts == 3 and len(value.bias) % 3 == 0:
        fits = self.sizes[node.inputs[0]][:2] == (1, len(value.bias))
        self.require(fits, node, f"splits {self.sizes[node.inputs[0]]}")
        weights, biases = np.split(value.weight, 3), np.split(value.bias, 3)
        return [replace(value, weight=w, bias=b) for w, b in zip(weights, biases, strict=True)]
    x = self.tensor(node, node.inputs[0])
    self.require(parts == 2 and len(x.shape) == 2 and x.shape[-1] % 2 == 0, node, f"splits {x.shape} in {parts}")
    return [Half(x, index) for index in range(2)]


def read_einsum(self: Values, node: Node) -> Value:
    equation = node.attributes["equation"].replace(b" ", b"")
    first, second = (self.value(node, name) for name in node.inputs)
    heads, *axes = self.sizes[node.inputs[0]]
    if equation == b"bct,bcs->bts" and isinstance(first, Product) and isinstance(second, Product):
        return Scores(first, second, heads)
    fits = equation == b"bts,bcs->bct" and isinstance(first, Scores) and first.softmax and isinstance(second, Product)
    self.require(fits, node, "is no part of an attention")
    assert isinstance(first, Scores) and isinstance(second, Product)
    q, k, v = products = (first.q, first.k, second)
    pixels = q.x.shape[0] * q.x.shape[1]
    width, scale = len(v.bias) // heads, q.factor * k.factor
    fits = heads == first.heads and axes == [pixels, pixels] and all(each.x is q.x for each in products)
    fits = fits and all(each.weight.shape[2:] == (1, 1) and each.stride == 1 for each in products)
    fits = fits and {len(each.bias) for each in products} == {heads * width} and v.factor == 1
    self.require(fits and self.sizes[node.inputs[1]] == (heads, width, pixels), node, "is of other heads or images")
    self.require(abs(scale * width**0.5 - 1) < 1e-5, node, "has scores that are not q·k over the width's root")
    return self.layers.attention(self.name("attention"), *map(self.product, products), heads=heads)


def read_softmax(self: Values, node: Node) -> Value:
    value, axes = self.value(node, node.inputs[0]), self.sizes[node.inputs[0]]
    last = node.attributes.get("axis", -1) in (-1, len(axes) - 1)
    self.require(isinstance(value, Scores) and not value.softmax and last, node, "is of no scores")
    assert isinstance(value, Scores)
    pixels = value.k.x.shape[0] * value.k.x.shape[1]
    self.require(axes[-1] == pixels, node, f"is of {axes[-1]} scores, not of {pixels}")
    return replace(value, softmax=True)


def read_averagepool(self: Values, node: Node) -> Value:
    x, plain = self.tensor(node, node.inputs[0]), not any(node.attributes.get("pads", []))
    plain = plain and node.attributes.get("dilations", [1, 1]) == [1, 1]
    twos = node.attributes.get("kernel_shape") == node.attributes.get("strides") == [2, 2]
    self.require(twos and plain and len(x.shape) == 3, node, "is no mean of squares of four")
    return self.layers.average_pool(self.name("pool"), x)


def read_resize(self: Values, node: Node) -> Value:
    scales, x = self.weights(node, node.inputs[2]).tolist(), self.tensor(node, node.inputs[0])
    how = tuple(node.attributes.get(name, default(node, name)) for name in RESIZED)
    self.require(how in DOUBLED and scales == [1, 1, 2, 2] and len(x.shape) == 3, node, "does not double pixels")
    return self.layers.resize(self.name("resize"), x)


def read_concat(self: Values, node: Node) -> Value:
    x, z = (self.tensor(node, name) for name in node.inputs)
    images = len(x.shape) == len(z.shape) == 3 and node.attributes["axis"] == 1
    self.require(images, node, "puts no two images side by side")
    return self.layers.concatenate(self.name("concatenate"), x, z)


def read_clip(self: Values, node: Node) -> Value:
    low, high = (self.number(node, name) for name in node.inputs[1:])
    value = self.value(node, node.inputs[0])
    self.require(isinstance(value, Sum) and low == -high and high == round(high) > 0, node, f"keeps to {low} to {high}")
    assert isinstance(value, Sum)
    return self.layers.combine(self.name("picture"), value.terms, limit=round(high), fixed=24)


@dataclass(frozen=True, slots=True)
class Op:
    """How a node of an op is read, how many inputs it may have, and the attributes that are looked at: others must be
    what they are by default."""

    read: Callable[[Values, Node], Value | list[Value]]
    inputs: tuple[int, ...]
    attributes: tuple[str, ...] = ()
    blank: int | None = None
    """The input that may be left out."""


RESIZED = ("coordinate_transformation_mode", "nearest_mode")
OPS = {
    "Add": Op(read_add, (2,)),
    # Means that count what is beyond the edge are the same where nothing is beyond it.
    "AveragePool": Op(read_averagepool, (1,), ("kernel_shape", "strides", "pads", "dilations", "count_include_pad")),
    "Clip": Op(read_clip, (3,)),
    "Concat": Op(read_concat, (2,), ("axis",)),
    "Conv": Op(read_conv, (2, 3), ("strides", "pads", "kernel_shape", "dilations")),
    "Einsum": Op(read_einsum, (2,), ("equation",)),
    "Gemm": Op(read_gemm, (3,), ("transB",)),
    "InstanceNormalization": Op(read_instancenormalization, (3,), ("epsilon",)),
    "Mul": Op(read_mul, (2,)),
    "Reshape": Op(read_reshape, (2,), ("allowzero",)),
    "Resize": Op(read_resize, (3,), RESIZED, blank=1),
    "Sigmoid": Op(read_sigmoid, (1,)),
    "Softmax": Op(read_softmax, (1,), ("axis",)),
    "Split": Op(read_split, (1,), ("axis", "num_outputs")),
    "Unsqueeze": Op(read_unsqueeze, (2,)),
}
