"""A peer's side of its disputes: it follows what the referee records, and answers by the trace that it stands by.

It believes no word of the referee: every record must be the one that the messages lead to.
"""

from collections.abc import Callable, Iterable, Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from experiments.marketplace.messages import Play, Transcript, Turn, encode
from verification.dispute.dispute import Dispute
from verification.dispute.party import Party, honest
from verification.dispute.transcript import followed
from verification.encoding.request import Request, opened
from verification.encoding.signature import public
from verification.errors import Refusal
from verification.trace import Trace

Side = Callable[[Ed25519PrivateKey, Trace], Party]
"""How a key plays by a trace."""


class _Following:
    """One dispute as far as it was told."""

    def __init__(self, dispute: Dispute, party: Party) -> None:
        self.dispute, self.party = dispute, party
        self.records: list[Request] = []


class DisputeSide:
    """The disputes of one key.

    Args:
        side: how it plays; anything but ``honest`` is an adversary's.
    """

    def __init__(self, key: Ed25519PrivateKey, side: Side = honest) -> None:
        self.key, self.name, self.side = key, public(key), side
        self.waiting = set[str]()
        """Claims to which nothing could be answered: no trace has their root."""
        self._following: dict[str, _Following] = {}

    def reopened(self) -> None:
        """The connection was made anew: of what goes on it will be told from the beginning, of what is over nothing."""
        self.waiting.clear()
        self._following.clear()

    def told(self, turn: Turn, traces: Iterable[Trace], market: str, referee: str) -> list[bytes]:
        """What is sent when the coordinator tells of a dispute.

        Args:
            traces: those that the key stands by.

        Raises:
            Refusal: other-referee, or what is wrong with a record: the referee is at fault.
        """
        self.waiting.discard(turn.claim)
        if turn.verdict is not None:
            self._following.pop(turn.claim, None)
            return []
        found = self._following.get(turn.claim)
        if found is None or turn.since == 0:
            found = self._begun(turn, {trace.tree.root.hex(): trace for trace in traces}, market, referee)
            if found is None:
                self.waiting.add(turn.claim)
                return []
            self._following[turn.claim] = found
        if turn.since > len(found.records):
            return [encode(Transcript(claim=turn.claim))]
        for entry in turn.entries[len(found.records) - turn.since :]:
            found.records.append(followed(found.dispute, entry, found.records, referee))
        dispute, role = found.dispute, turn.role
        if role is None or dispute.turn != role or dispute.key(role) != self.name:
            return []
        raw = found.party(dispute)
        return [] if raw is None else [encode(Play(claim=turn.claim, raw=raw))]

    def retold(self) -> list[bytes]:
        """Ask again for the disputes that wait: there is a new trace."""
        return [encode(Transcript(claim=claim)) for claim in sorted(self.waiting)]

    def _begun(self, turn: Turn, traces: Mapping[str, Trace], market: str, referee: str) -> _Following | None:
        """A dispute as it began; None where no trace has the key's root: the challenger's, or the asserter's, which
        its deputies share."""
        begin = opened(bytes(turn.begin), market)
        if (begin.kind, begin.party) != ("begin", referee):
            raise Refusal("other-referee", "the dispute was not begun by the coordinator")
        role = "challenger" if begin.content["challenger"] == self.name else "asserter"
        trace = traces.get(begin.content["roots"][role])
        if trace is None:
            return None
        return _Following(Dispute(trace.computation, begin), self.side(self.key, trace))
