"""A model's store: a folder from which tiles of its constants are read, each with its proof (section 5).

    manifest    canonical JSON
    tiles       of all constants in the manifest's order, by index: numbers row by row, little-endian
    digests     of these tiles

Who asks trusts none of it: see ``manifest.proven_tile``.
"""

from functools import lru_cache
from math import prod
from pathlib import Path

import numpy as np

from verification.encoding.canonical import canonical, digest
from verification.errors import InputError, Refusal
from verification.files import LARGEST
from verification.manifest import (
    Described,
    constant_of,
    manifest,
    matrix_shape,
    opened,
    tile_count,
    tile_place,
    tiles,
    type_of,
)
from verification.merkle import DIGEST, TYPES, Tree, tile_digest


def write(folder: Path, model: Described) -> str:
    """Write the store of a model into a folder that is not there yet; the model's digest.

    Raises:
        InputError: it cannot be written; see ``manifest.manifest``.
    """
    content = manifest(model)
    try:
        folder.mkdir()
        with (folder / "tiles").open("xb") as numbers, (folder / "digests").open("xb") as digests:
            for name in content["constants"]:
                array = model.constants[name]
                kind = type_of(name, array)
                for tile in tiles(array):
                    numbers.write(tile.astype(TYPES[kind]).tobytes())
                    digests.write(tile_digest(kind, tile))
        (folder / "manifest").write_bytes(canonical(content))
    except OSError as error:
        raise InputError(f"{folder}: cannot be written: {error.strerror}") from None
    return digest(content)


class Store:
    """A store to read from."""

    def __init__(self, folder: Path) -> None:
        """Open a folder.

        Raises:
            InputError: it holds no whole store.
        """
        self.folder = folder
        if (size := self._size("manifest")) > LARGEST:
            raise InputError(f"{folder / 'manifest'}: {size} bytes; at most {LARGEST} are read")
        try:
            self.content = opened(self._read("manifest"))
        except Refusal as refusal:
            raise InputError(f"{folder}: its manifest is no model's: {refusal}") from None
        self._first: dict[str, tuple[int, int]] = {}
        """Of each constant, its first tile and that tile's first byte."""
        tile = byte = 0
        for name, constant in self.content["constants"].items():
            self._first[name] = tile, byte
            tile += tile_count(constant["shape"])
            byte += prod(constant["shape"]) * _bytes(constant["type"])
        for part, size in (("digests", DIGEST * tile), ("tiles", byte)):
            if self._size(part) != size:
                raise InputError(f"{folder / part}: is not of {size} bytes, as the manifest says")
        self._tree = lru_cache(8)(self._hashed)

    def tile(self, name: str, index: int) -> tuple[bytes, list[bytes]]:
        """A tile's numbers and its proof.

        Raises:
            Refusal: no-such-constant, no-such-tile.
            InputError: it cannot be read.
        """
        constant = constant_of(self.content, name)
        down, over = tile_place(constant["shape"], index)
        height = down.stop - down.start
        before = down.start * matrix_shape(constant["shape"])[1] + height * over.start
        width = _bytes(constant["type"])
        start = self._first[name][1] + before * width
        return self._read("tiles", start, height * (over.stop - over.start) * width), self._tree(name).path(index)

    def _hashed(self, name: str) -> Tree:
        count = tile_count(self.content["constants"][name]["shape"])
        return Tree(self._read("digests", DIGEST * self._first[name][0], DIGEST * count))

    def _size(self, part: str) -> int:
        try:
            return (self.folder / part).stat().st_size
        except OSError as error:
            raise InputError(f"{self.folder / part}: cannot be read: {error.strerror}") from None

    def _read(self, part: str, start: int = 0, size: int = -1) -> bytes:
        try:
            with (self.folder / part).open("rb") as file:
                file.seek(start)
                return file.read(size)
        except OSError as error:
            raise InputError(f"{self.folder / part}: cannot be read: {error.strerror}") from None


def _bytes(kind: str) -> int:
    return np.dtype(TYPES[kind]).itemsize
