"""Operands to try an op on, drawn: integers of all lengths, ordinary floats, weights in blocks."""

from typing import Any

import numpy as np
import numpy.typing as npt

from inference.arithmetic.formats import rows
from inference.files.blocks import BLOCK, Weights, eight_bits, four_bits

Generator = np.random.Generator
Drawn = tuple[dict[str, npt.NDArray[Any]], dict[str, npt.NDArray[Any]], dict[str, Any]]
"""Inputs by name, constants by name, attributes."""


def integers(generator: Generator, shape: tuple[int, ...], bits: int) -> npt.NDArray[np.int32]:
    """int32 of up to ``bits`` bits, of all lengths, the ends among them."""
    values = generator.integers(-(2**bits) + 1, 2**bits, shape) >> generator.integers(0, bits, shape)
    return np.where(generator.random(shape) < 0.02, (1 - 2**bits) * np.sign(values | 1), values).astype(np.int32)


def floats(generator: Generator, shape: tuple[int, ...] | int) -> npt.NDArray[np.float32]:
    """Of a normal distribution."""
    return generator.standard_normal(shape).astype(np.float32)


def weights(generator: Generator, outputs: int, blocks: int, *, eight: bool) -> Weights:
    """A matrix whose rows are of different sizes."""
    matrix = floats(generator, (outputs, blocks * BLOCK)) * np.exp(floats(generator, (outputs, 1)))
    return eight_bits(matrix) if eight else four_bits(matrix)


def halves(generator: Generator, outputs: int, blocks: int) -> Weights:
    """A matrix of 8 bits of any size, its blocks' halves too."""
    q = generator.integers(-128, 128, (outputs, blocks * BLOCK)) >> generator.integers(0, 6, (outputs, 1))
    d = floats(generator, (outputs, 2 * blocks)) * np.exp(floats(generator, (outputs, 1)))
    return Weights(q.astype(np.int8), d, 8 * floats(generator, (outputs, blocks)))


def draw_places(generator: Generator, tokens: int, sequences: int, capacity: int) -> npt.NDArray[np.int32]:
    """Distinct places of tokens."""
    chosen = generator.choice(sequences * capacity, tokens, replace=False)
    return np.stack((chosen // capacity, chosen % capacity), axis=1).astype(np.int32)


def scale_of(factor: float) -> dict[str, int]:
    """A factor as mantissa and shift."""
    [[mantissa, shift]] = rows("scale", np.array([factor])).tolist()
    return {"mantissa": mantissa, "shift": shift}
