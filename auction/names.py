"""What people call the tasks, providers and model types of a market."""

from collections import Counter
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from auction.arrays import shown
from auction.errors import InputError

LONGEST_NAME = 200  # characters


class Labels(NamedTuple):
    """What to call everything of a market that is shown to a person."""

    tasks: tuple[str, ...]
    providers: tuple[str, ...]
    types: tuple[str, ...]


@dataclass(frozen=True)
class Names:
    """Names of a market's tasks, providers and model types, each distinct among its like; None where it has none."""

    tasks: tuple[str, ...] | None = None  # (m,)
    providers: tuple[str, ...] | None = None  # (n,)
    types: tuple[str, ...] | None = None  # (K,)

    @classmethod
    def of(cls, value: Any) -> "Names":
        """From names, or from a dictionary of lists as a market's file has it.

        Raises:
            InputError: other fields, names that occur twice, that are empty, too long, or not one line of text.
        """
        if isinstance(value, Names):
            value = {field.name: getattr(value, field.name) for field in fields(Names)}
        if not isinstance(value, dict) or not value.keys() <= {field.name for field in fields(Names)}:
            raise InputError(f"names: {shown(value)} is not allowed; lists of names, of tasks, providers and types")
        return cls(**{of: _distinct(of, listed) for of, listed in value.items() if listed is not None})

    def sizes(self) -> dict[str, int | None]:
        """How many there are of each."""
        listed = {field.name: getattr(self, field.name) for field in fields(self)}
        return {of: None if names is None else len(names) for of, names in listed.items()}


def _distinct(of: str, listed: Any) -> tuple[str, ...]:
    if not isinstance(listed, list | tuple):
        raise InputError(f"names: {of} are {shown(listed)}; a list of names is needed")
    for at, name in enumerate(listed):
        if why := unfit(name):
            raise InputError(f"names: {of}[{at}]: {shown(name)} is not allowed; {why}")
    if len(set(listed)) < len(listed):
        (twice, _), *_ = Counter(listed).most_common(1)
        raise InputError(f"names: of {of}, {shown(twice)} occurs twice")
    return tuple(listed)


def unfit(name: Any) -> str:
    """Why something cannot be a name; empty where it can."""
    if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_NAME:
        return f"text of 1 to {LONGEST_NAME} characters"
    if any(ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u2028\u2029" or 0xD800 <= ord(c) < 0xE000 for c in name):
        return "one line of text, without control characters"
    if not any(c.isprintable() and not c.isspace() for c in name):
        return "a character that can be seen"
    return ""
