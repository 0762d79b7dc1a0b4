"""Files that the command line reads and writes."""

import json
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

from verification.errors import InputError


def read(path: Path, keys: set[str]) -> Any:
    """JSON with just these keys.

    Raises:
        InputError: it cannot be read, is not JSON, or has other keys.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path}: is not JSON") from None
    if not isinstance(content, dict) or content.keys() != keys:
        raise InputError(f"{path}: an object with the keys {', '.join(sorted(keys))} is expected")
    return content


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
