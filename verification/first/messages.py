"""Messages of a dispute: one canonical encoding, signed, chained by the digest of the message before.

A message is JSON with the keys body, index, previous, sender, signature, type; digests are hex, words and inclusion
proofs base64. Decoding trusts nothing: size, keys, types, lengths and the encoding itself are checked.
"""

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal, NoReturn

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.computation import LEAF, Words
from verification.errors import Refusal
from verification.first.commitment import canonical, sign
from verification.merkle import DIGEST

Role = Literal["asserter", "challenger"]
ROLES: tuple[Role, ...] = ("asserter", "challenger")
LIMIT = 96_000
"""Bytes of a message."""
LONGEST_PATH, MOST_INPUTS, MOST_TOKENS, MOST_DIGESTS = 64, 64, 1 << 17, 16


@dataclass(frozen=True, slots=True, eq=False)
class Opening:
    """Words with what proves that they were committed to."""

    words: Words | None
    """None: the node is null."""
    path: tuple[bytes, ...]
    """From the leaf to its node's root, or from a step to the root of the leaf's steps."""
    node: tuple[bytes, ...] = ()
    """From the node to the trace's root."""


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """A decoded message; its signature is not checked yet."""

    type: str
    body: Mapping[str, Any]
    index: int
    previous: str
    sender: Role
    signature: str
    content: bytes
    """What is signed."""


def encode(
    key: Ed25519PrivateKey, sender: Role, kind: str, body: Mapping[str, Any], index: int, previous: str
) -> bytes:
    """A signed message; the body holds Python values: bytes, openings, numbers."""
    envelope = {"body": _plain(body), "index": index, "previous": previous, "sender": sender, "type": kind}
    return canonical(envelope | {"signature": sign(key, "message", canonical(envelope))})


def digest(raw: bytes) -> str:
    """What the next message names as its previous one."""
    return sha256(raw).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Opening):
        words = None if value.words is None else b64encode(value.words.astype("<i4").tobytes()).decode()
        return {"node": _path(value.node), "path": _path(value.path), "words": words}
    if isinstance(value, Mapping):
        return {name: _path(part) if name == "path" else _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value


def _path(path: Sequence[bytes]) -> str:
    return b64encode(b"".join(path)).decode()


def decode(raw: bytes) -> Message:
    """Read a message.

    Raises:
        Refusal: oversized, malformed.
    """
    if len(raw) > LIMIT:
        raise Refusal("oversized", f"a message of {len(raw)} bytes; at most {LIMIT} are allowed")
    try:
        envelope = json.loads(raw.decode("ascii"), parse_float=_no_number, parse_constant=_no_number)
        same = canonical(envelope) == raw
    except (ValueError, RecursionError):
        malformed("the message is not JSON of whole numbers, texts, lists and objects")
    if not same:
        malformed("the message is not in its canonical encoding")
    keys(envelope, {"body", "index", "previous", "sender", "signature", "type"})
    body, index, sender, kind = (envelope[name] for name in ("body", "index", "sender", "type"))
    if type(index) is not int or index < 0:
        malformed("index is a number from 0 on")
    if sender not in ROLES:
        malformed("sender is asserter or challenger")
    if not isinstance(kind, str) or kind not in BODIES:
        malformed(f"type is one of {', '.join(BODIES)}")
    previous, signature = digest_of(envelope["previous"]).hex(), envelope["signature"]
    if not isinstance(signature, str) or len(signature) != 128 or not set(signature) <= set("0123456789abcdef"):
        malformed("signature is 64 bytes in hex")
    keys(body, set(BODIES[kind]))
    values = {name: read(body[name]) for name, read in BODIES[kind].items()}
    del envelope["signature"]
    return Message(kind, values, index, previous, sender, signature, canonical(envelope))


def malformed(message: str) -> NoReturn:
    raise Refusal("malformed", message)


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)


def keys(value: Any, expected: set[str]) -> None:
    """The value is an object with just these keys."""
    if not isinstance(value, dict) or value.keys() != expected:
        malformed(f"an object with the keys {', '.join(sorted(expected))} is expected")


def digest_of(value: Any) -> bytes:
    """A digest in hex."""
    if isinstance(value, str) and len(value) == 2 * DIGEST and set(value) <= set("0123456789abcdef"):
        return bytes.fromhex(value)
    malformed("a digest is 64 hexadecimal digits")


def root_or_null(value: Any) -> bytes | None:
    """A digest, or null."""
    return None if value is None else digest_of(value)


def digests(value: Any) -> list[bytes]:
    """A few digests."""
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_DIGESTS:
        malformed(f"digests are a list of 1 to {MOST_DIGESTS}")
    return [digest_of(part) for part in value]


def tokens(value: Any) -> tuple[int, ...]:
    """Tokens."""
    if not isinstance(value, list) or len(value) > MOST_TOKENS:
        malformed(f"tokens are a list of at most {MOST_TOKENS}")
    if any(type(token) is not int or not 0 <= token < 1 << 31 for token in value):
        malformed("a token is a number from 0 on, below 2^31")
    return tuple(value)


def path(value: Any) -> tuple[bytes, ...]:
    """An inclusion proof."""
    raw = binary(value)
    if len(raw) % DIGEST or len(raw) > LONGEST_PATH * DIGEST:
        malformed(f"a proof is at most {LONGEST_PATH} digests of {DIGEST} bytes")
    return tuple(raw[at : at + DIGEST] for at in range(0, len(raw), DIGEST))


def binary(value: Any) -> bytes:
    """Base64."""
    try:
        if isinstance(value, str):
            return b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        pass
    malformed("words and proofs are base64")


def opening(value: Any) -> Opening:
    """Words and their proofs."""
    keys(value, {"node", "path", "words"})
    if value["words"] is None:
        return Opening(None, path(value["path"]), path(value["node"]))
    raw = binary(value["words"])
    if len(raw) % 4 or not 4 <= len(raw) <= 4 * LEAF:
        malformed(f"a leaf has 1 to {LEAF} words of 4 bytes")
    return Opening(np.frombuffer(raw, "<i4").astype(np.int32), path(value["path"]), path(value["node"]))


def openings(value: Any) -> list[Opening]:
    """All inputs of a step."""
    if not isinstance(value, list) or len(value) > MOST_INPUTS:
        malformed(f"inputs are a list of at most {MOST_INPUTS}")
    return [opening(part) for part in value]


BODIES: Mapping[str, Mapping[str, Callable[[Any], Any]]] = {
    "challenge": {"root": digest_of, "tokens": tokens},
    "descend": {"digests": digests},
    "node": {"root": root_or_null},
    "steps": {"root": digest_of, "path": path},
    "open": {"inputs": openings},
    "guard": {"opening": opening},
    "deliver": {"opening": opening},
}
"""What the body of each type holds, and what reads it."""
