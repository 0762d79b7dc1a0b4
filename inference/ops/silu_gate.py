"""SwiGLU's gate: z = silu(g)·u with silu(g) = g / (1 + e^-g); of GELU by tanh, g / (1 + e^-a), by another curve.

x: (T, 2 H), gate and then up; z: (T, H). Float32 is told which by ``tanh``. Exact, g and u with f fraction bits:
silu(g) = max(g, 0) - C(|g|), with C(t) = t / (1 + e^t) in 16 fraction bits at steps of 1/16 up to 16, linear between,
0 beyond;

    i = t >> (f - 4), r = t & (2^(f-4) - 1)
    c = C[i] + (((C[i+1] - C[i])·r + 2^(f-5)) >> (f - 4))     |C[i+1] - C[i]| < 2^13
    s = max(g, 0) - rs(c, 16 - f)
    z = mulsh(u, s, 10) = (s >> 10)·u + (((s & 1023)·u) >> 10)  in 2 f - 10 fraction bits

``formats.gate`` takes f, at most 12, so that both terms and z itself stay below 2^31.
"""

import math

import numpy as np
import numpy.typing as npt

from inference.arithmetic import tables
from inference.arithmetic.tolerance import Array, Enclosed, flushed, gamma
from inference.derivation import Constant, Derivation, Operand
from inference.files.blocks import pack_plain
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator, floats, integers
from inference.steps import Source, Step
from inference.steps.gate import gated

PACK = {"curve": pack_plain}
EXP_CLAMP = 80.0
"""The float32 kernel takes e^-g at most at g = -80."""
ROOT, CUBIC = math.sqrt(8 / math.pi), 0.044715


def shape(x: Shape, *tables: Shape, **_: object) -> Shape:
    require(len(x) == 2 and x[1] % 2 == 0, f"gate and up are not two halves of {x}")
    require(tables in ((), ((257,),)), f"the curve has 257 entries, not {tables}")
    return (x[0], x[1] // 2)


def exact(x: npt.NDArray[np.int32], curve: npt.NDArray[np.int32], *, fraction: int) -> npt.NDArray[np.int32]:
    g, u = np.split(x.astype(np.int64), 2, axis=1)
    return gated(g, u, curve.astype(np.int64), fraction).astype(np.int32)


def derivation(row: int, start: int, stop: int, x: Operand, curve: Constant, *, fraction: int) -> list[Step]:
    made, half, words = Derivation(), x.words // 2, stop - start
    sources = list[Source]()
    both = [*x.pieces(row, start, stop, sources), *x.pieces(row, half + start, half + stop, sources)]
    made.step("gate", sources, words, 2 * words, x=both, group=words, curve=curve.name, fraction=fraction)
    return made.steps


def float32(x: npt.NDArray[np.float32], *, tanh: int = 0) -> npt.NDArray[np.float32]:
    g, u = np.split(x, 2, axis=1)
    with np.errstate(over="ignore"):  # e^-a beyond float32: the gate is 0
        return np.asarray(g / (np.float32(1) + np.exp(-argument(g, tanh))) * u, np.float32)


def argument(g: Array, tanh: int) -> Array:
    """a: g itself, or sqrt(8 / pi) (g + 0.044715 g³)."""
    return g * (ROOT + ROOT * CUBIC * g * g) if tanh else g


def enclosure(x: Array, *, tanh: int = 0) -> Enclosed:
    """z = g / (1 + e^-a)·v: gamma(4.5 + (3 + 2|a| + n) sigma(-a)) |z|, n = 10 |a| where a is not g.

    e^-a is within 3 + 2|a| ulp, a within 10 of its own, and it makes up sigma(-a) of 1 + e^-a; an addition, a quotient
    (2.5) and a product follow. Where a < -80 an exponential that is cut off, or overflows to a z of 0, changes z by at
    most |g v| e^-80.
    """
    g, v = np.split(x.astype(np.float64), 2, axis=1)
    a = argument(g, tanh)
    e = np.exp(np.minimum(-a, 700))
    z = g / (1 + e) * v
    cut = np.where(a < -EXP_CLAMP, np.abs(g * v) * np.exp(-EXP_CLAMP), 0)
    ulps = 3 + (12 if tanh else 2) * np.abs(a)
    return z, gamma(4.5 + ulps * (e / (1 + e))) * np.abs(z) + cut + flushed(9 if tanh else 4, x)


def work(x: Shape, *_: Shape, **__: object) -> int:
    return 2 * x[0] * x[1]


def dimensions(x: Shape, *_: Shape, **__: object) -> dict[str, int]:
    return {"hidden": x[1] // 2}


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    return (-(-output[1] // lanes), output[0], 1)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    shape = (a, 2 * 7 * b * c)
    if arithmetic == "float32":
        return {"x": 8 * floats(generator, shape)}, {}, {"tanh": c % 2}
    fraction = int(generator.integers(8, 13))
    return (
        {"x": integers(generator, shape, 20)},
        {"curve": tables.gelu_curve() if c % 2 else tables.silu_curve()},
        {"fraction": fraction},
    )
