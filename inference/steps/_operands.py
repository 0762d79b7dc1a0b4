"""How kinds read: pieces of their sources, windows of constants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.arithmetic.fixed_point import Integers, check, i32
from inference.steps import LEAF, ROWS, Constants, Words

Range = Sequence[int]
"""[start, stop], stop not included."""


def signed(words: Words) -> Integers:
    """A source's words; it must have some."""
    check(words.size > 0, "a source is null")
    return words.astype(np.int64)


def unsigned(words: Words) -> Integers:
    """A source's words without a sign, from their bits."""
    check(words.size > 0, "a source is null")
    return words.view(np.uint32).astype(np.int64)


def one(words: Words) -> Integers:
    """A source of one word."""
    check(words.shape == (1,), "a source is not of one word")
    return words.astype(np.int64)


def pieces(inputs: Sequence[Words], places: Sequence[Sequence[int]]) -> Integers:
    """Words of the sources side by side."""
    for source, start, stop in places:
        check(0 <= source < len(inputs) and 0 <= start < stop <= len(inputs[source]), "a piece lies outside its source")
    return np.concatenate([inputs[source][start:stop] for source, start, stop in places]).astype(np.int64)


def placed(inputs: Sequence[Words], constants: Constants, place: Sequence[Any]) -> Integers:
    """Words of sources, of a row of a constant, or themselves: pieces, [name, row, start, stop] or ["", words ..]."""
    if place and isinstance(place[0], str):
        if not place[0]:
            return i32(np.array(place[1:], np.int64))
        name, row, start, stop = place
        return window(constants, name, [row, row + 1], [start, stop])[0]
    return pieces(inputs, place)


def scale(inputs: Sequence[Words], constants: Constants, place: Sequence[Any]) -> Integers:
    """The two words of a tensor's scale."""
    words = placed(inputs, constants, place)
    check(words.shape == (2,), "a scale is not a largest and an exponent")
    return words


def matrix(words: Integers, rows: int) -> Integers:
    """Words as a matrix of that many rows."""
    check(rows > 0 and len(words) % rows == 0, f"{len(words)} words are not {rows} rows")
    return words.reshape(rows, -1)


def window(constants: Constants, name: str, rows: Range, columns: Range) -> Integers:
    """Rows and columns of a constant, from its tiles."""
    (top, bottom), (left, right) = rows, columns
    height, width = constants.shape(name)
    check(0 <= top < bottom <= height and 0 <= left < right <= width, f"a window lies outside the constant {name}")
    across = -(-width // LEAF)
    found = [
        [constants.tile(name, down * across + over) for over in range(left // LEAF, -(-right // LEAF))]
        for down in range(top // ROWS, -(-bottom // ROWS))
    ]
    above, before = top // ROWS * ROWS, left // LEAF * LEAF
    return np.block(found)[top - above : bottom - above, left - before : right - before].astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Tiles:
    """Constants that are at hand as arrays."""

    arrays: Mapping[str, npt.NDArray[Any]]

    def _matrix(self, name: str) -> npt.NDArray[Any]:
        array = self.arrays[name]
        return array.reshape(1, -1) if array.ndim == 1 else array.reshape(len(array), -1)

    def shape(self, name: str) -> tuple[int, int]:
        """Rows and columns of a constant."""
        rows, columns = self._matrix(name).shape
        return rows, columns

    def tile(self, name: str, index: int) -> npt.NDArray[np.integer]:
        """A tile of a constant."""
        whole = self._matrix(name)
        down, over = divmod(index, -(-whole.shape[1] // LEAF))
        return whole[down * ROWS : (down + 1) * ROWS, over * LEAF : (over + 1) * LEAF]
