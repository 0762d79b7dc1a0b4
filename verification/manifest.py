"""Models by digest (section 5): a manifest names all that decides a result, and each constant by a root over its tiles,
so that a referee loads the tiles a step needs, each with a proof.

A constant is a matrix: of a single axis one row, of several its first axis by all the others. It is cut into tiles of
``ROWS`` rows and ``LEAF`` columns, smaller at its edges, which are numbered row by row; their digests and the tree over
them stand in ``merkle``. Numbers narrower than 8 bits have a byte each: how a device packs weights changes no result
and no model's digest. Packed layouts stand in a manifest of their own, which the coordinator signs.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import prod
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from verification.computation import LEAF
from verification.encoding.canonical import parsed
from verification.encoding.schema import digest_text, each, mapping, name_text, named, number, one_of, read
from verification.errors import InputError, Refusal
from verification.merkle import TYPES, Tree, root_of, tile_digest

ROWS = 32
"""Rows of a tile."""
MOST = 2**16
"""Names of constants or of attributes, at most."""
LARGEST = 2**40
"""Numbers of a constant, at most."""
Numbers = npt.NDArray[np.integer]
Manifest = dict[str, Any]

_WORD = number(-(2**31), 2**31 - 1)
_SIZE = number(1, 2**31 - 1)
_TYPES = {dtype: name for name, dtype in TYPES.items()}
CONSTANT = {"type": one_of(*TYPES), "shape": each(_SIZE, 4), "root": digest_text}
MANIFEST = {
    "arithmetic": name_text,
    "measures": named(_WORD, MOST),
    "attributes": named(named(_WORD, MOST), MOST),
    "logit_fraction": _WORD,
    "end": each(_WORD, MOST),
    "tokenizer": digest_text,
    "constants": named(mapping(CONSTANT), MOST),
}


class Described(Protocol):
    """A model, or a computation that says what its model is."""

    @property
    def constants(self) -> Mapping[str, npt.NDArray[Any]]: ...

    def described(self) -> dict[str, Any]:
        """What decides a result besides the constants."""


def manifest(model: Described) -> Manifest:
    """The manifest of a model, whose digest is that of the manifest (``canonical.digest``).

    Raises:
        InputError: a constant that is not of whole numbers of 8, 16 or 32 bits.
    """
    constants = {name: described(name, array) for name, array in sorted(model.constants.items())}
    return {**model.described(), "constants": constants}


def described(name: str, array: Numbers) -> dict[str, Any]:
    """What a manifest holds of a constant.

    Raises:
        InputError: see ``type_of``.
    """
    kind = type_of(name, array)
    digests = b"".join(tile_digest(kind, tile) for tile in tiles(array))
    return {"type": kind, "shape": list(array.shape), "root": Tree(digests).root.hex()}


def type_of(name: str, array: Numbers) -> str:
    """The type of a constant's numbers.

    Raises:
        InputError: it has none, or they are of another type.
    """
    kind = _TYPES.get(array.dtype.newbyteorder("<").str.replace("|", "<"))
    if kind is None or not array.size:
        raise InputError(f"the constant {name} is of {array.size} {array.dtype}; {', '.join(TYPES)} are allowed")
    return kind


def opened(raw: bytes) -> Manifest:
    """A manifest from its bytes.

    Raises:
        Refusal: malformed.
    """
    found = read(MANIFEST, parsed(raw))
    for constant in found["constants"].values():
        if not constant["shape"] or prod(constant["shape"]) > LARGEST:
            raise Refusal("malformed", "constants: a shape is of at least one axis and at most 2^40 numbers")
    return found


def layouts(model: str, parts: Mapping[str, bytes]) -> dict[str, Any]:
    """What the coordinator signs of a model's programs and packed weights: SHA-256 of each, by name."""
    return {"model": model, "parts": {name: sha256(raw).hexdigest() for name, raw in sorted(parts.items())}}


def matrix_shape(shape: Sequence[int]) -> tuple[int, int]:
    """Rows and columns of a constant."""
    return (1, shape[0]) if len(shape) == 1 else (shape[0], prod(shape[1:]))


def tile_count(shape: Sequence[int]) -> int:
    """Tiles of a constant."""
    rows, columns = matrix_shape(shape)
    return -(-rows // ROWS) * -(-columns // LEAF)


def tile_place(shape: Sequence[int], index: int) -> tuple[slice, slice]:
    """Rows and columns of a constant's tile.

    Raises:
        Refusal: no-such-tile.
    """
    if not 0 <= index < tile_count(shape):
        raise Refusal("no-such-tile", f"there is no tile {index} of {tile_count(shape)}")
    rows, columns = matrix_shape(shape)
    down, over = divmod(index, -(-columns // LEAF))
    return (
        slice(down * ROWS, min(rows, (down + 1) * ROWS)),
        slice(over * LEAF, min(columns, (over + 1) * LEAF)),
    )


def tiles(array: Numbers) -> Iterator[Numbers]:
    """The tiles of a constant, in order: views."""
    matrix = array.reshape(matrix_shape(array.shape))
    for index in range(tile_count(array.shape)):
        yield matrix[tile_place(array.shape, index)]


def proven_tile(content: Manifest, name: str, index: int, raw: bytes, path: Sequence[bytes]) -> Numbers:
    """A tile (rows, columns) of a model's constant from its numbers' bytes, if its proof leads to the constant's root.

    Raises:
        Refusal: no-such-constant, no-such-tile, wrong-tile.
    """
    constant = constant_of(content, name)
    shape, kind = constant["shape"], constant["type"]
    down, over = tile_place(shape, index)
    rows, columns = down.stop - down.start, over.stop - over.start
    if len(raw) == rows * columns * np.dtype(TYPES[kind]).itemsize:
        tile = np.frombuffer(raw, TYPES[kind]).reshape(rows, columns)
        root = root_of(tile_digest(kind, tile), index, tile_count(shape), path)
        if root is not None and root.hex() == constant["root"]:
            return tile
    raise Refusal("wrong-tile", f"what is given as tile {index} of {name} is not proven to be it")


def constant_of(content: Manifest, name: str) -> dict[str, Any]:
    """A constant of a manifest.

    Raises:
        Refusal: no-such-constant.
    """
    if name not in content["constants"]:
        raise Refusal("no-such-constant", f"the model has no constant {name}")
    return dict(content["constants"][name])


@dataclass(frozen=True, slots=True, eq=False)
class ProvenTiles:
    """Constants of a model of which only the tiles asked for are loaded, from whoever has them; steps read these.

    That a tile is not proven is no move of a party's, so nothing here is a Refusal.
    """

    content: Manifest
    fetch: Callable[[str, int], tuple[bytes, Sequence[bytes]]]
    """From a constant's name and a tile's index to its bytes and its proof, neither of which is trusted."""

    def shape(self, name: str) -> tuple[int, int]:
        """Rows and columns."""
        return matrix_shape(self.content["constants"][name]["shape"])

    def tile(self, name: str, index: int) -> Numbers:
        """A tile that is proven.

        Raises:
            InputError: what was fetched is not proven.
        """
        try:
            return proven_tile(self.content, name, index, *self.fetch(name, index))
        except Refusal as refusal:
            raise InputError(f"a model's store: {refusal}") from None
