"""The largest |x| of every part of a tensor, of which ``scale`` takes the largest; exact only.

x: (H, W, C) or (T, C); y: (1, P), of ``part(x)`` words each, at most 1,024 parts.
"""

from collections.abc import Sequence
from math import prod

import numpy as np
import numpy.typing as npt

from inference.derivation import Derivation, Operand
from inference.files.blocks import pack_plain
from inference.ops import Shape
from inference.ops._drawing import Drawn, Generator
from inference.ops._images import draw_scaled, require_image
from inference.outputs import LEAF, committed
from inference.steps import Step

PACK = {"x": pack_plain}
COLOUR = "#e6e0f0"


def part(x: Shape) -> int:
    """Words of a part: whole rows as they are committed, and few enough parts for a leaf."""
    rows, words = committed(x)
    return words * -(-rows // LEAF)


def shape(x: Shape) -> Shape:
    require_image("x", x)
    return (1, -(-prod(x) // part(x)))


def exact(x: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    starts = range(0, x.size, part(x.shape))
    return np.maximum.reduceat(np.abs(x.ravel().astype(np.int64)), starts)[None].astype(np.int32)


def derivation(row: int, start: int, stop: int, x: Operand) -> list[Step]:
    made, each = Derivation(), part(x.shape) // x.words
    rows = committed(x.shape)[0]
    found = []
    for column in range(start, stop):
        leaves = [leaf for at in range(column * each, min((column + 1) * each, rows)) for leaf in x.leaves(at)]
        found.append(made.reduced("maximum", leaves, 1, rows=1, absolute=1))
    made.concatenated(found)
    return made.steps


def work(x: Shape) -> int:
    return prod(x)


def dimensions(x: Shape) -> dict[str, int]:
    return {"words": prod(x), "part": part(x), "parts": shape(x)[1]}


def variants(output: Shape, *, arithmetic: str, inputs: Sequence[Shape], **_: object) -> list[str]:
    """The kernel that a target admits: by vectors where parts are whole ones."""
    whole = prod(inputs[0]) % 4 == part(inputs[0]) % 4 == 0
    return ["fours"] if whole and arithmetic == "exact" else [""]


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    return (-(-output[1] // lanes), 1, 1)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    x, _ = draw_scaled(generator, (a, 7 * b, 61 * c))
    return {"x": x}, {}, {}
