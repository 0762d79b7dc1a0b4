"""Rotary position embedding of some heads of a row; the columns after them are copied.

For head h, pair i, position p and angle p·theta^(-2i / w), w the head's width (GGUF's pairs 2i, 2i + 1):

    y[2i] = x[2i]·cos - x[2i+1]·sin,  y[2i+1] = x[2i]·sin + x[2i+1]·cos

x: (T, W), heads from column ``offset`` on; table: (positions, w / 2, 2) of cos and sin; places: (T, 2) of sequence and
position; y: (T, heads·w + copied). Exact: the table has 14 fraction bits and y = rs(.., 14); a rotation keeps a pair's
norm, so |x·cos - y·sin| <= pair norm · 2^14, which ``formats.attention`` bounds below 2^31. ``short``, y is its last 16
bits, which it fits by that bound, and in a cache two share a word.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from inference.arithmetic import tables
from inference.arithmetic.tolerance import Array, Enclosed, flushed, gamma
from inference.derivation import Constant, Derivation, Operand, Pieces
from inference.files.blocks import pack_plain
from inference.ops import Shape, require
from inference.ops._drawing import Drawn, Generator, draw_places, floats, integers
from inference.steps import Source, Step, rotation

PACK = {"table": pack_plain}


def shape(
    x: Shape,
    table: Shape,
    places: Shape,
    *,
    offset: int,
    heads: int,
    copied: int = 0,
    capacity: int = 0,
    sequences: int = 1,
    short: int = 0,
) -> Shape:
    require(len(x) == 2 and len(table) == 3 and table[2] == 2, f"a table of {table} does not rotate {x}")
    require(places == (x[0], 2), f"places {places} do not fit {x}")
    width = heads * 2 * table[1] + copied
    require(min(offset, copied) >= 0, f"a column of {offset} or {copied} copied columns are below 0")
    require(offset + width <= x[1], f"{heads} heads of {2 * table[1]} from column {offset} exceed {x}")
    require(short == 0 or (short == 1 and width % 2 == 0), f"short is {short} of {width} columns")
    return (x[0], width)


def exact(
    x: npt.NDArray[np.int32],
    table: npt.NDArray[np.int32],
    places: npt.NDArray[np.int32],
    *,
    offset: int,
    heads: int,
    copied: int = 0,
    short: int = 0,
    **_: object,
) -> npt.NDArray[np.int32]:
    rotated = heads * 2 * table.shape[1]
    return turned(x[:, offset : offset + rotated + copied].astype(np.int64), table, places, rotated, short)


def turned(
    x: npt.NDArray[np.int64], table: npt.NDArray[np.int32], places: npt.NDArray[np.int32], rotated: int, short: int
) -> npt.NDArray[np.int32]:
    """Rows of which the first ``rotated`` columns are heads."""
    pair = np.arange(0, rotated, 2) // 2 % table.shape[1]
    cos, sin = table.astype(np.int64)[places[:, 1, None], pair].transpose(2, 0, 1)
    y = np.hstack((rotation.turned(x[:, :rotated], cos, sin), x[:, rotated:]))
    return (rotation.last_16_bits(y) if short else y).astype(np.int32)


def derivation(
    row: int,
    start: int,
    stop: int,
    x: Operand,
    table: Constant,
    places: npt.NDArray[np.int32],
    *,
    offset: int,
    heads: int,
    short: int = 0,
    **_: object,
) -> list[Step]:
    made, sources = Derivation(), list[Source]()
    pieces = x.pieces(row, offset + start, offset + stop, sources)
    derive_rotation(made, sources, pieces, start, stop, heads, table, places[row], short)
    return made.steps


def derive_rotation(
    made: Derivation,
    sources: Sequence[Source],
    x: Pieces,
    start: int,
    stop: int,
    heads: int,
    table: Constant,
    place: npt.NDArray[np.int32],
    short: int,
) -> None:
    """Columns start to stop of a row of which the first are heads."""
    words, turn = stop - start, {"table": table.name, "position": int(place[1])} | ({"short": 1} if short else {})
    rotated = heads * 2 * table.shape[1]
    made.step("rotation", sources, words, 2 * words, x=x, first=start, rotated=rotated, **turn)


def float32(
    x: npt.NDArray[np.float32],
    table: npt.NDArray[np.float32],
    places: npt.NDArray[np.int32],
    *,
    offset: int,
    heads: int,
    copied: int = 0,
    **_: object,
) -> npt.NDArray[np.float32]:
    even, odd, cos, sin, tail = pairs(x, table, places, offset, heads, copied)
    rotated = np.stack((even * cos - odd * sin, even * sin + odd * cos), axis=3)
    return np.hstack((rotated.reshape(len(x), -1), tail))


def pairs(x, table, places, offset, heads, copied):
    """(T, heads, w / 2) of either half of the pairs, (T, 1, w / 2) of cos and sin, (T, copied)."""
    end = offset + heads * 2 * table.shape[1]
    turned = x[:, offset:end].reshape(len(x), heads, -1, 2)
    angle = table[places[:, 1], None]
    return turned[..., 0], turned[..., 1], angle[..., 0], angle[..., 1], x[:, end : end + copied]


def enclosure(
    x: Array, table: Array, places: Array, *, offset: int, heads: int, copied: int = 0, **_: object
) -> Enclosed:
    """y = a·cos -+ b·sin: gamma(2) (|a cos| + |b sin|), two products and an addition; columns copied are exact."""
    even, odd, cos, sin, tail = pairs(x.astype(np.float64), table.astype(np.float64), places, offset, heads, copied)
    rotated = np.stack((even * cos - odd * sin, even * sin + odd * cos), axis=3)
    even, odd, cos, sin = (np.abs(part) for part in (even, odd, cos, sin))
    sizes = np.stack((even * cos + odd * sin, even * sin + odd * cos), axis=3)
    flat = (len(x), -1)
    radius = gamma(2) * np.hstack((sizes.reshape(flat), np.zeros_like(tail))) + flushed(2, x, table)
    return np.hstack((rotated.reshape(flat), tail)), radius


def work(x: Shape, table: Shape, places: Shape, *, heads: int, **_: object) -> int:
    return 4 * x[0] * heads * table[1]


def dimensions(x: Shape, table: Shape, places: Shape, *, heads: int, copied: int = 0, **_: object) -> dict[str, int]:
    rotated = heads * 2 * table[1]
    return {"columns": x[1], "width": rotated + copied, "turned": rotated, "head_width": 2 * table[1]}


def workgroups(output: Shape, *, lanes: int, arithmetic: str, **_: object) -> Shape:
    each = 2 if arithmetic == "exact" else 1  # columns an invocation
    return (-(-output[1] // (each * lanes)), output[0], 1)


def draw(generator: Generator, arithmetic: str, a: int, b: int, c: int) -> Drawn:
    width, places = 8 * b, draw_places(generator, a, 1, 64)
    shape, attributes = (a, 4 * c + width * a + 8 * c + 4), {"offset": 4 * c, "heads": a, "copied": 8 * c}
    if arithmetic == "float32":
        angles = tables.angles(64, width, 10000.0)
        table = np.stack((np.cos(angles), np.sin(angles)), axis=2).astype(np.float32)
        return {"x": floats(generator, shape), "places": places}, {"table": table}, attributes
    x = integers(generator, shape, 15)
    attributes["short"] = (a + b) % 2
    return {"x": x, "places": places}, {"table": tables.rotations(64, width, 10000.0)}, attributes
