"""The one error a caller is meant to see."""

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(ValueError):
    """Bad input: one line that says what is wrong, where, and what is allowed; of a table, a line for each fault.

    The command line prints the lines and exits with code 2. What a file's text would do to a line is written out.
    """

    def __init__(self, *lines: str) -> None:
        self.lines = tuple(
            "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line) for line in lines
        )
        more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
        super().__init__(self.lines[0] + more)


def unknown(kind: str, name: str, known: Iterable[str], owner: str = "") -> InputError:
    """That no ``kind`` (of an ``owner``) has this name, which one is nearest, and which there are."""
    names = list(known)
    nearest = get_close_matches(name, names, 1)
    hint = f"did you mean {nearest[0]}? There" if nearest else "there"
    return InputError(f"unknown {kind} {name!r}{owner and f' of {owner}'}; {hint} are {', '.join(names) or 'none'}")
