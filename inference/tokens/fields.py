"""What a file says of its tokenizer, each key read as the type that is wanted."""

from collections.abc import Mapping
from typing import Any

from inference.errors import InputError

Fields = Mapping[str, Any]
"""GGUF's keys that begin with tokenizer., or a Hugging Face directory's files by name: tokenizer.json and its like."""


def typed(fields: Fields, name: str, kind: type, *default: Any) -> Any:
    """A key's value.

    Raises:
        InputError: of another type; missing, where there is no default.
    """
    value = fields.get(name, *default)
    if value not in default and type(value) is not kind:
        raise InputError(f"the tokenizer's key {name} is not of type {kind.__name__}, or is missing")
    return value


def listed(fields: Fields, name: str, kind: type, *default: Any) -> list[Any]:
    """A key's list.

    Raises:
        InputError: see ``typed``; one of its values is of another type.
    """
    values: list[Any] = typed(fields, name, list, *default)
    if any(type(value) is not kind for value in values):
        raise InputError(f"the tokenizer's key {name} holds other than {kind.__name__}")
    return values
