"""Where files are kept from one run to the next: below XDG_CACHE_HOME, else ~/.cache."""

import os
from pathlib import Path


def folder(kind: str) -> Path:
    """The folder of one kind of file; it need not exist."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "distribute-lab" / kind
