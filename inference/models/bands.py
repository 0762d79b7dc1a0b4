"""Images beyond what every browser binds, kept as bands of their lines.

A node of a banded image stands for one node a band; integers have no order, so that the words are those of the whole.
What an op reads beyond its own lines, as a convolution does, is cut from the bands that hold it (``ops.lines``). Bands
follow from shapes alone: a graph, and what is committed of it, is the same on every device.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from math import prod
from typing import Any, NamedTuple

from inference import ops
from inference.graph import WORD, add
from inference.models.layers import Layers, Tensor
from inference.ops import Shape, require

BINDING = 2**27
"""Bytes of a buffer that every browser lets a dispatch see."""
NEIGHBOURS = 2
"""Lines that a convolution reads besides its band's."""
BAND = " band "
"""In the names of a band's nodes, before its first line."""
LINE_BY_LINE = ("group_norm", "combine", "activation")
BY_LINE = ("group_sums", "group_squares")
"""Ops with a row of output a line."""


class Band(NamedTuple):
    """Lines ``begin`` to ``end`` of an image."""

    node: str
    begin: int
    end: int


class Reading(NamedTuple):
    """Which lines an op reads for a band of its output, and what it is told of them."""

    begin: int
    end: int
    attributes: dict[str, int]


@dataclass(slots=True, eq=False)
class BandedLayers(Layers):
    """Layers that divide what has more than ``binding`` bytes; ``bands`` are those of each image that is divided."""

    binding: int = BINDING
    bands: dict[str, list[Band]] = field(init=False, default_factory=dict)
    shapes_of: dict[str, Shape] = field(init=False, default_factory=dict)

    def shape_of(self, name: str) -> Shape:
        """Of a node, or of what its bands make up."""
        return self.shapes_of[name] if name in self.bands else Layers.shape_of(self, name)

    def fits(self, shape: Shape) -> bool:
        """Whether all of it may be bound."""
        return WORD * prod(shape) <= self.binding

    def lines(self, shape: Shape) -> int:
        """Of a band of what does not fit: an even power of two that fits with its neighbours.

        Raises:
            InputError: lines too long for that.
        """
        most = self.binding // (WORD * prod(shape[1:])) - NEIGHBOURS
        require(most > 1, f"lines of {prod(shape[1:])} words are too long for {self.binding} bytes")
        return 1 << (most.bit_length() - 1)

    def made(self, name: str, *scales: str | None, **attributes: int) -> Tensor:
        """A node or its bands, and the scale of all of it."""
        if name not in self.bands or not self.exact:
            return Layers.made(self, name, *scales, **attributes)
        maxima = [add(self.graph, f"{band.node}.maxima", "maxima", [band.node]) for band in self.bands[name]]
        largest = add(self.graph, f"{name}.maxima", "maxima", [self._folded(f"{name}.joined", "join", maxima)])
        return Tensor(name, self._scale(name, largest, scales, attributes), self.shape_of(name))

    def _op(self, name: str, op: str, inputs: Sequence[str | None], exact: Mapping[str, Any], **both: Any) -> None:
        """Add a node, band by band where it or what it reads is too large."""
        given = [each for each in inputs if each is not None]
        shapes = [self.shape_of(each) for each in given]
        shape = ops.load(op).shape(*shapes, **both, **(exact if self.exact else {}))
        terms = given[: both.get("terms", 1)]
        images = [each for each in terms if self.shape_of(each)[:-1] == shapes[0][:-1]]
        if self.fits(shape) and not any(each in self.bands for each in images):
            Layers._op(self, name, op, inputs, exact, **both)
            return
        lines = min(self.lines(of) for of in (shape, *map(self.shape_of, images)) if not self.fits(of))
        bands, (height, *_) = list[Band](), shape
        for begin in range(0, height, lines):
            end = min(begin + lines, height)
            of = f"{name}{BAND}{begin:04d}"
            read = self._reading(op, begin, end, given, both)
            cut = [self._cut(f"{of}.of.{index}", each, read) for index, each in enumerate(images)]
            Layers._op(self, of, op, [*cut, *given[len(images) :]], exact, **both, **read.attributes)
            assert self.graph.nodes[of]["shape"][0] == end - begin, "a band is the lines of its name"
            bands.append(Band(of, begin, end))
        if self.fits(shape):
            self._whole(name, bands)
        else:
            self.bands[name], self.shapes_of[name] = bands, shape

    def _reading(self, op: str, begin: int, end: int, given: list[str], attributes: Mapping[str, Any]) -> Reading:
        """The lines of its images that an op reads for these of its output."""
        height = self.shape_of(given[0])[0]
        if op == "conv":
            require(attributes["stride"] == 1, f"an image of {height} lines is too large for a stride of 2")
            border = self.shape_of(given[1])[1] // 9
            first, last = max(begin - border, 0), min(end + border, height)
            return Reading(first, last, {"above": begin - first, "below": last - end})
        if op == "resize":
            return Reading(begin // 2, end // 2, {})
        require(op in (*LINE_BY_LINE, *BY_LINE), f"an image of {height} lines is too large for {op}")
        return Reading(begin, end, {})

    def _cut(self, name: str, image: str, read: Reading) -> str:
        """The node of some lines of an image, made where no band is just these."""
        bands = self.bands.get(image, [Band(image, 0, self.shape_of(image)[0])])
        over = [band for band in bands if band.begin < read.end and band.end > read.begin]
        node, begin, _ = over[0]
        if len(over) == 1 and over[0] == (node, read.begin, read.end):
            return node
        for index, band in enumerate(over[1:] or over):
            first, last = max(begin, read.begin), min(band.end, read.end)
            of = f"{name}.{index}"
            node = add(self.graph, of, "lines", [node, band.node], begin=first - begin, count=last - first)
            begin = first
        return node

    def _whole(self, name: str, bands: list[Band]) -> None:
        """One node of bands that are small together."""
        node = bands[0].node
        for band in bands[1:]:
            of = name if band is bands[-1] else f"{name}.above.{band.end:04d}"
            node = add(self.graph, of, "lines", [node, band.node], begin=0, count=band.end)

    def _folded(self, name: str, op: str, nodes: list[str]) -> str:
        """Nodes brought together two by two."""
        return reduce(lambda before, each: add(self.graph, f"{name}.{each}", op, [before, each]), nodes[1:], nodes[0])
