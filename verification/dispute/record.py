"""The referee's records of a dispute: signed, each naming the one before, the last holding the verdict (section 5).

One for each message taken, one where a budget is spent, with the last message refused before, one where a deputy takes
the asserter's place, and one where none is left.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.dispute.dispute import Dispute
from verification.encoding.request import Request, request
from verification.errors import Refusal

Event = Literal["message", "clock", "deputy", "forfeit"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A record and the bytes of the message it is about, if any is."""

    record: Request
    message: bytes | None = None


class Proceedings:
    """A dispute as its referee conducts it."""

    def __init__(self, dispute: Dispute, key: Ed25519PrivateKey, entries: Sequence[Entry] = ()) -> None:
        """A dispute that has begun, or that is taken up again after these entries.

        Of a message that was refused before that the bytes are gone: it counts as silence, or nobody could follow.
        """
        self.dispute, self.key, self.entries = dispute, key, list(entries)
        self.forget_refused()

    def forget_refused(self) -> None:
        """What was refused counts as silence, as it does to a referee that takes the dispute up again."""
        state = self.dispute.state
        if state.refused_message is not None:
            self.dispute.state = replace(state, refused="", refused_message=None)
        self._refused: bytes | None = None

    def receive(self, raw: bytes, tick: int) -> None:
        """Take a message.

        Raises:
            Refusal: see ``Dispute.receive``.
        """
        self.tick(tick)
        try:
            self.dispute.receive(raw, tick)
        except Refusal:
            if self.dispute.state.refused_message == sha256(raw).hexdigest():
                self._refused = raw
            raise
        self._note("message", tick, raw)

    def tick(self, tick: int) -> None:
        """Let time pass."""
        before = self.dispute.state
        self.dispute.tick(tick)
        if self.dispute.state is not before:
            self._note("clock", tick, self._refused)

    def replace_asserter(self, key: str, tick: int) -> None:
        """Let a deputy play on.

        Raises:
            Refusal: see ``Dispute.replace_asserter``.
        """
        self.dispute.replace_asserter(key, tick)
        self._note("deputy", tick)

    def forfeit(self, tick: int) -> None:
        """No deputy is left.

        Raises:
            Refusal: see ``Dispute.forfeit``.
        """
        self.dispute.forfeit()
        self._note("forfeit", tick)

    def _note(self, event: Event, tick: int, message: bytes | None = None) -> None:
        seen = sha256(message).hexdigest() if event == "message" and message is not None else None
        content = recorded(self.dispute, event, tick, seen, [entry.record for entry in self.entries])
        record = request(self.key, "record", self.dispute.begin.market, content)
        self.entries.append(Entry(record, message))
        self._refused = None


def recorded(
    dispute: Dispute, event: Event, tick: int, message: str | None, before: Sequence[Request]
) -> dict[str, Any]:
    """What the record of the event that a dispute saw last holds.

    Args:
        message: SHA-256 of the bytes of the message taken; None: of the last refused, if any was.
        before: the records so far.
    """
    state = dispute.state
    return {
        "asserter": state.asserter,
        "begin": dispute.begin.name,
        "clocks": state.clocks.plain(),
        "event": event,
        "message": message or (state.refused_message if event == "clock" else None),
        "number": len(before) + 1,
        "previous": before[-1].name if before else dispute.begin.name,
        "reason": (state.refused or "silent") if event == "clock" else "",
        "tick": tick,
        "verdict": None if state.verdict is None else asdict(state.verdict),
    }
