"""A group norm's last pass: y = (x - mean) · root · gain + bias, and silu(y) where it is fused.

x: (H, W, C); mean: (1, G); roots and affine (2, C): gains and biases, constant or of ``modulate``. Exact: x and affine
with their scales, roots (1, 2 G) of ``group_roots``;

    d = narrow(x, n) to 29 bits - mean                                         |d| < 2^30
    Y = mul16(d, v) moved by 19 + h, kept to |Y| <= 32767                      10 fraction bits: 32 deviations
    g, b = narrow(affine, n') to 15 bits at E' + n'
    y = Y·g + b·2^10                                                           |y| < 2^30 + 2^25, at E' + n' - 10
    y = max(y, 0) - C(|y|) where silu is fused (``scaled.curved``)
"""

import numpy as np
import numpy.typing as npt

from inference.arithmetic import tables
from inference.arithmetic.scaled import NORM, curved, narrow, narrowing
from inference.arithmetic.tolerance import Array, Enclosed, flushed, gamma
from inference.derivation import Constant, Derivation, Operand, Reading
from inference.files.blocks import pack_plain
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator, floats
from inference.ops._images import RUN, SCALE, by_channel, draw_scaled, elementwise, pixels
from inference.ops.group_sums import grouped
from inference.steps import Step
from inference.steps.group_norm import normalised, transformed

PACK = {"x": pack_plain, "scale": pack_plain, "affine": pack_plain, "affine_scale": pack_plain, "curve": pack_plain}
COLOUR = "#dcecd2"
EXP_CLAMP = 80.0
"""The float32 kernel takes e^-y at most at y = -80."""


def shape(x: Shape, mean: Shape, roots: Shape, affine: Shape, *exact: Shape, groups: int, silu: bool = False) -> Shape:
    require(len(x) == 3 and x[2] % groups == 0, f"{groups} groups do not share the channels of {x}")
    require(
        mean == (1, groups) and roots in ((1, groups), (1, 2 * groups)), f"means {mean} or roots {roots} do not fit {x}"
    )
    require(affine == (2, x[2]), f"gains and biases {affine} do not fit {x}")
    require(exact[:2] in ((), (SCALE, SCALE)) and exact[2:] in ((), ((257,),)), f"scales and curve are not {exact}")
    return x


def exact(
    x: npt.NDArray[np.int32],
    mean: npt.NDArray[np.int32],
    roots: npt.NDArray[np.int32],
    affine: npt.NDArray[np.int32],
    scale: npt.NDArray[np.int32],
    affine_scale: npt.NDArray[np.int32],
    curve: npt.NDArray[np.int32] | None = None,
    *,
    groups: int,
    silu: bool = False,
) -> npt.NDArray[np.int32]:
    z = narrow(x.astype(np.int64), narrowing(scale, NORM)[0], NORM)
    middle, (v, h) = mean.astype(np.int64)[0, :, None], roots.astype(np.int64).reshape(2, groups, 1)
    Y = normalised(grouped(z, groups), middle, v, h).reshape(x.shape)
    y, exponent = transformed(Y, affine.astype(np.int64), affine_scale.astype(np.int64))
    if silu:
        assert curve is not None
        y = curved(y, exponent, curve.astype(np.int64))
    return y.astype(np.int32)


def derivation(
    row: int,
    start: int,
    stop: int,
    x: Operand,
    mean: Operand,
    roots: Operand,
    affine: Operand | Constant,
    scale: Operand | Constant,
    affine_scale: Operand | Constant,
    curve: Constant | None = None,
    *,
    groups: int,
    silu: bool = False,
) -> list[Step]:
    made, reading, channels, words = Derivation(), Reading(), x.shape[2], stop - start
    first = row * x.words + start
    low = first % channels
    high = low + min(words, channels - low)
    numbers = {
        "x": reading.words(x, first, first + words),
        "scale": reading.all(scale),
        "mean": reading.all(mean),
        "roots": reading.all(roots),
        "gains": reading.words(affine, low, high),
        "biases": reading.words(affine, channels + low, channels + high),
        "affine_scale": reading.all(affine_scale),
        "channels": [low, high],
        "width": channels // groups,
        "curve": curve.name if curve is not None else "",
    }
    made.step("group_norm", reading.sources, words, 3 * words, **numbers)
    return made.steps


