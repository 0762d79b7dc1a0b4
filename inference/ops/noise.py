"""Gaussian noise as a function of the seed: words of the counter-based generator through a table of the inverse normal
law.

seed: (2,) words, the low one first; table: (65536,), 12 fraction bits, so its exponent is -12; y: (H, W, C). Sample i
is the table's entry at 16 bits of ``threefry(seed, i // 4)``: of its first word the low ones and the high ones, then of
its second.
"""

from math import prod

import numpy as np
import numpy.typing as npt

from inference.arithmetic import tables
from inference.arithmetic.tolerance import FLUSH, Array, Enclosed
from inference.derivation import Constant, Derivation
from inference.files.blocks import pack_plain
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator
from inference.ops._images import elementwise
from inference.outputs import committed
from inference.steps import Step
from inference.steps.noise import places

PACK = {"table": pack_plain}
EXPONENT = -12


def shape(seed: Shape, table: Shape, *, height: int, width: int, channels: int) -> Shape:
    require(seed == (2,) and table == (65536,), f"a seed of {seed} words or a table of {table} entries")
    require(min(height, width, channels) > 0, f"{height} × {width} × {channels} is no image")
    return (height, width, channels)


def exact(
    seed: npt.NDArray[np.int32], table: npt.NDArray[np.int32], *, height: int, width: int, channels: int
) -> npt.NDArray[np.int32]:
    found = places(words_of(seed), 0, height * width * channels)
    return table[found].astype(np.int32).reshape(height, width, channels)


def words_of(seed: npt.NDArray[np.int32]) -> list[int]:
    """A seed's words without a sign."""
    return np.asarray(seed, np.int32).view(np.uint32).tolist()


def derivation(
    row: int,
    start: int,
    stop: int,
    seed: npt.NDArray[np.int32],
    table: Constant,
    *,
    height: int,
    width: int,
    channels: int,
) -> list[Step]:
    made, words = Derivation(), committed((height, width, channels))[1]
    numbers = {"seed": words_of(seed), "first": row * words + start, "count": stop - start, "table": table.name}
    made.step("noise", [], stop - start, 32 * (stop - start), **numbers)
    return made.steps


def float32(
    seed: npt.NDArray[np.int32], table: npt.NDArray[np.int32], *, height: int, width: int, channels: int
) -> npt.NDArray[np.float32]:
    y = exact(seed, table, height=height, width=width, channels=channels)
    return y.astype(np.float32) * np.float32(2.0**EXPONENT)


def enclosure(seed: Array, table: Array, *, height: int, width: int, channels: int) -> Enclosed:
    """Every sample is a float32."""
    y = float32(seed, table, height=height, width=width, channels=channels).astype(np.float64)
    return y, np.full(y.shape, FLUSH)


def work(seed: Shape, table: Shape, *, height: int, width: int, channels: int) -> int:
    return height * width * channels


def dimensions(*_: Shape, height: int, width: int, channels: int) -> dict[str, int]:
    return {"words": height * width * channels}


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    return elementwise((-(-prod(output) // 4),), lanes)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    seed = generator.integers(-(2**31), 2**31, 2).astype(np.int32)
    return {"seed": seed}, {"table": tables.inverse_normal()}, {"height": a, "width": b, "channels": 3 * c}
