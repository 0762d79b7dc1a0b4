"""One spelling of one content: JSON with sorted keys, no spaces, printable ASCII, whole numbers within +-(2^53 - 1).

These are the numbers that every JSON reader gives back as they were. Amounts and seeds are decimal texts, digests and
keys hexadecimal ones, words and proofs base64 (see ``schema``).
"""

from hashlib import sha256
from typing import Any

import msgspec

from verification.errors import Refusal

LARGEST_NUMBER = 2**53 - 1
DEEPEST = 16
"""Lists and objects inside one another, at most."""
_ENCODER = msgspec.json.Encoder(order="sorted")


def canonical(content: Any) -> bytes:
    """The bytes of a content of objects, lists, texts, whole numbers, true, false and null.

    Raises:
        Refusal: malformed.
    """
    _check(content, DEEPEST)
    return _ENCODER.encode(content)


def parsed(raw: bytes) -> Any:
    """The content that has these bytes.

    Raises:
        Refusal: malformed: they are another spelling, or no such content.
    """
    try:
        content = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refusal("malformed", "it is not JSON of whole numbers, texts, lists and objects, in ASCII") from None
    if canonical(content) != raw:
        raise Refusal("malformed", "it is not in its canonical encoding: sorted keys, each once, and no spaces")
    return content


def digest(content: Any) -> str:
    """SHA-256 of a content's bytes, in hex."""
    return sha256(canonical(content)).hexdigest()


def _check(content: Any, depth: int) -> None:
    kind = type(content)
    if kind is str:
        _check_text(content)
    elif kind is int:
        _check_number(content)
    elif kind is list or kind is dict:
        if depth == 0:
            raise Refusal("malformed", f"it is nested deeper than {DEEPEST} levels")
        texts = list(content) if kind is dict else []
        if set(map(type, texts)) - {str}:
            raise Refusal("malformed", "a key is a text")
        for part in content.values() if kind is dict else content:
            inner = type(part)
            if inner is str:
                texts.append(part)
            elif inner is int:
                _check_number(part)
            else:
                _check(part, depth - 1)
        _check_text("".join(texts))  # all of them at once, for speed
    elif not (content is None or kind is bool):
        raise Refusal("malformed", f"{kind.__name__} is no JSON of whole numbers, texts, lists and objects")


def _check_number(number: int) -> None:
    if not -LARGEST_NUMBER <= number <= LARGEST_NUMBER:
        raise Refusal("malformed", "a number is within +-(2^53 - 1)")


def _check_text(text: str) -> None:
    if not (text.isascii() and text.isprintable()):
        raise Refusal("malformed", "a text is of printable ASCII")