def float32(
    x: npt.NDArray[np.float32],
    mean: npt.NDArray[np.float32],
    roots: npt.NDArray[np.float32],
    affine: npt.NDArray[np.float32],
    *,
    groups: int,
    silu: bool = False,
) -> npt.NDArray[np.float32]:
    Y = ((grouped(x, groups) - mean[0, :, None]) * roots[0, :, None]).reshape(x.shape)
    y = Y * affine[0] + affine[1]
    if not silu:
        return np.asarray(y, np.float32)
    with np.errstate(over="ignore"):  # e^-y beyond float32: silu is 0
        return np.asarray(y / (np.float32(1) + np.exp(-y)), np.float32)


def enclosure(x: Array, mean: Array, roots: Array, affine: Array, *, groups: int, silu: bool = False) -> Enclosed:
    """y: gamma(4) (|x| + |mean|) root |gain| + u |bias|; silu' <= 1.1, and silu itself as in ``silu_gate``."""
    wide, middle, root = x.astype(np.float64), mean.astype(np.float64)[0, :, None], roots.astype(np.float64)[0, :, None]
    gain, bias = affine.astype(np.float64)
    Y = ((grouped(wide, groups) - middle) * root).reshape(x.shape)
    sizes = (np.abs(grouped(wide, groups) - middle) * root).reshape(x.shape)
    y = Y * gain + bias
    radius = gamma(4) * (sizes * np.abs(gain) + np.abs(bias)) + flushed(4, x, root, affine)
    if not silu:
        return y, radius
    e = np.exp(np.minimum(-y, 700))
    cut = np.where(y < 1 - EXP_CLAMP, np.abs(y) * np.exp(-EXP_CLAMP), 0)
    z = y / (1 + e)
    return z, 1.1 * radius + gamma(4 + (3 + 2 * np.abs(y)) * (e / (1 + e))) * np.abs(z) + cut + flushed(4, x)


def work(x: Shape, *_: Shape, **__: object) -> int:
    return 3 * x[0] * x[1] * x[2]


def entry(*, silu: bool = False, **_: object) -> str:
    return "with_silu" if silu else "main"


def dimensions(x: Shape, *_: Shape, **__: object) -> dict[str, int]:
    return {"words": x[0] * x[1] * x[2], "pixels": x[0] * x[1], "channels": x[2]}


def variants(output: Shape, *, arithmetic: str, **_: object) -> list[str]:
    """The kernel that a target admits: by vectors where channels are whole ones."""
    return ["fours"] if arithmetic == "exact" and output[-1] % 4 == 0 else [""]


def workgroups(output: Shape, *, lanes: int, arithmetic: str, variant: str = "", **_: object) -> Shape:
    if variant == "fours":
        return elementwise((-(-pixels(output) // RUN), output[-1] // 4), lanes)
    return by_channel(output, lanes) if arithmetic == "exact" else elementwise(output, lanes)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    image, silu = (a, b, 3 * b * c), bool(c % 2)
    attributes = {"groups": b, "silu": silu}
    affine = floats(generator, (2, image[2]))
    if arithmetic == "float32":
        statistics = {"mean": floats(generator, (1, b)), "roots": np.abs(floats(generator, (1, b)))}
        return {"x": floats(generator, image)} | statistics, {"affine": affine}, attributes
    x, scale = draw_scaled(generator, image)
    mean = generator.integers(-(2**29), 2**29, (1, b)).astype(np.int32)
    roots = np.concatenate((generator.integers(2**14, 2**15, (1, b)), generator.integers(-24, 1, (1, b))), axis=1)
    inputs = {"x": x, "mean": mean, "roots": roots.astype(np.int32), "scale": scale}
    integer, affine_scale = draw_scaled(generator, affine.shape)
    constants = {"affine": integer, "affine_scale": affine_scale}
    return inputs, constants | ({"curve": tables.silu_curve()} if silu else {}), attributes
