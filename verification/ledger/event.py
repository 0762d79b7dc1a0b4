"""One event: a request as it was signed, what it changed, and the digest of the event before (section 5)."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from verification.encoding.canonical import canonical, parsed
from verification.encoding.request import KEYS as ENVELOPE
from verification.encoding.request import Request
from verification.errors import Refusal
from verification.ledger.state import INT64, Fact, Move

KEYS = {"blobs", "facts", "kind", "moves", "number", "previous", "request", "tick"}


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
        request = self.request
        return canonical(
            {
                "blobs": list(self.blobs),
                "facts": [list(fact) for fact in self.facts],
                "kind": request.kind,
                "moves": [[source, target, str(amount)] for source, target, amount in self.moves],
                "number": self.number,
                "previous": self.previous,
                "request": {
                    "content": request.content,
                    "kind": request.kind,
                    "party": request.party,
                    "signature": request.signature,
                },
                "tick": self.tick,
            }
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of its bytes, in hex."""
        return sha256(self.raw).hexdigest()


def read_event(raw: bytes, market: str) -> Event:
    """An event from its bytes; neither its signature nor what it does is checked.

    Raises:
        Refusal: malformed.
    """
    content = parsed(raw)
    try:
        if content.keys() != KEYS or content["request"].keys() != ENVELOPE:
            raise ValueError
        envelope = content["request"]
        market = market if content["number"] else ""  # the genesis makes the market that all others are signed for
        event = Event(
            content["number"],
            content["tick"],
            Request(envelope["kind"], envelope["party"], envelope["content"], envelope["signature"], market),
            tuple((source, target, int(amount)) for source, target, amount in content["moves"]),
            tuple((kind, subject, value) for kind, subject, value in content["facts"]),
            tuple(content["blobs"]),
            content["previous"],
        )
        texts = [*envelope.values(), event.previous, *event.blobs]
        texts.remove(envelope["content"])
        texts += [name for source, target, _ in event.moves for name in (source, target)]
        texts += [name for kind, subject, _ in event.facts for name in (kind, subject)]
        numbers = [event.number, event.tick]
        if not all(type(text) is str for text in texts) or not all(type(n) is int and n >= 0 for n in numbers):
            raise ValueError
        if not all(0 < amount <= INT64 for _, _, amount in event.moves):
            raise ValueError
    except (AttributeError, KeyError, TypeError, ValueError):
        raise Refusal("malformed", f"an event has the keys {', '.join(sorted(KEYS))}, of their types") from None
    return event
