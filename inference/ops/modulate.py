"""The gains and biases of a group norm that a condition scales and shifts: (g, b) -> (g (1 + s), b (1 + s) + t).

modulation: (1, 2 C), scales s and then shifts t; affine: (2, C), gains and biases; y: (2, C). Exact: affine of 15 bits
in units 2^-fraction, modulation with its scale;

    E' = max(E + n, -29) of n to 29 bits   M = s moved to E' + 1 at E'   |M| < 2^30
    P  = mulsh(M, g, 15), Q = mulsh(M, b, 15) at U = E' + 15 - fraction   |P|, |Q| < 2^30
    E_y = max(U, E + n):  y = P moved to E_y;  Q moved to E_y + t moved to E_y   |y| < 2^30 + 2^29
"""

import numpy as np
import numpy.typing as npt

from inference.arithmetic.tolerance import Array, Enclosed, flushed, gamma
from inference.derivation import Constant, Derivation, Operand, Reading
from inference.files.blocks import pack_plain
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator, floats, integers
from inference.ops._images import SCALE, draw_scaled
from inference.steps import Step
from inference.steps.modulate import modulated

PACK = {"affine": pack_plain}
COLOUR = "#dcecd2"


def shape(modulation: Shape, affine: Shape, *scale: Shape, **_: object) -> Shape:
    require(affine[:1] == (2,) and modulation == (1, 2 * affine[1]), f"a modulation {modulation} does not fit {affine}")
    require(scale in ((), (SCALE,)), f"a scale is not {scale}")
    return affine


def exact(
    modulation: npt.NDArray[np.int32],
    affine: npt.NDArray[np.int32],
    scale: npt.NDArray[np.int32],
    *,
    fraction: int = 0,
) -> npt.NDArray[np.int32]:
    (s, t), (gain, bias) = modulation.astype(np.int64).reshape(2, -1), affine.astype(np.int64)
    wide = scale.astype(np.int64).ravel()
    found = [modulated(s, None, gain, wide, fraction), modulated(s, t, bias, wide, fraction)]
    return np.stack(found).astype(np.int32)


def derivation(
    row: int,
    start: int,
    stop: int,
    modulation: Operand,
    affine: Constant,
    scale: Operand | Constant,
    *,
    fraction: int = 0,
) -> list[Step]:
    made, reading, channels, words = Derivation(), Reading(), affine.shape[1], stop - start
    numbers = {
        "s": reading.words(modulation, start, stop),
        "t": reading.words(modulation, channels + start, channels + stop) if row else [],
        "affine": [affine.name, row, start, stop],
        "scale": reading.all(scale),
        "fraction": fraction,
    }
    made.step("modulate", reading.sources, words, 2 * words, **numbers)
    return made.steps


def float32(modulation: npt.NDArray[np.float32], affine: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    s, t = modulation.reshape(2, -1)
    return np.stack((affine[0] * (1 + s), affine[1] * (1 + s) + t))


def enclosure(modulation: Array, affine: Array) -> Enclosed:
    """gamma(3) (|g| (1 + |s|)), and the like with |t|."""
    (s, t), (g, b) = modulation.astype(np.float64).reshape(2, -1), affine.astype(np.float64)
    sizes = np.stack((np.abs(g) * (1 + np.abs(s)), np.abs(b) * (1 + np.abs(s)) + np.abs(t)))
    return np.stack((g * (1 + s), b * (1 + s) + t)), gamma(3) * sizes + flushed(3, modulation, affine)


def work(modulation: Shape, *_: Shape, **__: object) -> int:
    return modulation[1]


def dimensions(modulation: Shape, *_: Shape, **__: object) -> dict[str, int]:
    return {"channels": modulation[1] // 2}


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    return (-(-output[1] // lanes), 1, 1)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    channels = a * b * c
    if arithmetic == "float32":
        return {"modulation": floats(generator, (1, 2 * channels))}, {"affine": floats(generator, (2, channels))}, {}
    modulation, scale = draw_scaled(generator, (1, 2 * channels))
    affine = integers(generator, (2, channels), 15)
    return {"modulation": modulation, "scale": scale}, {"affine": affine}, {"fraction": int(generator.integers(20))}
