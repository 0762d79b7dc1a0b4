"""The layers of a graph as plain numpy, each computed where it is named: an independent reference in any precision."""

from math import erf

import numpy as np


class Plain:
    """Has the methods of ``inference.models.layers.Layers``; tensors are arrays."""

    def __init__(self, tensors, kind=np.float64):
        self.tensors, self.kind = tensors, kind

    def parameter(self, name):
        return self.tensors[name].astype(self.kind)

    def bias(self, name):
        return self.parameter(f"{name}.bias") if f"{name}.bias" in self.tensors else 0

    def conv(self, name, x, parameters, *, stride=1):
        weight = self.parameter(f"{parameters}.weight")
        border = weight.shape[2] // 2
        padded = np.pad(x, ((border, border), (border, border), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[2:], axis=(0, 1))
        return np.einsum("hwcij,ocij->hwo", windows[::stride, ::stride], weight, optimize=True) + self.bias(parameters)

    def linear(self, name, x, parameters):
        return x @ self.parameter(f"{parameters}.weight").T + self.bias(parameters)

    def group_norm(self, name, x, parameters, *, groups, epsilon, silu=False):
        grouped = x.reshape(-1, groups, x.shape[-1] // groups)
        mean, variance = grouped.mean((0, 2), keepdims=True), grouped.var((0, 2), keepdims=True)
        y = ((grouped - mean) / np.sqrt(variance + epsilon)).reshape(x.shape)
        y = y * self.parameter(f"{parameters}.weight") + self.bias(parameters)
        return self.activation(name, y) if silu else y

    def layer_norm(self, name, x, parameters, *, epsilon):
        y = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + epsilon)
        return y * self.parameter(f"{parameters}.weight") + self.bias(parameters)

    def activation(self, name, x, *, kind="silu"):
        if kind == "gelu":
            return x * (1 + np.vectorize(erf, otypes=[self.kind])(x / np.sqrt(2))) / 2
        return x / (1 + np.exp(-(1.702 if kind == "quick_gelu" else 1) * x))

    def geglu(self, name, x):
        y, gate = np.split(x, 2, axis=-1)
        return y * self.activation(name, gate, kind="gelu")

    def attention(self, name, q, k, v, *, heads, causal=False):
        queries, keys, values = (x.reshape(-1, heads, x.shape[-1] // heads) for x in (q, k, v))
        scores = np.einsum("qhw,khw->hqk", queries, keys) / np.sqrt(queries.shape[-1])
        if causal:
            scores = np.where(np.tri(*scores.shape[1:], dtype=bool), scores, -np.inf)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = np.einsum("hqk,khw->qhw", weights / weights.sum(-1, keepdims=True), values)
        return mixed.reshape(q.shape)

    def resize(self, name, x):
        return x.repeat(2, axis=0).repeat(2, axis=1)

    def concatenate(self, name, x, y):
        return np.concatenate((x, y), axis=-1)

    def combine(self, name, terms, clip=None):
        y = sum(self.kind(factor) * x for factor, x in terms)
        return y if clip is None else np.clip(y, -clip, clip)

    def embedding(self, name, ids, parameters):
        tokens, places = (self.parameter(f"{parameters}.{part}_embedding.weight") for part in ("token", "position"))
        return tokens[ids] + places[: len(ids)]

    def row(self, name, x, at):
        return x[at : at + 1]
