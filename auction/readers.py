"""Files that anybody may have written: regular, of bounded size, and refused before they are unpacked or allocated."""

import io
import json
import math
import os
import stat
import zipfile
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from auction.errors import InputError

LARGEST_TEXT = 2**27  # bytes of JSON or CSV: objects in memory take up to 25 times as many
LARGEST_ARRAYS = 2**30  # bytes of an npz, and of its arrays when unpacked
BLOCK = 2**20


@contextmanager
def opened(path: Path, largest: int) -> Iterator[BinaryIO]:
    """A regular file of at most ``largest`` bytes; a pipe or a device may never end.

    Raises:
        InputError: no such file, or one that cannot be read.
    """
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:  # a pipe would wait for its writer
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise InputError(f"{path}: is not a regular file")
            if status.st_size > largest:
                raise InputError(f"{path}: has {status.st_size} bytes; at most {largest} are read")
            yield file
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        InputError: no file, not JSON (keys that occur twice included), not an object.
    """
    with opened(path, LARGEST_TEXT) as file:
        content = file.read(LARGEST_TEXT)
    try:
        value = json.loads(content, object_pairs_hook=_distinct)
    except (ValueError, RecursionError) as error:  # bad JSON and bad UTF-8 alike
        raise InputError(f"{path}: not valid JSON ({_first_line(error)})") from None
    if not isinstance(value, dict):
        raise InputError(f"{path}: holds a {type(value).__name__}; a JSON object is needed")
    return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        (key, _), *_ = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {key[:40]!r} occurs twice")
    return fields


def ensure_fields(
    path: Path, found: Collection[str], needed: Collection[str], what: str, optional: Collection[str] = ()
) -> None:
    """Refuse a file that lacks a field or has another."""
    missing = [name for name in needed if name not in found]
    foreign = [name for name in found if name not in needed and name not in optional]
    if missing or foreign:
        wrong = f"lacks {missing[0]!r}" if missing else f"has an unknown field {foreign[0][:40]!r}"
        also = f", and perhaps {', '.join(optional)}" if optional else ""
        raise InputError(f"{path}: {wrong}; {what} has {', '.join(needed)}{also}")


class _InBlocks(io.BufferedReader):
    """Hands out no more than BLOCK at once: a directory of millions of members is not read."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > BLOCK:
            raise ValueError(f"a part of {size} bytes")
        return super().read(BLOCK if size is None or size < 0 else size)


def read_npz(path: Path, needed: Collection[str], what: str, optional: Collection[str] = ()) -> dict[str, NDArray[Any]]:
    """The arrays of an npz, all of numbers.

    Nothing is unpacked before the names are right and sizes add up to at most LARGEST_ARRAYS, and no array is made
    before its header agrees with its size.

    Raises:
        InputError: not such a file, or fields that are missing or foreign.
    """
    with opened(path, LARGEST_ARRAYS) as file:
        try:
            with zipfile.ZipFile(_InBlocks(io.FileIO(file.fileno(), closefd=False))) as archive:
                members = archive.infolist()
                named = [member.filename.removesuffix(".npy") for member in members]
                ensure_fields(path, named, needed, what, optional)
                if len(set(named)) < len(named):
                    raise ValueError("an array occurs twice")
                if (size := sum(member.file_size for member in members)) > LARGEST_ARRAYS:
                    raise ValueError(f"its arrays have {size} bytes; at most {LARGEST_ARRAYS} are read")
                return {member.filename.removesuffix(".npy"): _array(archive, member) for member in members}
        except InputError:
            raise
        except Exception as error:  # noqa: BLE001 - damaged archives fail in as many ways as zipfile has code paths
            raise InputError(f"{path}: not a readable npz file ({_first_line(error)})") from None


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{member.filename} is packed by method {member.compress_type}; stored or deflated is needed")
    with archive.open(member) as stream:
        if npy.read_magic(stream) != (1, 0):
            raise ValueError(f"{member.filename} is not of version 1.0 of the format npy")
        shape, by_columns, dtype = npy.read_array_header_1_0(stream)
        if dtype.kind not in "iuf":
            raise ValueError(f"{member.filename} holds {dtype}; numbers are needed")
        stated, there = math.prod(shape) * dtype.itemsize, member.file_size - stream.tell()
        if stated != there or min(shape, default=0) < 0:
            raise ValueError(f"{member.filename} states {stated} bytes of shape {shape} and has {there}")
        content = bytearray()
        while block := stream.read(BLOCK):
            content += block
    return np.frombuffer(content, dtype).reshape(shape, order="F" if by_columns else "C")


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
