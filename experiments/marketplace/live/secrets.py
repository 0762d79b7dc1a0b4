"""Keys in files that their owner alone can read."""

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auction.errors import InputError
from verification.encoding.signature import public


def kept(path: Path, names: Sequence[str]) -> dict[str, bytes]:
    """Secrets of 32 bytes by name, from a file that is made where there is none.

    Raises:
        InputError: it cannot be read or written, or holds others.
    """
    if path.exists():
        return _read(path, names)
    made = fresh(names)
    write(path, made)
    return made


def write(path: Path, made: Mapping[str, bytes]) -> None:
    """Secrets, to a file that there is not yet.

    Raises:
        InputError: it cannot be written, or is there.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from None
    with os.fdopen(handle, "w") as file:
        json.dump({name: value.hex() for name, value in made.items()}, file)
        file.flush()
        os.fsync(file.fileno())


def names_of(path: Path, names: Sequence[str]) -> dict[str, str]:
    """The public halves of keys in a file, made where there is none; one that a page saved has an owner's alone.

    Raises:
        InputError: see ``kept``.
    """
    there = [name for name in names if name in _content(path)] if path.exists() else names
    found = kept(path, there or names)
    return {name: public(Ed25519PrivateKey.from_private_bytes(value)) for name, value in found.items()}


def fresh(names: Sequence[str]) -> dict[str, bytes]:
    """Secrets that end with the process."""
    return {name: secrets.token_bytes(32) for name in names}


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _read(path: Path, names: Sequence[str]) -> dict[str, bytes]:
    content = _content(path)
    try:
        found = {name: bytes.fromhex(content[name]) for name in names}
    except (ValueError, KeyError, TypeError):
        found = {}
    if not found or any(len(value) != 32 for value in found.values()):
        raise InputError(f"{path}: keys are expected: JSON of {', '.join(names)}, each 64 hexadecimal digits")
    return found
