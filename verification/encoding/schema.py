"""What a content must hold: a schema is a dict of keys and readers, which make values of what JSON gave (section 5).

Keys are exact. What is not the one spelling of one value is refused: amounts and seeds are decimal texts without
leading zeros, digests and keys lower-case hex, words and proofs base64 that encodes back to itself.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from verification.computation import LEAF, Words
from verification.encoding.signature import is_key
from verification.errors import Refusal

Reader = Callable[[Any], Any]
Schema = Mapping[str, Reader]

LARGEST_AMOUNT = 2**63 - 1
LONGEST_NAME = 128
LONGEST_PROOF = 64
"""Digests."""
DIGEST = 32
_HEX = frozenset("0123456789abcdef")


def read(schema: Schema, content: Any) -> dict[str, Any]:
    """The values of a content that has just a schema's keys.

    Raises:
        Refusal: malformed.
    """
    if not isinstance(content, dict) or content.keys() != set(schema):
        raise Refusal("malformed", f"an object with the keys {', '.join(sorted(schema))} is expected")
    found = {}
    for name, reader in schema.items():
        try:
            found[name] = reader(content[name])
        except Refusal as refusal:
            raise Refusal("malformed", f"{name}: {refusal}") from None
    return found


def mapping(schema: Schema) -> Reader:
    """An object of a schema of its own."""
    return lambda value: read(schema, value)


def with_any(schema: Schema, further: Schema) -> Reader:
    """An object of a schema that may have some keys more."""

    def read_with_any(value: Any) -> dict[str, Any]:
        also = further.keys() & value if isinstance(value, dict) else set()
        return read({**schema, **{name: further[name] for name in sorted(also)}}, value)

    return read_with_any


def each(reader: Reader, most: int) -> Reader:
    """A list of at most so many."""

    def read_list(value: Any) -> list[Any]:
        _check(isinstance(value, list) and len(value) <= most, f"a list of at most {most} is expected")
        return [reader(part) for part in value]

    return read_list


def named(reader: Reader, most: int) -> Reader:
    """An object of at most so many values under any names."""

    def read_named(value: Any) -> dict[str, Any]:
        _check(isinstance(value, dict) and len(value) <= most, f"an object of at most {most} names is expected")
        names = [name_text(name) for name in value]
        return read(dict.fromkeys(names, reader), value)

    return read_named


def optional(reader: Reader) -> Reader:
    """A value, or null."""
    return lambda value: None if value is None else reader(value)


def number(low: int, high: int) -> Reader:
    """A whole number within bounds."""

    def read_number(value: Any) -> int:
        _check(type(value) is int and low <= value <= high, f"a whole number from {low} to {high} is expected")
        return int(value)

    return read_number


def one_of(*allowed: str) -> Reader:
    """One of a few texts."""

    def read_choice(value: Any) -> str:
        _check(isinstance(value, str) and value in allowed, f"one of {', '.join(allowed)} is expected")
        return str(value)

    return read_choice


def flag(value: Any) -> bool:
    """True or false."""
    _check(isinstance(value, bool), "true or false is expected")
    return bool(value)


def name_text(value: Any) -> str:
    """A text of 1 to 128 characters; an envelope's are of printable ASCII."""
    _check(isinstance(value, str) and 1 <= len(value) <= LONGEST_NAME, f"a text of 1 to {LONGEST_NAME} characters")
    return str(value)


def digest_text(value: Any) -> str:
    """A SHA-256 in hex."""
    fits = isinstance(value, str) and len(value) == 2 * DIGEST and set(value) <= _HEX
    _check(fits, f"{2 * DIGEST} lower-case hexadecimal digits are expected")
    return str(value)


def key_text(value: Any) -> str:
    """A public key in hex that no signature can be forged for."""
    _check(is_key(value), "a public key, 64 lower-case hexadecimal digits, is expected")
    return str(value)


def amount(low: int = 1) -> Reader:
    """Micro-tokens from ``low`` on, below 2^63, as a decimal text."""
    return _decimal(low, LARGEST_AMOUNT)


def _decimal(low: int, high: int) -> Reader:
    def read_decimal(value: Any) -> int:
        spelt = isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= len(str(high))
        fits = spelt and str(int(value)) == value and low <= int(value) <= high
        _check(fits, f"a whole number from {low} to {high} as a decimal text is expected")
        return int(value)

    return read_decimal


seed = _decimal(0, 2**64 - 1)
"""A seed as a decimal text."""


def binary(value: Any) -> bytes:
    """Base64 in its one spelling."""
    try:
        raw = b64decode(value, validate=True) if isinstance(value, str) else None
    except (binascii.Error, ValueError):
        raw = None
    if raw is None or b64encode(raw).decode() != value:
        raise Refusal("malformed", "base64 is expected")
    return raw


def words(value: Any) -> Words:
    """The words of a leaf."""
    raw = binary(value)
    _check(len(raw) % 4 == 0 and 4 <= len(raw) <= 4 * LEAF, f"1 to {LEAF} words of 4 bytes are expected")
    return np.frombuffer(raw, "<i4").astype(np.int32)


def proof(value: Any) -> tuple[bytes, ...]:
    """An inclusion proof, its digests one after another."""
    raw = binary(value)
    fits = len(raw) % DIGEST == 0 and len(raw) <= LONGEST_PROOF * DIGEST
    _check(fits, f"at most {LONGEST_PROOF} digests of {DIGEST} bytes are expected")
    return tuple(raw[at : at + DIGEST] for at in range(0, len(raw), DIGEST))


def words_text(words: Words) -> str:
    """What ``words`` reads."""
    return b64encode(words.astype("<i4").tobytes()).decode()


def proof_text(digests: Sequence[bytes]) -> str:
    """What ``proof`` reads."""
    return b64encode(b"".join(digests)).decode()


def _check(fits: bool, expected: str) -> None:
    if not fits:
        raise Refusal("malformed", expected)
