"""Images (H, W, C) and tokens (T, C): the same words, pixels by channels."""

from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.ops import Shape, require
from inference.ops._drawing import Generator, integers

SCALE: Shape = (1, 2)
MOST_GROUPS = 65535
"""Workgroups in a row, on every adapter."""
RUN = 32
"""Pixels of an invocation that has one channel."""


def pixels(shape: Shape) -> int:
    """Of an image or a list of tokens."""
    return prod(shape[:-1])


def require_image(name: str, x: Shape, *scales: Shape) -> None:
    """Refuse what is neither image nor tokens, and scales that are none."""
    require(len(x) in (2, 3) and min(x) > 0, f"{name} is neither an image nor tokens: {x}")
    require(all(scale == SCALE for scale in scales), f"a scale is a largest and an exponent, not {scales}")


def elementwise(output: Shape, lanes: int) -> Shape:
    """Workgroups of an invocation a word, in as many rows as are needed."""
    groups = -(-prod(output) // lanes)
    return (min(groups, MOST_GROUPS), -(-groups // MOST_GROUPS), 1)


def by_channel(output: Shape, lanes: int) -> Shape:
    """Workgroups of an invocation for each ``RUN`` pixels of a channel: nothing has to be divided for a word."""
    return (-(-output[-1] // lanes), -(-pixels(output) // RUN), 1)


def draw_scaled(generator: Generator, shape: Shape, bits: int = 0) -> tuple[npt.NDArray[Any], npt.NDArray[np.int32]]:
    """Words of an image and their scale."""
    x = integers(generator, shape, bits or int(generator.integers(2, 31)))
    return x, np.array([[np.abs(x).max(), generator.integers(-40, 10)]], np.int32)
