"""Files that commands write."""

import secrets
from contextlib import suppress
from pathlib import Path

from inference.errors import InputError


def check_writable(path: Path) -> None:
    """Refuse a path that no file can be written to, before the work whose result it is for.

    Raises:
        InputError: see above.
    """
    if not path.name or path.is_dir():
        raise InputError(f"{path}: cannot be written: it is a directory")
    if not path.parent.is_dir():
        raise InputError(f"{path}: cannot be written: {path.parent} is no directory")


def write(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all, or one line that says why not; to a device, as it comes."""
    raw = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(raw)
            return
        with temporary.open("xb") as file:  # a link planted there would be written through
            file.write(raw)
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None
    finally:
        with suppress(OSError):  # a name too long to exist is too long to remove
            temporary.unlink(missing_ok=True)
