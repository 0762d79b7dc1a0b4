"""A layer norm in two passes: y = (x - mean) / sqrt(mean of squared distances + epsilon) · gain + bias, of each pixel.

x: (.., C), C <= 4096; affine: (2, C), gains and biases; y as x. Exact, with both scales; of each pixel

    z = narrow(x, n) to 29 bits, mean = sign(S) floor(|S| / C), S = sum z                  64 bits, order-free
    d = z - mean, m = bit length of max|d| - 29, D = narrow(d, m) to 29 bits                 a large mean costs D no bit
    v, h of V = sum of rs(D, 14)² at E + n + m + 14 as in ``group_roots``: 1 / deviation = v · 2^(-30 - h)
    Y = mul16(D, v) moved by 18 + h, kept to |Y| <= 32767                              10 fraction bits: 32 deviations
    g, b = narrow(affine, n') to 15 bits at E' + n'
    y = Y·g + b·2^10                                                                       at E' + n' - 10
"""

from math import prod

import numpy as np
import numpy.typing as npt

from inference.arithmetic.scaled import NORM, narrow, narrowing
from inference.arithmetic.tolerance import Array, Enclosed, U, flushed, gamma
from inference.derivation import Constant, Derivation, Operand, Reading
from inference.files.blocks import pack_plain
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator, floats
from inference.ops._images import MOST_GROUPS, SCALE, draw_scaled, pixels, require_image
from inference.ops.group_roots import epsilon_of
from inference.outputs import committed
from inference.steps import Step
from inference.steps.group_norm import transformed
from inference.steps.layer_norm import normalised
from inference.steps.layer_statistics import statistics

PACK = dict.fromkeys(("x", "scale", "affine", "affine_scale"), pack_plain)
COLOUR = "#dcecd2"
WIDEST = 4096


def shape(x: Shape, affine: Shape, *scales: Shape, **_: object) -> Shape:
    require_image("x", x)
    require(x[-1] <= WIDEST, f"{x[-1]} channels are too many: {WIDEST} are allowed")
    require(affine == (2, x[-1]), f"gains and biases {affine} do not fit {x}")
    require(scales in ((), (SCALE, SCALE)), f"scales are not {scales}")
    return x


def exact(
    x: npt.NDArray[np.int32],
    affine: npt.NDArray[np.int32],
    scale: npt.NDArray[np.int32],
    affine_scale: npt.NDArray[np.int32],
    *,
    mantissa: int,
    exponent: int,
) -> npt.NDArray[np.int32]:
    n, at = narrowing(scale, NORM)
    z = narrow(x.reshape(-1, x.shape[-1]).astype(np.int64), n, NORM)
    Y = normalised(z, statistics(z, mantissa, exponent - 2 * at))
    y, _ = transformed(Y, affine.astype(np.int64), affine_scale.astype(np.int64))
    return y.reshape(x.shape).astype(np.int32)


def derivation(
    row: int,
    start: int,
    stop: int,
    x: Operand,
    affine: Operand | Constant,
    scale: Operand | Constant,
    affine_scale: Operand | Constant,
    *,
    mantissa: int,
    exponent: int,
) -> list[Step]:
    """The statistics of the pixels that the leaf is of, and the leaf."""
    made, channels, words = Derivation(), x.shape[-1], stop - start
    first = row * committed(x.shape)[1] + start
    begin, end = first // channels, -(-(first + words) // channels)
    reading = Reading()
    place, of = reading.words(x, begin * channels, end * channels), end - begin
    epsilon = {"mantissa": mantissa, "exponent": exponent}
    numbers = {"x": place, "scale": reading.all(scale), "columns": channels, **epsilon}
    known = made.step("layer_statistics", reading.sources, 4 * of, 4 * of * channels, **numbers)
    reading, low = Reading([known]), first % channels
    high = low + min(words, channels - low)
    numbers = {
        "x": reading.words(x, first, first + words),
        "scale": reading.all(scale),
        "statistics": [[0, 0, 4 * of]],
        "gains": reading.words(affine, low, high),
        "biases": reading.words(affine, channels + low, channels + high),
        "affine_scale": reading.all(affine_scale),
    }
    made.step("layer_norm", reading.sources, words, 3 * words, **numbers)
    return made.steps


def float32(x: npt.NDArray[np.float32], affine: npt.NDArray[np.float32], *, epsilon: float) -> npt.NDArray[np.float32]:
    d = x - x.mean(-1, keepdims=True, dtype=np.float32)
    variance = (d * d).mean(-1, keepdims=True, dtype=np.float32)
    return np.asarray(d / np.sqrt(variance + np.float32(epsilon)) * affine[0] + affine[1], np.float32)


def enclosure(x: Array, affine: Array, *, epsilon: float) -> Enclosed:
    """A distance d is off by e = gamma(C + 3) mean |x| + u |d|; the variance by what that makes of squares, and by
    gamma(C + 4) of itself; its inverse root by that and 7 u more; three roundings follow."""
    wide, count, floor = x.astype(np.float64), x.shape[-1], np.float64(np.float32(epsilon))
    gain, bias = affine.astype(np.float64)
    d = wide - wide.mean(-1, keepdims=True)
    e = gamma(count + 3) * np.abs(wide).mean(-1, keepdims=True) + U * np.abs(d)
    variance = (d * d).mean(-1, keepdims=True)
    off = (2 * np.abs(d) * e + e * e).mean(-1, keepdims=True)
    off += gamma(count + 4) * ((np.abs(d) + e) ** 2).mean(-1, keepdims=True) + U * floor
    root = 1 / np.sqrt(variance + floor)
    most = (1 + gamma(7)) / np.sqrt(np.maximum(variance - off, 0) + floor * (1 - U))
    sizes = e * most + np.abs(d) * (most - root)
    radius = np.abs(gain) * sizes + gamma(3) * ((np.abs(d) + e) * most * np.abs(gain) + np.abs(bias))
    return d * root * gain + bias, radius + flushed(4 * count, x, root, affine)


def work(x: Shape, *_: Shape, **__: object) -> int:
    return 6 * prod(x)


def dimensions(x: Shape, *_: Shape, **__: object) -> dict[str, int]:
    return {"rows": pixels(x), "channels": x[-1]}


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    rows = pixels(output)
    return (min(rows, MOST_GROUPS), -(-rows // MOST_GROUPS), 1)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    image = (a, b, 7 * c) if b % 2 else (a, 7 * b * c)
    if arithmetic == "float32":
        mean = np.float32(10.0 ** generator.integers(-2, 4))
        return {"x": floats(generator, image) + mean}, {"affine": floats(generator, (2, image[-1]))}, {"epsilon": 1e-5}
    x, scale = draw_scaled(generator, image)
    if a % 2:  # deviations far smaller than the mean
        x = (scale[0, 0] - np.abs(x >> int(generator.integers(4, 20)))).astype(np.int32)
    integer, affine_scale = draw_scaled(generator, (2, image[-1]))
    return {"x": x, "scale": scale}, {"affine": integer, "affine_scale": affine_scale}, epsilon_of(1e-5)
