"""Steps as data: the parts of a leaf's derivation, each of a kind that a page or another program can compute as well.

A step reads sources (leaves that are committed, or earlier steps of the same leaf), constants of the model, and
numbers: JSON of whole numbers, lists of them, and names of constants. It gives words. A ``Step`` that reads or gives
too much cannot be made, so whoever opens one, for any op and shape, opens at most ``SOURCES`` times ``LEAF`` words.

The directory is the registry. A kind ``name`` is ``name.py`` here; it offers ``result(numbers, constants, inputs)``,
which gives the words of a step from its numbers and from the words of its sources, in order. Its docstring says what
they mean. ``vectors.json`` holds examples of every kind, good and refused; ``_vectors`` makes it.

Words are integers of 32 bits with a sign; where a docstring says unsigned, the bits of one without. A null node's leaf
has no words. All docstrings write:

* ``pieces``: a list of [source, start, stop]: words start to stop (not included) of a source, side by side;
* ``window(name, rows, columns)``: of a constant, as a matrix; rows and columns are [start, stop], stop not included.
  A constant of one axis is a matrix of one row; one of several has its first axis as rows, all others as columns.
  Windows are read from tiles of ``ROWS`` rows and ``LEAF`` columns, numbered row by row, those at an edge smaller;
* ``place``: pieces; or [name, row, start, stop], columns of a row of a constant; or ["", words ..], what is public
  itself. Of a *tensor*, ``x`` is a place of its words and ``scale`` one of its scale [largest, E]; ``narrow(x, b)`` is
  x << (b - bits(largest)) where that is no right shift, else rs(x, bits(largest) - b) kept to |.| < 2^b; it stands at
  E + bits(largest) - b;
* ``moved(x, s)``: of i32(x), rs(x, min(s, 30)) where s > 0, else x kept to ±((2^30 - 1) >> t) and shifted left by
  t = min(-s, 30);
* ``i32(x)``, ``u32(x)``: x, which must fit 32 bits with or without a sign;
* ``bits(x)``: the bit length of x >= 0, 0 of 0; ``a >> s``: floor(a / 2^s);
* ``rs(a, s)``: i32(a + 2^(s-1)) >> s where 0 < s <= 30, i32(a << -s) where -31 <= s <= 0, no other s;
* ``mulsh(a, m, b)``: i32(i32((a >> b)·m) + (i32((a & (2^b - 1))·m) >> b)), which is floor(a·m / 2^b);
* matrices row by row.

What does not hold is refused: no honest run gives such inputs.
"""

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from inference.arithmetic.fixed_point import check
from inference.outputs import LEAF as LEAF

ROWS = 32
"""Rows of a tile."""
SOURCES = 8
"""What a step reads, at most."""
WORK = 200_000
"""Multiply-accumulates of a step, at most."""

Words = npt.NDArray[np.int32]
Source = tuple[int, int] | int
"""A committed leaf (node, leaf), or an earlier step of the same leaf by its index."""
Numbers = Mapping[str, Any]


class Constants(Protocol):
    """Constants of a model by name, as matrices in tiles."""

    def shape(self, name: str) -> tuple[int, int]:
        """Rows and columns; KeyError where there is no such constant."""

    def tile(self, name: str, index: int) -> npt.NDArray[np.integer]:
        """Up to (``ROWS``, ``LEAF``)."""


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A part of a leaf's derivation.

    Raises:
        ValueError: it reads, gives or computes more than a step may.
    """

    kind: str
    sources: tuple[Source, ...]
    numbers: Numbers
    words: int
    """Of its result."""
    macs: int
    """Multiply-accumulates, or other operations where it makes none; 0 where it only concatenates."""

    def __post_init__(self) -> None:
        if len(self.sources) > SOURCES or not 0 < self.words <= LEAF or not 0 <= self.macs <= WORK:
            raise ValueError(
                f"a step {self.kind} of {len(self.sources)} sources, {self.words} words and {self.macs} "
                f"multiply-accumulates; {SOURCES}, {LEAF} and {WORK} are allowed"
            )


def kinds() -> list[str]:
    """All kinds, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def load(kind: str) -> ModuleType:
    """The module of a kind."""
    return importlib.import_module(f"{__name__}.{kind}")


def result(step: Step, constants: Constants, inputs: Sequence[Words]) -> Words:
    """The words of a step from those of its sources, in order.

    Raises:
        BoundError: inputs that no honest run gives.
    """
    made = load(step.kind).result(step.numbers, constants, inputs)
    check(made.shape == (step.words,), f"a step {step.kind} gives {made.size} words, not {step.words}")
    return np.asarray(made.astype(np.int32))
