"""The scale of a tensor: its largest |x| and its exponent; exact only.

maxima: (1, P); scales of what it was computed from, (1, 2) each, none to two; y: (1, 2) of largest and

    E = max(floor, max over scales of E_i + bit length of largest_i - bits + unit_i)

of two scales where ``product`` is set their sum in place of the larger.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from inference.arithmetic.scaled import NONE, narrowing
from inference.derivation import Constant, Derivation, Operand, Reading
from inference.files.blocks import pack_plain
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator, integers
from inference.ops._images import SCALE
from inference.steps import Step

PACK = {"scale": pack_plain, "scale_z": pack_plain}
COLOUR = "#e6e0f0"


def shape(maxima: Shape, *given: Shape, scales: int = 0, **_: object) -> Shape:
    require(len(maxima) == 2 and maxima[0] == 1, f"maxima are not {maxima}")
    require(len(given) == scales < 3 and all(scale == SCALE for scale in given), f"{scales} scales are not {given}")
    return SCALE


def exponent(
    scales: Sequence[npt.NDArray[np.integer]], bits: int, unit: int, unit_z: int, floor: int, product: bool = False
) -> int:
    """Of a tensor computed from others."""
    units = zip(scales, (unit, unit_z), strict=False)
    found = [narrowing(scale, bits)[1] + each for scale, each in units]
    return max([floor, *([sum(found)] if product else found)])


def exact(
    maxima: npt.NDArray[np.int32],
    scale: npt.NDArray[np.int32] | None = None,
    scale_z: npt.NDArray[np.int32] | None = None,
    *,
    bits: int = 0,
    unit: int = 0,
    unit_z: int = 0,
    floor: int = NONE,
    scales: int = 0,
    product: bool = False,
) -> npt.NDArray[np.int32]:
    given = [each for each in (scale, scale_z) if each is not None]
    return np.array([[maxima.max(), exponent(given, bits, unit, unit_z, floor, product)]], np.int32)


def derivation(
    row: int,
    start: int,
    stop: int,
    maxima: Operand,
    *given: Operand | Constant,
    bits: int = 0,
    unit: int = 0,
    unit_z: int = 0,
    floor: int = NONE,
    scales: int = 0,
    product: bool = False,
) -> list[Step]:
    made, reading = Derivation(), Reading()
    numbers = {
        "maxima": reading.all(maxima),
        "scales": [reading.all(scale) for scale in given],
        "units": [unit, unit_z][:scales],
        "product": int(product),
    }
    made.step("tensor_scale", reading.sources, 2, maxima.words, bits=bits, floor=floor, **numbers)
    return made.steps


def work(maxima: Shape, *_: Shape, **__: object) -> int:
    return maxima[1]


def entry(*, scales: int = 0, product: bool = False, **_: object) -> str:
    return "both" if product else ("none", "one", "two")[scales]


def dimensions(maxima: Shape, *_: Shape, **__: object) -> dict[str, int]:
    return {"parts": maxima[1]}


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    return (1, 1, 1)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    scales = {name: np.array([[generator.integers(2**30), generator.integers(-40, 9)]], np.int32) for name in PACK}
    few = dict(list(scales.items())[: a % 3])
    attributes = {"bits": 14, "unit": b - 20, "unit_z": c - 20, "floor": -30, "scales": len(few)}
    if len(few) == 2:
        attributes["product"] = bool(c % 2)
    return {"maxima": np.abs(integers(generator, (1, a * b), 30))} | few, {}, attributes
