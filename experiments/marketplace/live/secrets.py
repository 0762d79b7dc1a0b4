"""Keys in files that their owner alone can read."""

import json
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from auction.errors import InputError


def kept(path: Path, names: Sequence[str]) -> dict[str, bytes]:
    """Secrets of 32 bytes by name, from a file that is made where there is none.

    Raises:
        InputError: it cannot be read or written, or holds others.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path, names)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from None
    made = {name: secrets.token_bytes(32) for name in names}
    with os.fdopen(handle, "w") as file:
        json.dump({name: value.hex() for name, value in made.items()}, file)
        file.flush()
        os.fsync(file.fileno())
    return made


def fresh(names: Sequence[str]) -> dict[str, bytes]:
    """Secrets that end with the process."""
    return {name: secrets.token_bytes(32) for name in names}


def _read(path: Path, names: Sequence[str]) -> dict[str, bytes]:
    try:
        content = json.loads(path.read_text())
        found = {name: bytes.fromhex(content[name]) for name in names}
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError):
        found = {}
    if not found or any(len(value) != 32 for value in found.values()):
        raise InputError(f"{path}: keys are expected: JSON of {', '.join(names)}, each 64 hexadecimal digits")
    return found
