"""What reaches a terminal: nothing of a file that it would obey, nothing that its encoding lacks."""

import io
import sys


def printable(text: str) -> str:
    """Text as one line: what a terminal would obey, and new lines, written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def replace_unencodable() -> None:
    """Print ? for what the console's encoding lacks, where it would raise an error half way."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
