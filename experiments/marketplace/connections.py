"""Who is connected: each connection proves the key that it is of; then it is sent what that key has to know."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from experiments.marketplace.effects import Close, Connection, Effect, Send
from experiments.marketplace.messages import Message, Preflight, Role, encode
from verification.errors import Refusal

MOST_REFUSALS = 100
"""Of one connection between two ticks; it is closed then."""
MOST_QUESTIONS = 8
"""Of one connection between two ticks: estimates and transcripts, whose answers cost far more than they do."""
STRANGERS_REFUSALS = 3
"""Of a connection that has proven no key, ever: it is not worth more."""


@dataclass(slots=True, eq=False)
class Peer:
    """A connection."""

    number: Connection
    nonce: str
    origin: str
    """That the driver saw: of a page's connection its origin."""
    role: Role | None = None
    """None: it has not said hello."""
    key: str = ""
    """A device's or a user's, proven."""
    refusals: int = 0
    questions: int = 0
    told: dict[str, int] = field(default_factory=dict)
    """Entries of disputes that it was sent, by claim."""
    preflight: Preflight | None = None
    speeds: dict[str, float] = field(default_factory=dict)
    """Multiply-accumulates a second that it measured, by the model's name."""


class Connections:
    """All of them; a key has one at most, the newest."""

    def __init__(self, out: list[Effect]) -> None:
        self._out = out
        self._peers: dict[Connection, Peer] = {}
        self._of: dict[str, Peer] = {}
        self._watching: dict[Connection, Peer] = {}

    def __len__(self) -> int:
        return len(self._peers)

    @property
    def watched(self) -> bool:
        """Whether anybody watches."""
        return bool(self._watching)

    def add(self, peer: Peer) -> None:
        """A connection opened."""
        self._peers[peer.number] = peer

    def find(self, number: Connection) -> Peer | None:
        """A connection that is open."""
        return self._peers.get(number)

    def has(self, key: str) -> bool:
        """Whether a key is connected."""
        return key in self._of

    def peer_of(self, key: str) -> Peer | None:
        """The connection of a key."""
        return self._of.get(key)

    def watching(self) -> list[Peer]:
        """Who watches."""
        return list(self._watching.values())

    def proven(self, peer: Peer, role: Role, key: str) -> None:
        """A connection has said whose it is; an older one of the same key is closed."""
        peer.role, peer.key = role, key
        if role == "watch":
            self._watching[peer.number] = peer
            return
        if (older := self._of.get(key)) is not None and older is not peer:
            self.close(older, "replaced")
        self._of[key] = peer

    def close(self, peer: Peer, reason: str) -> None:
        """End a connection."""
        self.remove(peer.number)
        self._out.append(Close(peer.number, reason))

    def remove(self, number: Connection) -> Peer | None:
        """A connection has ended."""
        peer = self._peers.pop(number, None)
        if peer is not None:
            self._watching.pop(number, None)
            if self._of.get(peer.key) is peer:
                del self._of[peer.key]
        return peer

    def send(self, peer: Peer | None, message: Message) -> None:
        """To a connection, if there is one."""
        if peer is not None:
            self._out.append(Send(peer.number, encode(message)))

    def send_all(self, peers: Iterable[Peer], message: Message) -> None:
        """To many, the same bytes: what waits for who does not read is there once."""
        raw = encode(message)
        self._out.extend(Send(peer.number, raw) for peer in peers)

    def tell(self, key: str, message: Message) -> None:
        """To a key, if it is connected."""
        self.send(self._of.get(key), message)

    def question(self, peer: Peer) -> None:
        """Another question.

        Raises:
            Refusal: too-often.
        """
        peer.questions += 1
        if peer.questions > MOST_QUESTIONS:
            raise Refusal("too-often", f"more than {MOST_QUESTIONS} estimates or transcripts a tick")

    def refused(self, peer: Peer) -> None:
        """Another refusal; too many end the connection."""
        peer.refusals += 1
        if peer.refusals > (MOST_REFUSALS if peer.key else STRANGERS_REFUSALS):
            self.close(peer, "refusals")

    def forgive(self) -> None:
        """A tick has passed."""
        for peer in self._of.values():
            peer.refusals = 0
        for peer in self._peers.values():
            peer.questions = 0
