"""One event: a request as it was signed, what it changed, and the digest of the event before (section 5)."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

import msgspec

from verification.encoding.canonical import canonical
from verification.encoding.request import Request
from verification.encoding.schema import digest_text
from verification.errors import Refusal
from verification.ledger.state import Fact, Move


@dataclass(frozen=True)
class Event:
    """An operation that was performed."""

    number: int
    """From 0, the genesis, on."""
    tick: int
    """After it."""
    request: Request
    moves: tuple[Move, ...]
    facts: tuple[Fact, ...]
    blobs: tuple[str, ...]
    """Digests, in hex and sorted, of what came with the request and is written beside the event."""
    previous: str
    """Digest of the event before; of the first event's "", there is none."""

    @cached_property
    def raw(self) -> bytes:
        """Its canonical JSON.

        Raises:
            Refusal: malformed.
        """
        facts = [list(fact) for fact in self.facts]
        moves = [[source, target, str(amount)] for source, target, amount in self.moves]
        before = canonical(
            {
                "blobs": list(self.blobs),
                "facts": facts,
                "kind": self.request.kind,
                "moves": moves,
                "number": self.number,
                "previous": self.previous,
            }
        )
        return b'%b,"request":%b,"tick":%b}' % (before[:-1], self.request.raw, canonical(self.tick))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of its bytes, in hex."""
        return sha256(self.raw).hexdigest()


def read_event(raw: bytes, market: str) -> Event:
    """An event from its bytes; neither its signature nor what it does is checked.

    Raises:
        Refusal: malformed (of another spelling, too).
    """
    try:
        content = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refusal("malformed", "it is no JSON") from None
    event = _event(content, market)
    if event.raw != raw:
        raise Refusal("malformed", "it is not in its canonical encoding")
    return event


def _event(content: Any, market: str) -> Event:
    match content:
        case {
            "blobs": list(blobs),
            "facts": list(facts),
            "moves": list(moves),
            "number": int(number),
            "previous": str(previous),
            "request": {"content": asked, "kind": str(kind), "party": str(party), "signature": str(signature)},
            "tick": int(tick),
        } if type(number) is type(tick) is int:
            market = market if number else ""  # the genesis makes the market that all others are signed for
            request = Request(kind, party, asked, signature, market)
            moved, stated = tuple(map(_move, moves)), tuple(map(_fact, facts))
            return Event(number, tick, request, moved, stated, tuple(map(digest_text, blobs)), previous)
    raise Refusal("malformed", "it lacks what events have")


def _move(content: Any) -> Move:
    match content:
        case [str(source), str(target), str(amount)] if amount.isdecimal() and len(amount) < 20 and int(amount):
            return source, target, int(amount)
    raise Refusal("malformed", "a move holds two accounts and an amount")


def _fact(content: Any) -> Fact:
    match content:
        case [str(kind), str(subject), value]:
            return kind, subject, value
    raise Refusal("malformed", "a fact holds kind, subject and value")
