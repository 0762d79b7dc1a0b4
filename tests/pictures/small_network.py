"""A small UNet as an ONNX model, of every pattern that a diffusion model's graph has."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

SIDE, CHANNELS, GROUPS = 8, 32, 8


class Net:
    """Nodes and weights of a small network, named as they come."""

    def __init__(self):
        self.nodes, self.weights, self.generator = [], [], np.random.default_rng(5)

    def __call__(self, op, *inputs, outputs=1, **attributes):
        names = [f"{op}_{len(self.nodes)}_{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(op, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else names

    def const(self, array):
        name = f"constant_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def drawn(self, *shape, scale=1.0, mean=0.0):
        return self.const((mean + scale * self.generator.standard_normal(shape)).astype(np.float32))

    def conv(self, x, outputs, channels, kernel=3, stride=1):
        weight = self.drawn(outputs, channels, kernel, kernel, scale=(channels * kernel**2) ** -0.5)
        pads = [kernel // 2] * 4
        bias = self.drawn(outputs, scale=0.1)
        return self("Conv", x, weight, bias, pads=pads, strides=[stride, stride], kernel_shape=[kernel, kernel])

    def norm(self, x, channels):
        grouped = self("Reshape", x, self.const(np.array([0, GROUPS, -1])))
        ones, zeros = (self.const(np.full(GROUPS, each, np.float32)) for each in (1, 0))
        y = self("InstanceNormalization", grouped, ones, zeros, epsilon=1e-5)
        y = self("Reshape", y, self("Shape", x))
        y = self("Mul", y, self.drawn(channels, 1, 1, scale=0.2, mean=1))
        return self("Add", y, self.drawn(channels, 1, 1, scale=0.2))

    def silu(self, x):
        return self("Mul", x, self("Sigmoid", x))

    def linear(self, x, outputs, columns):
        weight, bias = self.drawn(outputs, columns, scale=columns**-0.5), self.drawn(outputs, scale=0.1)
        return self("Gemm", x, weight, bias, transB=1)

    def block(self, x, channels, embedding, outputs):
        h = self.conv(self.silu(self.norm(x, channels)), outputs, channels)
        both = self("Unsqueeze", self.linear(self.silu(embedding), 2 * outputs, 16), self.const(np.array([2, 3])))
        scale, shift = self("Split", both, outputs=2, axis=1, num_outputs=2)
        h = self("Mul", self.norm(h, outputs), self("Add", scale, self.const(np.float32(1))))
        h = self.conv(self.silu(self("Add", h, shift)), outputs, outputs)
        return self("Add", x if channels == outputs else self.conv(x, outputs, channels, kernel=1), h)

    def attention(self, x, channels, side, width):
        qkv = self.conv(self.norm(x, channels), 3 * channels, channels, kernel=1)
        split = self("Reshape", qkv, self.const(np.array([1, -1, side**2])))
        parts = self("Split", split, outputs=3, axis=1, num_outputs=3)
        heads, factor = self.const(np.array([channels // width, width, -1])), self.const(np.float32(width**-0.25))
        q, k = (self("Reshape", self("Mul", each, factor), heads) for each in parts[:2])
        p = self("Softmax", self("Einsum", q, k, equation="bct,bcs->bts"), axis=-1)
        y = self("Einsum", p, self("Reshape", parts[2], heads), equation="bts,bcs->bct")
        y = self(
            "Reshape",
            self("Reshape", y, self.const(np.array([1, -1, side**2]))),
            self.const(np.array([1, -1, side, side])),
        )
        return self("Add", x, self.conv(y, channels, channels, kernel=1))

    def model(self, output, inputs=("noisy", "sigma", "difficulty")):
        shapes = {"noisy": [1, 1, SIDE, SIDE], "sigma": [1], "difficulty": [1]}
        values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shapes[name]) for name in inputs]
        out = helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
        graph = helper.make_graph(self.nodes, "net", values, [out], self.weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])


def network():
    """A UNet of two levels."""
    net, one = Net(), np.array([1])
    time = net("Mul", net("Unsqueeze", net("Log", "sigma"), net.const(one)), net.drawn(1, 8))
    embedding = net.linear(net("Concat", net("Cos", time), net("Sin", time), axis=-1), 16, 16)
    difficulty = net.linear(net("Unsqueeze", "difficulty", net.const(one)), 16, 1)
    embedding = net("Add", embedding, difficulty)
    scaled = net("Mul", net.const(np.float32(1 / 80)), "noisy")
    first = net.conv(scaled, CHANNELS, 1)
    x = net.block(first, CHANNELS, embedding, CHANNELS)
    down = net("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
    down = net.attention(net.block(down, CHANNELS, embedding, CHANNELS), CHANNELS, SIDE // 2, 16)
    up = net("Resize", down, "", net.const(np.array([1, 1, 2, 2], np.float32)), mode="nearest")
    up = net.block(net("Concat", up, first, axis=1), 2 * CHANNELS, embedding, CHANNELS)
    y = net.conv(net.silu(net.norm(up, CHANNELS)), 1, CHANNELS)
    parts = net("Mul", y, net.const(np.float32(0.4))), net("Mul", "noisy", net.const(np.float32(0.00004)))
    return net, net("Clip", net("Add", *parts), net.const(np.float32(-1)), net.const(np.float32(1)))
