"""Layers of diffusion models, added to a graph in either arithmetic.

Parameters have the names of a file: ``X.weight`` and ``X.bias``, convolutions (out, in, height, width), linear layers
(out, in). In exact arithmetic every tensor has a scale (``arithmetic.scaled``): a node that follows it, or a constant.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import frexp
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt

from inference.arithmetic import tables
from inference.arithmetic.scaled import ACTIVATION, GAIN, NONE, NORM
from inference.errors import InputError
from inference.files.conv_weights import integer_weights, tap_major
from inference.graph import Arithmetic, add, new, source
from inference.ops import Shape, activation, combine, full_attention, group_roots, noise, require
from inference.steps.group_norm import FRACTION

INPUT_FRACTION = 24
"""Of an input of numbers from -1 to 1."""
CONSTANT_FRACTION = 14
"""Of a constant vector of such numbers."""
FIXED = "scale "
"""With which names of constant scales begin."""
TEXT = 15
"""Bits of an embedding's numbers."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A node and, in exact arithmetic, the node or constant of its scale."""

    node: str
    scale: str | None
    shape: Shape
    parts: "tuple[Tensor, ...]" = ()
    """What it is the concatenation of."""


@dataclass(slots=True, eq=False)
class Layers:
    """A graph as it is put together, with the constants it needs.

    ``shapes`` are the parameters' by name; without ``load``, which gives their numbers, constants have no numbers, and
    formats that follow from numbers are 0: a graph to be planned, not run.
    """

    arithmetic: Arithmetic
    shapes: Mapping[str, Shape]
    load: Callable[[str], npt.NDArray[Any]] | None = None
    graph: nx.DiGraph = field(init=False)
    constants: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    views: dict[str, tuple[str, slice]] = field(default_factory=dict)
    """Parameters that are parts of others."""
    formats: dict[str, dict[str, int]] = field(default_factory=dict)
    """Attributes that follow from a parameter's numbers."""

    def __post_init__(self) -> None:
        self.graph = new(self.arithmetic)

    @property
    def exact(self) -> bool:
        return self.arithmetic == "exact"

    def parameter(self, name: str) -> npt.NDArray[Any]:
        """A parameter as float32, or zeros that take no memory.

        Raises:
            InputError: there is none.
        """
        if name in self.views:
            of, rows = self.views[name]
            return self.parameter(of)[rows]
        if name not in self.shapes:
            raise InputError(f"the parameter {name} is missing")
        if self.load is None:
            return np.broadcast_to(np.float32(0), self.shapes[name])
        return np.asarray(self.load(name), np.float32)

    def weight(self, name: str, array: npt.NDArray[Any]) -> str:
        """A constant of the graph."""
        self.constants[name] = array
        return source(self.graph, name, "weight", array.shape)

    def fixed(self, largest: int, exponent: int) -> str | None:
        """The scale of a tensor whose words are known to be bounded."""
        if not self.exact:
            return None
        return self._fixed(f"{FIXED}{largest} {exponent}")

    def _fixed(self, name: str) -> str:
        """A scale that is a constant, by its name."""
        return self.weight(name, np.array([[int(word) for word in name.removeprefix(FIXED).split()]], np.int32))

    def made(self, name: str, *scales: str | None, **attributes: int) -> Tensor:
        """A node, and its scale measured and added."""
        if not self.exact:
            return Tensor(name, None, self.shape_of(name))
        maxima = add(self.graph, f"{name}.maxima", "maxima", [name])
        return Tensor(name, self._scale(name, maxima, scales, attributes), self.shape_of(name))

    def shape_of(self, name: str) -> Shape:
        """Of a node."""
        shape: Shape = self.graph.nodes[name]["shape"]
        return shape

    def _scale(self, name: str, maxima: str, scales: Sequence[str | None], attributes: Mapping[str, int]) -> str:
        """The node of a tensor's scale, from its largest words."""
        inputs = [maxima, *(scale for scale in scales if scale)]
        self._op(f"{name}.scale", "scale", inputs, attributes, scales=len(inputs) - 1)
        return f"{name}.scale"

    def _op(self, name: str, op: str, inputs: Sequence[str | None], exact: Mapping[str, Any], **both: Any) -> None:
        """Add a node; inputs that are None fall away, attributes of the exact arithmetic where it is another."""
        given = [each for each in inputs if each is not None]
        add(self.graph, name, op, given, **both, **(exact if self.exact else {}))

    def input(self, name: str, shape: Shape, *, fraction: int = INPUT_FRACTION) -> Tensor:
        """Numbers from -1 to 1, given anew at every run."""
        source(self.graph, name, "input", shape)
        return Tensor(name, self.fixed(1 << fraction, -fraction), shape)

    def tokens(self, name: str, count: int) -> Tensor:
        """Ids of a text, given anew at every run."""
        return Tensor(source(self.graph, name, "input", (count,)), None, (count,))

    def linked(self, name: str, of: Tensor) -> Tensor:
        """A tensor of an earlier pass: inputs ``name`` and, where its scale is a node there, ``name.scale``."""
        source(self.graph, name, "input", of.shape)
        if of.scale is None or of.scale.startswith(FIXED):
            return Tensor(name, of.scale and self._fixed(of.scale), of.shape)
        return Tensor(name, source(self.graph, f"{name}.scale", "input", (1, 2)), of.shape)

    def noise(self, name: str, shape: Shape) -> Tensor:
        """Gaussian noise of unit deviation; the graph's input ``seed`` has two words."""
        seed = source(self.graph, "seed", "input", (2,))
        table = self.weight("inverse_normal", tables.inverse_normal())
        height, width, channels = shape
        add(self.graph, name, "noise", [seed, table], height=height, width=width, channels=channels)
        return Tensor(name, self.fixed(int(tables.inverse_normal().max()), noise.EXPONENT), shape)

    def constant(self, name: str, vector: npt.NDArray[Any]) -> Tensor:
        """Numbers from -1 to 1 that are the same at every run, (1, C)."""
        if not self.exact:
            return Tensor(self.weight(name, vector.astype(np.float32)), None, vector.shape)
        words = np.rint(vector.astype(np.float64) * 2**CONSTANT_FRACTION).astype(np.int32)
        return Tensor(self.weight(name, words), self.fixed(1 << CONSTANT_FRACTION, -CONSTANT_FRACTION), vector.shape)

    def conv(self, name: str, x: Tensor, parameters: str, *, stride: int = 1) -> Tensor:
        """A convolution of 3 × 3, padded by 1, or of 1 × 1."""
        weight, bias, rows = self._product(parameters)
        formats = self.formats.get(parameters, {})
        self._op(name, "conv", [x.node, weight, bias, x.scale, rows], formats, stride=stride)
        unit, floor = formats.get("unit", 0), formats.get("floor", NONE)
        return self.made(name, x.scale, bits=ACTIVATION, unit=unit, floor=floor)

    linear = conv

    def _product(self, parameters: str) -> tuple[str, str, str | None]:
        """Weights, biases and, in exact arithmetic, rows of a product."""
        names = [f"{parameters}.{part}" for part in ("weight", "bias", "rows")]
        if names[0] not in self.constants:
            weight = self.parameter(names[0])
            bias = self.parameter(names[1]) if names[1] in self.shapes else np.zeros(len(weight), np.float32)
            by_tap = tap_major(weight) if weight.ndim == 4 else weight[:, None]
            if not self.exact:
                made = {"weight": by_tap, "bias": bias}
            elif self.load is None:
                shapes = {
                    "weight": (np.int16, by_tap.shape),
                    "bias": (np.int32, bias.shape),
                    "rows": (np.int32, (len(bias), 2)),
                }
                made = {part: np.broadcast_to(np.zeros((), dtype), shape) for part, (dtype, shape) in shapes.items()}
            else:
                made, self.formats[parameters] = integer_weights(by_tap, bias)
            self.constants |= {f"{parameters}.{part}": array for part, array in made.items()}
        for each in names[: 3 if self.exact else 2]:
            self.weight(each, self.constants[each])
        return names[0], names[1], names[2] if self.exact else None

    def group_norm(
        self,
        name: str,
        x: Tensor,
        parameters: str,
        *,
        groups: int,
        epsilon: float,
        silu: bool = False,
        modulation: Tensor | None = None,
    ) -> Tensor:
        """A group norm; its gains and biases scaled and shifted by a ``modulation`` (1, 2 C) where there is one.

        Of a concatenation part by part where no group lies in two: one may be 2^30 times as large as the other.
        """
        height, width, channels = x.shape
        if x.parts and modulation is None and x.parts[0].shape[2] % (channels // groups) == 0:
            cuts = [0, x.parts[0].shape[2], channels]
            of_parts = []
            for part, begin, end in zip(x.parts, cuts[:-1], cuts[1:], strict=True):
                own = f"{parameters} {begin}"
                self.views |= {
                    f"{own}.{each}": (f"{parameters}.{each}", slice(begin, end)) for each in ("weight", "bias")
                }
                share = groups * (end - begin) // channels
                of_parts.append(
                    self.group_norm(f"{name}.{begin:04d}", part, own, groups=share, epsilon=epsilon, silu=silu)
                )
            return self.concatenate(name, *of_parts)
        affine, affine_scale = self._affine(f"{name}.affine", parameters, modulation)
        count = height * width * (channels // groups)
        parts = {part: f"{name}.{part}" for part in ("sums", "mean", "squares", "roots")}
        self._op(parts["sums"], "group_sums", [x.node, x.scale], {}, groups=groups)
        self._op(parts["mean"], "group_mean", [parts["sums"]], {}, groups=groups, count=count)
        self._op(parts["squares"], "group_squares", [x.node, parts["mean"], x.scale], {}, groups=groups)
        rooted: dict[str, Any] = {} if self.exact else {"epsilon": epsilon}
        inputs, exact = [parts["squares"], x.scale], group_roots.epsilon_of(epsilon)
        self._op(parts["roots"], "group_roots", inputs, exact, groups=groups, count=count, **rooted)
        curve = self._curve("silu") if silu else None
        inputs = [x.node, parts["mean"], parts["roots"], affine, x.scale, affine_scale, curve]
        self._op(name, "group_norm", inputs, {}, groups=groups, silu=silu)
        return self.made(name, affine_scale, bits=GAIN, unit=-FRACTION)

    def _affine(self, name: str, parameters: str, modulation: Tensor | None) -> tuple[str, str | None]:
        """Gains and biases (2, C) and their scale."""
        constant = f"{parameters}.gains"
        if constant not in self.constants:
            affine = np.stack([self.parameter(f"{parameters}.{part}") for part in ("weight", "bias")])
            if self.exact:
                fraction = 15 - frexp(float(np.abs(affine).max(initial=2.0**-10)))[1]
                words = np.rint(affine.astype(np.float64) * 2.0**fraction)
                affine, self.formats[constant] = np.clip(words, -32767, 32767).astype(np.int32), {"fraction": fraction}
            self.constants[constant] = affine
        self.weight(constant, self.constants[constant])
        fraction = self.formats.get(constant, {}).get("fraction", 0)
        if modulation is None:
            return constant, self.fixed(32767, -fraction)
        self._op(name, "modulate", [modulation.node, constant, modulation.scale], {"fraction": fraction})
        # The exponent of ``modulate``: max(max(E + n, -29) + 15 - fraction, E + n).
        moved = max(15 - fraction, 0)
        floor = 15 - fraction - NORM
        return _pair(self.made(name, modulation.scale, bits=NORM, unit=moved, floor=floor))

    def layer_norm(self, name: str, x: Tensor, parameters: str, *, epsilon: float) -> Tensor:
        """Of each pixel or token."""
        affine, affine_scale = self._affine(f"{name}.affine", parameters, None)
        rooted: dict[str, Any] = {} if self.exact else {"epsilon": epsilon}
        inputs = [x.node, affine, x.scale, affine_scale]
        self._op(name, "layer_norm", inputs, group_roots.epsilon_of(epsilon), **rooted)
        return self.made(name, affine_scale, bits=GAIN, unit=-FRACTION)

    def activation(self, name: str, x: Tensor, *, kind: str = "silu") -> Tensor:
        """silu, gelu or quick_gelu.

        Raises:
            InputError: another kind.
        """
        require(kind in activation.CURVES, f"an activation {kind!r:.20} is none of {', '.join(activation.CURVES)}")
        which = {} if self.exact else {"kind": kind}
        self._op(name, "activation", [x.node, x.scale, self._curve(kind)], {}, **which)
        return self._kept(name, x)

    def _curve(self, kind: str) -> str | None:
        """The table of an activation."""
        if not self.exact:
            return None
        return self.weight("curve" if kind == "silu" else f"{kind}_curve", activation.CURVES[kind]())

    def geglu(self, name: str, x: Tensor) -> Tensor:
        """The first half of the channels times gelu of the second."""
        self._op(name, "geglu", [x.node, x.scale, self._curve("gelu")], {})
        return self.made(name, x.scale, x.scale, bits=GAIN, product=True)

    def _kept(self, name: str, x: Tensor) -> Tensor:
        """A node at the exponent of x, which is no narrower than x: its scale serves."""
        return Tensor(name, x.scale, self.shape_of(name))

    def attention(self, name: str, q: Tensor, k: Tensor, v: Tensor, *, heads: int, causal: bool = False) -> Tensor:
        """Every query sees every key; where ``causal`` those up to its own place."""
        exponential = self.weight("exponential", tables.exponential()) if self.exact else None
        values = v.node
        if v.scale is not None:
            values = f"{name}.values"
            self._op(values, "narrowed", [v.node, v.scale], {}, bits=full_attention.VALUE)
        inputs = [q.node, k.node, values, q.scale, k.scale, exponential]
        scale = full_attention.softmax_scale(q.shape[-1] // heads)
        self._op(name, "full_attention", inputs, scale, heads=heads, **({"causal": True} if causal else {}))
        return self.made(name, v.scale, bits=full_attention.VALUE, unit=-14)

    def embedding(self, name: str, ids: Tensor, parameters: str) -> Tensor:
        """Of a text at its places: tokens (T,), ``token_embedding`` and ``position_embedding``."""
        names = [f"{parameters}.{part}_embedding.weight" for part in ("token", "position")]
        arrays, exponent = [self.parameter(each) for each in names], 0
        if self.exact and self.load is None:
            arrays = [np.broadcast_to(np.int16(0), array.shape) for array in arrays]
        elif self.exact:
            largest = max(float(np.abs(array).max(initial=0)) for array in arrays)
            exponent = frexp(largest)[1] - TEXT
            most = 2**TEXT - 1
            scaled = (np.rint(array.astype(np.float64) * 2.0**-exponent) for array in arrays)
            arrays = [np.clip(array, -most, most).astype(np.int16) for array in scaled]
        weights = [self.weight(each, array) for each, array in zip(names, arrays, strict=True)]
        self._op(name, "text_embedding", [ids.node, *weights], {})
        return Tensor(name, self.fixed(2 ** (TEXT + 1), exponent), self.shape_of(name))

    def row(self, name: str, x: Tensor, index: int) -> Tensor:
        """One row of a text."""
        self._op(name, "row", [x.node], {}, index=index)
        return self._kept(name, x)

    def resize(self, name: str, x: Tensor) -> Tensor:
        """Each pixel twice in both directions."""
        self._op(name, "resize", [x.node], {})
        return self._kept(name, x)

    def average_pool(self, name: str, x: Tensor) -> Tensor:
        """The mean of each square of four pixels."""
        self._op(name, "average_pool", [x.node], {})
        return self._kept(name, x)

    def concatenate(self, name: str, x: Tensor, z: Tensor) -> Tensor:
        """Channels side by side."""
        self._op(name, "concatenate", [x.node, z.node, x.scale, z.scale], {})
        return replace(self.made(name, x.scale, z.scale, bits=29), parts=(x, z))

    def combine(
        self, name: str, terms: Sequence[tuple[float, Tensor]], *, limit: int = 0, fixed: int | None = None
    ) -> Tensor:
        """A sum of one or two tensors with constant factors, kept to ±limit where that is not 0.

        ``fixed``: the fraction bits of the words in exact arithmetic; else they depend on the data.
        """
        tensors = [tensor for _, tensor in terms]
        inputs = [*(tensor.node for tensor in tensors), *(tensor.scale for tensor in tensors)]
        both: dict[str, Any] = {"terms": len(terms), "limit": limit}
        pairs = [combine.factor(factor) for factor, _ in terms]
        exact: dict[str, Any] = dict(
            zip(("mantissa", "unit", "mantissa_z", "unit_z"), (n for pair in pairs for n in pair), strict=False)
        )
        if fixed is not None:
            exact |= {"fixed": 1, "floor": -fixed}
        if not self.exact:
            exact = {}
            both |= {key: factor for key, (factor, _) in zip(("factor_x", "factor_z"), terms, strict=False)}
        self._op(name, "combine", inputs, exact, **both)
        if fixed is not None and self.exact:
            return Tensor(name, self.fixed(2**30 if not limit else limit << fixed, -fixed), tensors[0].shape)
        units = {"unit": pairs[0][1], "unit_z": pairs[-1][1]}
        return self.made(name, *(tensor.scale for tensor in tensors), bits=30, **units)


def _pair(tensor: Tensor) -> tuple[str, str | None]:
    return tensor.node, tensor.scale
