"""Embedding of a text at its places: x[t] = E[token[t]] + P[t].

tokens: (T,); table: (V, K) and positions: (P, K) with T <= P; x: (T, K). Exact: 15 bits and a sign each, at one
exponent that the constants decide; x is their sum.
"""

import numpy as np
import numpy.typing as npt

from inference.arithmetic.tolerance import Array, Enclosed, flushed, gamma
from inference.derivation import Constant, Derivation, Operand
from inference.files.blocks import Words
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator, floats, integers
from inference.steps import Step
from inference.steps.text_embedding import embedded


def pack_pairs(table: npt.NDArray[np.integer | np.floating]) -> Words:
    """Two int16 a word, the first low; float32 as they are."""
    return np.ascontiguousarray(table).view(np.uint32).ravel()


PACK = {"table": pack_pairs, "positions": pack_pairs}
BITS = {"table": 16, "positions": 16}
COLOUR = "#f5edc8"


def shape(tokens: Shape, table: Shape, positions: Shape) -> Shape:
    require(len(tokens) == 1, f"tokens are one row of ids, not {tokens}")
    require(len(table) == len(positions) == 2 and table[1] == positions[1], f"places {positions} do not fit {table}")
    require(tokens[0] <= positions[0], f"{tokens[0]} tokens have {positions[0]} places")
    require(table[1] % 2 == 0, f"rows of {table[1]} are no pairs")
    return (tokens[0], table[1])


def exact(
    tokens: npt.NDArray[np.int32], table: npt.NDArray[np.int16], positions: npt.NDArray[np.int16]
) -> npt.NDArray[np.int32]:
    return embedded(table[tokens].astype(np.int64), positions[: len(tokens)].astype(np.int64)).astype(np.int32)


def derivation(
    row: int, start: int, stop: int, tokens: Operand | npt.NDArray[np.int32], table: Constant, positions: Constant
) -> list[Step]:
    made, words = Derivation(), stop - start
    numbers = {"columns": [start, stop], "table": table.name, "positions": positions.name, "place": row}
    if isinstance(tokens, Operand):
        made.step("text_embedding", tokens.leaves(row), words, words, **numbers)
    else:
        made.step("text_embedding", [], words, words, token=int(tokens[row]), **numbers)
    return made.steps


def float32(
    tokens: npt.NDArray[np.int32], table: npt.NDArray[np.float32], positions: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    return table[tokens] + positions[: len(tokens)]


def enclosure(tokens: Array, table: Array, positions: Array) -> Enclosed:
    """One addition: gamma(1) |x|."""
    x = table[tokens].astype(np.float64) + positions[: len(tokens)]
    return x, gamma(1) * np.abs(x) + flushed(1, table)


def work(tokens: Shape, table: Shape, positions: Shape) -> int:
    return tokens[0] * table[1]


def dimensions(tokens: Shape, table: Shape, positions: Shape) -> dict[str, int]:
    return {"count": tokens[0] * table[1], "columns": table[1]}


def workgroups(output: Shape, *, lanes: int, **_: object) -> Shape:
    return (-(-output[0] * output[1] // lanes), 1, 1)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    vocabulary, places, width = 8 * a + c, 3 * b, 2 * b * c
    tokens = {"tokens": generator.integers(0, vocabulary, min(places, a + c)).astype(np.int32)}
    shapes = {"table": (vocabulary, width), "positions": (places, width)}
    if arithmetic == "float32":
        return tokens, {name: floats(generator, shape) for name, shape in shapes.items()}, {}
    return tokens, {name: integers(generator, shape, 15).astype(np.int16) for name, shape in shapes.items()}, {}
