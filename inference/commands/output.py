"""Files that commands write."""

from pathlib import Path

from inference.errors import InputError


def write(path: Path, content: str) -> None:
    """Write a text file, or one line that says why not."""
    try:
        path.write_text(content)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None
