"""A sum of tensors with constant factors: a residual, a scheduler's step, guidance: y = f_x x (+ f_z z).

x: (H, W, C) or (T, C); z: the same, or (1, C) for every pixel; y: as x. In float32 kept to |.| <= limit where that is
not 0. Exact, with the tensors' scales; factors are mantissa · 2^(unit - 16), mantissas of 15 bits and a sign:

    X = mulsh(narrow(x, n) to 30 bits, mantissa, 16) at E + n + unit                            |X| <= 2^29
    E_y = the larger of both, or fixed to ``floor``
    y = sum of X moved to E_y, kept to ±limit · 2^-E_y                                          |y| <= 2^30
"""

import math
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.arithmetic.clamps import clamped
from inference.arithmetic.fixed_point import i32
from inference.arithmetic.scaled import NONE, factored
from inference.arithmetic.tolerance import Array, Enclosed, flushed, gamma
from inference.derivation import Constant, Derivation, Operand, Reading
from inference.files.blocks import pack_plain
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator, floats
from inference.ops._images import draw_scaled, elementwise, require_image
from inference.ops.scale import exponent
from inference.steps import Step
from inference.steps.combine import READ, bound

PACK = {"x": pack_plain, "z": pack_plain, "scale": pack_plain, "scale_z": pack_plain}


def arguments(arithmetic: str, *, terms: int, **_: object) -> list[str]:
    names = ["x", "z"][:terms]
    return names + (["scale", "scale_z"][:terms] if arithmetic == "exact" else [])


def shape(x: Shape, *others: Shape, terms: int, **_: object) -> Shape:
    given, scales = others[: terms - 1], others[terms - 1 :]
    require_image("x", x, *scales)
    require(terms in (1, 2) and given in ((), (x,), ((1, x[-1]),)), f"{given} does not fit {x}")
    require(len(scales) in (0, terms), f"{terms} tensors do not have scales {scales}")
    return x


def factor(value: float) -> tuple[int, int]:
    """Mantissa of 15 bits and a sign, and unit."""
    fraction, exponent = math.frexp(value)
    mantissa = round(fraction * 2**15)
    if abs(mantissa) == 2**15:
        mantissa, exponent = mantissa // 2, exponent + 1
    return mantissa, exponent + 1


def exact(
    *operands: npt.NDArray[np.int32],
    terms: int,
    mantissa: int = 0,
    unit: int = 0,
    mantissa_z: int = 0,
    unit_z: int = 0,
    floor: int = NONE,
    fixed: bool = False,
    limit: int = 0,
) -> npt.NDArray[np.int32]:
    tensors, scales = operands[:terms], list(operands[terms:])
    to = floor if fixed else exponent(scales, READ, unit, unit_z, floor)
    factors = ((mantissa, unit), (mantissa_z, unit_z))
    moved = [
        factored(tensor.astype(np.int64), scale, *given, to)
        for tensor, scale, given in zip(tensors, scales, factors, strict=False)
    ]
    total = i32(moved[0] if terms == 1 else moved[0] + moved[1])
    most = bound(limit, to)
    return clamped("limit", total, most).astype(np.int32)


def derivation(
    row: int,
    start: int,
    stop: int,
    *operands: Operand | Constant,
    terms: int,
    mantissa: int = 0,
    unit: int = 0,
    mantissa_z: int = 0,
    unit_z: int = 0,
    floor: int = NONE,
    fixed: bool = False,
    limit: int = 0,
) -> list[Step]:
    made, reading, words = Derivation(), Reading(), stop - start
    tensors, scales = operands[:terms], operands[terms:]
    x = tensors[0]
    across = x.words if isinstance(x, Operand) else x.shape[-1]
    places, channels = [reading.words(x, row * across + start, row * across + stop)], x.shape[-1]
    if terms == 2 and tensors[1].shape == x.shape:
        places.append(reading.words(tensors[1], row * across + start, row * across + stop))
    elif terms == 2:  # one row for every pixel
        low, left = (row * across + start) % channels, words
        place = list[Any]()
        while left:
            each = min(left, channels - low)
            place += reading.words(tensors[1], low, low + each)
            low, left = 0, left - each
        places.append(place)
    numbers = {"x": places, "scales": [reading.all(scale) for scale in scales]}
    factors = {"mantissas": [mantissa, mantissa_z][:terms], "units": [unit, unit_z][:terms]}
    more = {"floor": floor, "fixed": int(fixed), "limit": limit}
    made.step("combine", reading.sources, words, terms * words, **numbers, **factors, **more)
    return made.steps


def float32(
    *operands: npt.NDArray[np.float32],
    terms: int,
    factor_x: float = 1.0,
    factor_z: float = 1.0,
    limit: int = 0,
) -> npt.NDArray[np.float32]:
    y = operands[0] * np.float32(factor_x)
    if terms == 2:
        y = y + operands[1] * np.float32(factor_z)
    return np.clip(y, -limit, limit).astype(np.float32) if limit else y


def enclosure(*operands: Array, terms: int, factor_x: float = 1.0, factor_z: float = 1.0, limit: int = 0) -> Enclosed:
    """gamma(2) (|f_x x| + |f_z z|); keeping to a limit is exact."""
    factors = [np.float64(np.float32(each)) for each in (factor_x, factor_z)]
    parts = [each * wide.astype(np.float64) for each, wide in zip(factors, operands, strict=False)]
    y = parts[0] if terms == 1 else parts[0] + parts[1]
    sizes = np.abs(parts[0]) if terms == 1 else np.abs(parts[0]) + np.abs(parts[1])
    return np.clip(y, -limit, limit) if limit else y, gamma(2) * sizes + flushed(3, *operands)


def work(x: Shape, *_: Shape, terms: int, **__: object) -> int:
    return terms * prod(x)


def entry(*, terms: int, **_: object) -> str:
    return "two" if terms == 2 else "one"


def dimensions(x: Shape, *others: Shape, terms: int, **_: object) -> dict[str, int]:
    return {"words": prod(x), "words_z": prod(others[0]) if terms == 2 else 1}


def variants(output: Shape, *, arithmetic: str, **_: object) -> list[str]:
    """The kernel that a target admits: by vectors where channels are whole ones."""
    return ["fours"] if arithmetic == "exact" and output[-1] % 4 == 0 else [""]


def workgroups(output: Shape, *, lanes: int, variant: str = "", **_: object) -> Shape:
    return elementwise(output, 4 * lanes if variant == "fours" else lanes)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    shapes = [(a, b, 3 * c), (a, b, 3 * c) if b % 2 else (1, 3 * c)][: 1 + c % 2]
    limit, terms = int(generator.integers(0, 3)), len(shapes)
    values = generator.standard_normal(2)
    if arithmetic == "float32":
        attributes = {"terms": terms, "limit": limit, "factor_x": float(values[0]), "factor_z": float(values[1])}
        return {name: floats(generator, each) for name, each in zip("xz", shapes, strict=False)}, {}, attributes
    tensors, scales = zip(*(draw_scaled(generator, each) for each in shapes), strict=True)
    names = arguments("exact", terms=terms)
    (m, u), (m_z, u_z) = map(factor, values.tolist())
    attributes = {"terms": terms, "limit": limit, "mantissa": m, "unit": u, "mantissa_z": m_z, "unit_z": u_z}
    if a % 2:
        attributes |= {"fixed": True, "floor": int(generator.integers(-30, 5))}
    return dict(zip(names, (*tensors, *scales), strict=True)), {}, attributes
