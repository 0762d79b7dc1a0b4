"""What reaches a terminal: nothing of a file that it would obey, nothing that its encoding lacks."""

import io
import sys

CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


def printable(text: str) -> str:
    """A name or a message as one line: what a terminal would obey, and new lines, written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def readable(text: str) -> str:
    """A text of many lines in any script, its control characters written out."""
    return text.translate(CONTROLS)


def replace_unencodable() -> None:
    """Print ? for what the console's encoding lacks, where it would raise an error half way."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
