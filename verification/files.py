"""Files that the command line reads and writes."""

import json
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

from verification.errors import InputError

LARGEST = 2**24
"""Bytes of a file: 170 messages of the largest size; once parsed 0.4 GB, at worst."""


def read(path: Path, keys: set[str]) -> Any:
    """JSON with just these keys, every key once and every number finite.

    Raises:
        InputError: it cannot be read, is too large, is not JSON, or has other keys.
    """
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise InputError(f"{path}: cannot be read: not a regular file")
        if state.st_size > LARGEST:
            raise InputError(f"{path}: cannot be read: {state.st_size} bytes; at most {LARGEST} are read")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not JSON: not UTF-8") from None
    try:
        content = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except RecursionError:
        raise InputError(f"{path}: is not JSON: nested too deep") from None
    except ValueError as error:
        raise InputError(f"{path}: is not JSON: {error}") from None
    if not isinstance(content, dict) or content.keys() != keys:
        raise InputError(f"{path}: an object with the keys {', '.join(sorted(keys))} is expected")
    return content


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is given twice")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def check_writable(path: Path) -> None:
    """Refuse a path that cannot be written before the long work.

    Raises:
        InputError: see above.
    """
    if not path.parent.is_dir() or path.is_dir():
        raise InputError(f"{path}: cannot be written: its folder must exist, and it must not be one")


def write(path: Path, content: Any) -> None:
    """Write JSON whole or not at all; to a device, which cannot be replaced, as it comes."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
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
