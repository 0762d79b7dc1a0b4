"""Bytes of a file that is the one whose header was read: tensors are read minutes after it."""

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from inference.errors import InputError

Version = tuple[int, int, int]
"""Bytes, time of change and inode."""


def version_of(descriptor: int) -> Version:
    """Of an open file."""
    state = os.fstat(descriptor)
    return state.st_size, state.st_mtime_ns, state.st_ino


def read_bytes(path: Path, version: Version, offset: int, count: int) -> npt.NDArray[np.uint8]:
    """(count,) bytes from an offset on. Read, not mapped: a mapped file that is cut short ends the process.

    Raises:
        InputError: it cannot be read, or is another file by now.
    """
    content = np.empty(count, np.uint8)
    try:
        with path.open("rb", buffering=0) as file:
            file.seek(offset)
            done = 0
            while done < count and (read := file.readinto(content[done:].data)):
                done += read
            if done < count or version_of(file.fileno()) != version:
                raise InputError(f"{path}: it changed while it was read")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    return content
