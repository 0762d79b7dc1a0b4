"""What all messages are: of a type, nothing in them that the type has not."""

from msgspec import Struct


class Message(Struct, frozen=True, tag_field="type", tag=str.lower, forbid_unknown_fields=True, omit_defaults=True):
    """Of a type, its name in lower case."""
