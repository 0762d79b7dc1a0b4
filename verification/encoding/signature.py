"""Ed25519 signatures over kind, market and content (section 5), as strict as every implementation can be made.

Of a public key and of a signature's first half, points of small order are refused: with them one signature holds of
every message. So are encodings that another one equals: y of 2^255 - 19 or more, and S of the group's order or more.
"""

from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from verification.encoding.canonical import canonical

DOMAIN = b"distribute-lab/1\0"
PRIME = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
_OF_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
SMALL_ORDER = frozenset({0, 1, PRIME - 1, _OF_ORDER_8, PRIME - _OF_ORDER_8})
"""y of the eight points that eight times are the neutral one."""
REMEMBERED = 2**16
_holding: dict[bytes, None] = {}
"""Of signatures that were made or found right here, SHA-256 over key, signature and message: they hold for ever."""


@lru_cache(maxsize=2**13)
def public(key: Ed25519PrivateKey) -> str:
    """A party's name: its public key in hex."""
    return key.public_key().public_bytes_raw().hex()


def signing_bytes(kind: str, market: str, content: Any) -> bytes:
    """What a signature is over.

    Raises:
        Refusal: malformed.
    """
    return signing_bytes_of(kind, market, canonical(content))


def signing_bytes_of(kind: str, market: str, raw: bytes) -> bytes:
    """The same, of a content's canonical bytes.

    Raises:
        Refusal: malformed.
    """
    return b"%b%b,%b]" % (DOMAIN, _before(kind, market), raw)


@lru_cache(maxsize=256)
def _before(kind: str, market: str) -> bytes:
    return canonical([kind, market])[:-1]


def sign(key: Ed25519PrivateKey, kind: str, market: str, content: Any) -> str:
    """A signature in hex."""
    return sign_bytes(key, signing_bytes(kind, market, content))


def sign_bytes(key: Ed25519PrivateKey, message: bytes) -> str:
    """The same, over bytes; it need not be verified again here."""
    proof = key.sign(message)
    _remember(bytes.fromhex(public(key)), proof, message)
    return proof.hex()


def signed(party: str, kind: str, market: str, content: Any, signature: str) -> bool:
    """Whether the party signed the content; a key and a signature are lower-case hex of 32 and 64 bytes."""
    return verified(party, signature, lambda: signing_bytes(kind, market, content))


def verified(party: str, signature: str, message: Callable[[], bytes]) -> bool:
    """Whether the party signed these bytes, which are asked for where key and signature can be such."""
    name, proof = _bytes(party, 32), _bytes(signature, 64)
    if not (_is_point(name) and _is_point(proof[:32]) and int.from_bytes(proof[32:], "little") < ORDER):
        return False
    signed_bytes = message()
    if _identity(name, proof, signed_bytes) in _holding:
        return True
    try:
        Ed25519PublicKey.from_public_bytes(name).verify(proof, signed_bytes)
    except (InvalidSignature, ValueError):
        return False
    _remember(name, proof, signed_bytes)
    return True


def _identity(name: bytes, proof: bytes, message: bytes) -> bytes:
    return sha256(name + proof + message).digest()


def _remember(name: bytes, proof: bytes, message: bytes) -> None:
    if len(_holding) >= REMEMBERED:
        _holding.clear()
    _holding[_identity(name, proof, message)] = None


def is_key(party: str) -> bool:
    """Whether a text can be a public key: lower-case hex of a point that is canonical and not of small order."""
    return _is_point(_bytes(party, 32))


def _bytes(text: str, size: int) -> bytes:
    if isinstance(text, str) and len(text) == 2 * size and set(text) <= set("0123456789abcdef"):
        return bytes.fromhex(text)
    return b""


def _is_point(raw: bytes) -> bool:
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    return len(raw) == 32 and y < PRIME and y not in SMALL_ORDER
