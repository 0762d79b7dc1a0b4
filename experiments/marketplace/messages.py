"""The wire: one JSON object a text frame, of one schema a type, versioned, no larger than it may be.

Money and seeds are decimal texts, digests, keys and signatures hexadecimal, bytes base64. What is signed is the
ledger's own envelope {content, kind, party, signature} in its canonical encoding: whoever writes a whole frame
canonically has it so.
"""

from typing import TypeVar

import msgspec
from msgspec import Raw

from experiments.marketplace.asked import (
    Ask,
    Benchmark,
    Estimate,
    FromPeer,
    Fund,
    Heart,
    Hello,
    Play,
    Preflight,
    Role,
    Tokens,
    Transcript,
)
from experiments.marketplace.message import Message
from experiments.marketplace.told import (
    Account,
    Audited,
    Board,
    Challenge,
    Done,
    Final,
    Lease,
    Output,
    Quote,
    Receipt,
    Refused,
    Shown,
    Strike,
    Suitable,
    Token,
    ToPeer,
    Turn,
    Waits,
    Welcome,
)
from verification.encoding.request import Request
from verification.errors import Refusal

__all__ = [
    "HELLO",
    "MOST_BYTES",
    "MOST_OUTPUT",
    "VERSION",
    "Account",
    "Ask",
    "Audited",
    "Benchmark",
    "Board",
    "Challenge",
    "Done",
    "Estimate",
    "Final",
    "FromPeer",
    "Fund",
    "Heart",
    "Hello",
    "Lease",
    "Message",
    "Output",
    "Play",
    "Preflight",
    "Quote",
    "Receipt",
    "Refused",
    "Role",
    "Shown",
    "Strike",
    "Suitable",
    "ToPeer",
    "Token",
    "Tokens",
    "Transcript",
    "Turn",
    "Waits",
    "Welcome",
    "ask",
    "encode",
    "from_peer",
    "to_peer",
]
VERSION = 1
MOST_OUTPUT = 4 * 2**20
"""Bytes of a result's output."""
MOST_BYTES = 6 * 2**20
"""Of a frame, which has such an output in base64."""
HELLO = "hello"
"""Of what kind a connection's signature is: over {nonce, origin, role}, by the key that the connection is of."""

_encoder = msgspec.json.Encoder()
_from_peer = msgspec.json.Decoder(FromPeer)
_to_peer = msgspec.json.Decoder(ToPeer)
_Read = TypeVar("_Read")


def encode(message: Message) -> bytes:
    """A frame."""
    return _encoder.encode(message)


def from_peer(raw: bytes) -> FromPeer:
    """What a peer sent.

    Raises:
        Refusal: oversized, malformed.
    """
    return _decoded(_from_peer, raw)


def to_peer(raw: bytes) -> ToPeer:
    """What the coordinator sent.

    Raises:
        Refusal: oversized, malformed.
    """
    return _decoded(_to_peer, raw)


def ask(number: int, request: Request, blobs: dict[str, bytes] | None = None) -> bytes:
    """The frame that asks for a request."""
    return encode(Ask(number, Raw(request.raw), blobs or {}))


def _decoded(decoder: "msgspec.json.Decoder[_Read]", raw: bytes) -> _Read:
    if len(raw) > MOST_BYTES:
        raise Refusal("oversized", f"{len(raw)} bytes; at most {MOST_BYTES} are allowed")
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refusal("malformed", " ".join(str(error).split())[:200]) from None
