"""Channels of two images side by side.

x: (H, W, A), z: (H, W, B); y: (H, W, A + B). Exact, with their scales: each narrowed to 29 bits and moved to the larger
exponent E_i + n_i.
"""

from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.arithmetic.scaled import NORM, moved, narrow, narrowing
from inference.arithmetic.tolerance import FLUSH, Array, Enclosed
from inference.derivation import Constant, Derivation, Operand, Reading
from inference.files.blocks import pack_plain
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator, floats
from inference.ops._images import SCALE, by_channel, draw_scaled, elementwise, pixels, require_image
from inference.outputs import committed
from inference.steps import Step

PACK = {"x": pack_plain, "z": pack_plain, "scale": pack_plain, "scale_z": pack_plain}


def shape(x: Shape, z: Shape, *scales: Shape) -> Shape:
    require_image("x", x)
    require(z[:-1] == x[:-1], f"{z} does not lie beside {x}")
    require(scales in ((), (SCALE, SCALE)), f"scales are not {scales}")
    return (*x[:-1], x[-1] + z[-1])


def exact(
    x: npt.NDArray[np.int32], z: npt.NDArray[np.int32], scale: npt.NDArray[np.int32], scale_z: npt.NDArray[np.int32]
) -> npt.NDArray[np.int32]:
    (n, at), (m, at_z) = narrowing(scale, NORM), narrowing(scale_z, NORM)
    to = max(at, at_z)
    parts = [(x, n, to - at), (z, m, to - at_z)]
    wide = [moved(narrow(each.astype(np.int64), by, NORM), shift) for each, by, shift in parts]
    return np.concatenate(wide, axis=-1).astype(np.int32)


def derivation(
    row: int, start: int, stop: int, x: Operand, z: Operand, scale: Operand | Constant, scale_z: Operand | Constant
) -> list[Step]:
    made, reading, words = Derivation(), Reading(), stop - start
    tensors, both = (x, z), x.shape[-1] + z.shape[-1]
    first = row * committed((*x.shape[:-1], both))[1] + start
    parts, at = list[Any](), first
    while at < first + words:
        pixel, channel = divmod(at, both)
        of = int(channel >= x.shape[-1])
        low = channel - of * x.shape[-1]
        each = min(first + words - at, tensors[of].shape[-1] - low)
        begin = pixel * tensors[of].shape[-1] + low
        parts.append([of, reading.words(tensors[of], begin, begin + each)])
        at += each
    numbers = {"x": parts, "scales": [reading.all(each) for each in (scale, scale_z)]}
    made.step("channels", reading.sources, words, words, **numbers)
    return made.steps


def float32(x: npt.NDArray[np.float32], z: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.concatenate((x, z), axis=-1)


def enclosure(x: Array, z: Array) -> Enclosed:
    """As they are, but for what is flushed."""
    both = np.concatenate((x, z), axis=-1).astype(np.float64)
    return both, np.full(both.shape, FLUSH)


def work(x: Shape, z: Shape, *_: Shape) -> int:
    return prod(x) + prod(z)


def dimensions(x: Shape, z: Shape, *_: Shape) -> dict[str, int]:
    return {"words": prod(x) + prod(z), "pixels": pixels(x), "channels": x[-1], "channels_z": z[-1]}


def workgroups(output: Shape, *, lanes: int, arithmetic: str, **_: object) -> Shape:
    return by_channel(output, lanes) if arithmetic == "exact" else elementwise(output, lanes)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    shapes = [(a, b, 3 * c), (a, b, 5)]
    if arithmetic == "float32":
        return {name: floats(generator, each) for name, each in zip("xz", shapes, strict=True)}, {}, {}
    (x, scale), (z, scale_z) = (draw_scaled(generator, each) for each in shapes)
    return {"x": x, "z": z, "scale": scale, "scale_z": scale_z}, {}, {}
