"""What a party asks for, signed: an envelope of kind, party, content and signature (section 5)."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.encoding.canonical import canonical, parsed
from verification.encoding.signature import public, sign_bytes, signing_bytes_of, verified
from verification.errors import Refusal

KEYS = {"content", "kind", "party", "signature"}
LIMIT = 96_000
"""Bytes of an envelope, at most."""


@dataclass(frozen=True)
class Request:
    """An envelope that was opened."""

    kind: str
    party: str
    """Who signed it: an Ed25519 public key in hex."""
    content: Any
    """Plain: what canonical JSON holds."""
    signature: str
    market: str
    """Digest of the genesis event, in hex; the signature is over it, the envelope does not repeat it."""

    @cached_property
    def name(self) -> str:
        """Its digest, signature apart: a request that is sent twice is one."""
        before = canonical([self.kind, self.market, self.party])[:-1]
        return sha256(b"%b,%b]" % (before, _content(self.raw))).hexdigest()

    @cached_property
    def sound(self) -> bool:
        """Whether it was signed or opened here: then it need not be opened again. Its content is not to be changed."""
        return False

    @cached_property
    def raw(self) -> bytes:
        """The envelope."""
        return canonical({"content": self.content, "kind": self.kind, "party": self.party, "signature": self.signature})


def request(key: Ed25519PrivateKey, kind: str, market: str, content: Any) -> Request:
    """A content signed by a party.

    Raises:
        Refusal: malformed.
    """
    raw, party = canonical(content), public(key)
    signature = sign_bytes(key, signing_bytes_of(kind, market, raw))
    made = Request(kind, party, content, signature, market)
    rest = canonical({"kind": kind, "party": party, "signature": signature})[1:]
    vars(made).update(raw=b'{"content":%b,%b' % (raw, rest))
    vars(made)["sound"] = len(made.raw) <= LIMIT
    return made


def opened(raw: bytes, market: str, limit: int = LIMIT) -> Request:
    """An envelope read, its signature checked; what its content must hold is for its kind's schema to say.

    Raises:
        Refusal: oversized, malformed, wrong-signature (another market's too).
    """
    if len(raw) > limit:
        raise Refusal("oversized", f"{len(raw)} bytes; at most {limit} are allowed")
    envelope = parsed(raw)
    if not isinstance(envelope, dict) or envelope.keys() != KEYS:
        raise Refusal("malformed", f"an envelope has the keys {', '.join(sorted(KEYS))}")
    kind, party, signature = (envelope[name] for name in ("kind", "party", "signature"))
    texts = isinstance(kind, str) and isinstance(market, str)
    if not texts or not verified(party, signature, lambda: signing_bytes_of(kind, market, _content(raw))):
        raise Refusal("wrong-signature", "it is not signed by its party for this market")
    found = Request(kind, party, envelope["content"], signature, market)
    vars(found).update(raw=raw, sound=len(raw) <= LIMIT)  # the bytes need not be made again
    return found


def _content(raw: bytes) -> bytes:
    """The content's bytes in an envelope's."""
    return raw[len(b'{"content":') : raw.rindex(b',"kind":')]  # no text has quotes that are bare
