"""Files that the command line reads and writes."""

import json
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from typing import Any

from verification.errors import InputError

LARGEST = 2**24
"""Bytes of a file: 170 messages of the largest size; once parsed 0.4 GB, at worst."""


def read(path: Path, keys: set[str], expected: str) -> Any:
    """JSON with just these keys, every key once and every number finite.

    Args:
        expected: what such a file is.

    Raises:
        InputError: it cannot be read, is too large, is not JSON, or has other keys.
    """
    size = check_readable(path, expected)
    if size > LARGEST:
        raise InputError(f"{path}: cannot be read: {size} bytes; {expected} is expected, of at most {LARGEST}")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not JSON: not UTF-8; {expected} is expected") from None
    try:
        content = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except RecursionError:
        raise InputError(f"{path}: is not JSON: nested too deep; {expected} is expected") from None
    except ValueError as error:
        raise InputError(f"{path}: is not JSON: {error}; {expected} is expected") from None
    if not isinstance(content, dict) or content.keys() != keys:
        raise InputError(f"{path}: {expected} is expected, an object with the keys {', '.join(sorted(keys))}")
    return content


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is given twice")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def check_readable(path: Path, expected: str) -> int:
    """Refuse what is no file that can be read; the bytes of it.

    Raises:
        InputError: see above.
    """
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise InputError(f"{path}: cannot be read: not a regular file; {expected} is expected")
        path.open("rb").close()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}; {expected} is expected") from None
    return state.st_size


def check_writable(path: Path) -> None:
    """Refuse a path that cannot be written before the long work.

    Raises:
        InputError: see above.
    """
    if path.is_dir():
        raise InputError(f"{path}: cannot be written: it is a folder")
    if not path.parent.is_dir():
        raise InputError(f"{path}: cannot be written: there is no folder {path.parent}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise InputError(f"{path}: cannot be written: no permission")


def check_new(path: Path) -> None:
    """Refuse a path at which something is, or nothing can be written.

    Raises:
        InputError: see above.
    """
    if path.exists():
        raise InputError(f"{path}: is there already, and is not written over")
    check_writable(path)


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """Where to write a file or make a folder that is there when all is done, or not at all.

    Raises:
        InputError: it cannot be put in its place.
    """
    temporary = _beside(path)
    try:
        yield temporary
        temporary.rename(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None
    finally:
        rmtree(temporary, ignore_errors=True)
        for left in (temporary, *(Path(f"{temporary}-{part}") for part in ("journal", "shm", "wal"))):  # SQLite's
            with suppress(OSError):
                left.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")


def write(path: Path, content: Any) -> None:
    """Write JSON whole or not at all; to a device, which cannot be replaced, as it comes."""
    temporary = _beside(path)
    try:
        if path.exists() and not path.is_file():
            path.write_text(json.dumps(content), encoding="utf-8")
            return
        with temporary.open("x", encoding="utf-8") as file:  # a link planted there would be written through
            json.dump(content, file)
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None
    finally:
        with suppress(OSError):  # a name too long to exist is too long to remove
            temporary.unlink(missing_ok=True)
