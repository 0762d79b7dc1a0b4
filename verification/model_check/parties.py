"""The keys of the model check's parties, by name."""

from functools import cache
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.encoding.signature import public


@cache
def key_of(name: str) -> Ed25519PrivateKey:
    """A private key."""
    return Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest())


@cache
def name_of(name: str) -> str:
    """The public key, in hex."""
    return public(key_of(name))
