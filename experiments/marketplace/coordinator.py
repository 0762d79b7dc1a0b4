"""The coordinator without input or output: bytes and time go in, effects come out.

No clock, socket, thread or random number is in it: the same calls in the same order give the same ledger. What lasts is
in the ledger alone; connections, signs of life, streams and solvers' work are lost with it without harm to anyone.
"""

import logging
from collections import deque
from collections.abc import Sequence
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from experiments.marketplace import messages
from experiments.marketplace.auctioneer import Answer
from experiments.marketplace.board import Board
from experiments.marketplace.connections import Peer
from experiments.marketplace.desk import Desk
from experiments.marketplace.disputes import Disputes
from experiments.marketplace.effects import Connection, Effect
from experiments.marketplace.explanation import Explained
from experiments.marketplace.leases import Leases, deadlines
from experiments.marketplace.lists import lists_again
from experiments.marketplace.models import Known
from experiments.marketplace.notices import Notices, genesis
from experiments.marketplace.reception import Reception
from experiments.marketplace.rounds import Rounds
from experiments.marketplace.settings import Settings
from verification.dispute.party import honest
from verification.errors import Refusal
from verification.ledger.event import Event
from verification.ledger.store import Ledger
from verification.market.records import Lease, find, known
from verification.result import sign_result
from verification.trace import Trace

logger = logging.getLogger(__name__)


class Coordinator:
    """One market's coordinator.

    Args:
        ledger: of the market, opened; nobody else writes it.
        key: the coordinator's.
        secret: from which draws and nonces are derived; the same after a restart.
        models: that are traded.
        now: seconds, by the driver's clock; its ticks go on from the ledger's.
    """

    def __init__(
        self,
        ledger: Ledger,
        key: Ed25519PrivateKey,
        secret: bytes,
        models: Sequence[Known],
        settings: Settings | None = None,
        now: float = 0.0,
    ) -> None:
        self.settings = settings or Settings()
        self.desk = desk = Desk(ledger, key, secret, models)
        self._base, self._since = desk.tick, now
        self._touched: deque[str] = deque()
        self.notices = Notices(desk)
        self.disputes = Disputes(desk, self.notices.told)
        self.notices.disputes = self.disputes
        number, _ = ledger.head
        self.leases = Leases(desk, self.disputes, desk.tick + desk.rules.delta if number else 0)
        self.board = Board(desk, self.disputes)
        self.rounds = Rounds(desk, self.settings, self.board)
        self.reception = Reception(
            desk, self.settings, self.notices, self.disputes, self.leases, self.board, self.rounds
        )
        self._connected, self._genesis = 0, genesis(desk)
        for event in ledger.events():
            desk.fold(event)
        desk.folds.append(self._touch)
        ledger.watch = desk.fold
        self._resume()

    def _resume(self) -> None:
        """What was due when the last coordinator ended."""
        desk, draft = self.desk, self.desk.draft
        if desk.listed.events:
            desk.lists.update(lists_again(desk.ledger.events(), desk.listed.events))
        self._touched.extend(draft.subjects("lease"))
        self._awaited = deadlines(draft, desk.key)
        for device in desk.offers.live:
            self.leases.gone(device)
        for name in draft.subjects("order"):
            self.desk.agenda.add(draft.fact("order", name)["until"] + 1, "order", name)
        self.resumed = self._done()
        """Effects to begin with."""

    # what a driver calls

    def opened(self, connection: Connection, now: float, origin: str = "") -> list[Effect]:
        """A connection has come; ``origin`` is the page's, by the driver's word."""
        number, head = self.desk.ledger.head
        self._connected += 1
        nonce = self.desk.keyed(f"nonce {connection} {self._connected} {number} {head} {now}")
        peer = Peer(connection, nonce, origin)
        self.desk.connections.add(peer)
        challenge = messages.Challenge(messages.VERSION, self.desk.market, nonce, self._genesis)
        self.desk.connections.send(peer, challenge)
        return self._done()

    def receive(self, connection: Connection, raw: bytes, now: float) -> list[Effect]:
        """Bytes of a connection: what they ask for is done, or refused; nothing else can come of them."""
        peer = self.desk.connections.find(connection)
        if peer is None:
            return []
        try:
            message = messages.from_peer(raw)
        except Refusal as refusal:
            self._refuse(peer, None, refusal)
            return self._done()
        about = message.claim if isinstance(message, messages.Play) else getattr(message, "id", None)
        try:
            self.reception.take(peer, message)
        except Refusal as refusal:
            self._refuse(peer, about, refusal)
        except Exception as error:  # noqa: BLE001 - a fault of this code ends the connection that met it, and no other
            self.desk.connections.close(peer, f"fault: {type(error).__name__}: {error}")
        return self._done()

    def closed(self, connection: Connection, now: float) -> list[Effect]:
        """A connection has ended; what its key holds it holds on, for three beats."""
        peer = self.desk.connections.remove(connection)
        if peer is not None and peer.role == "device":
            self.leases.gone(peer.key)
        return self._done()

    def tick(self, now: float) -> list[Effect]:
        """Time passes, by a tenth of delta at most; what is due by then is done."""
        desk = self.desk
        behind = self._base + int((now - self._since) / self.settings.seconds_per_tick) - desk.tick
        most = max(1, desk.rules.delta // 10)
        if behind <= 0:
            return self._done()
        if self._waits(now):
            self._base -= behind
            return self._done()
        if behind > most:  # time in which the process stood is not made up
            self._base -= behind - most
        desk.order_of("advance", {"since": desk.tick, "ticks": min(behind, most)})
        desk.connections.forgive()
        for kind, subject in desk.agenda.due(desk.tick):
            if kind == "lease":
                self._touched.append(subject)
            elif kind == "order":
                self._expire(subject)
            else:
                self.leases.lapse(subject)
        self._go_on()
        self.rounds.tick()
        self._show()
        return self._done()

    def _waits(self, now: float) -> bool:
        """Whether time stands: for delta after a restart no deadline passes of who may be on its way back."""
        if now - self._since > self.desk.rules.delta * self.settings.seconds_per_tick:
            self._awaited = []
        return any(due <= self.desk.tick and not self.desk.connections.has(key) for due, key in self._awaited)

    def solved(self, number: int, given: Answer, now: float) -> list[Effect]:
        """A round's answer, from whoever solved it."""
        self.rounds.solved(number, given)
        return self._done()

    def explained(self, given: Explained, now: float) -> list[Effect]:
        """What a round came to beside the optimum, and why who waits does: shown, never kept."""
        self.rounds.explained(given)
        return self._done()

    def computed(self, lease: str, trace: Trace, now: float) -> list[Effect]:
        """The trace of a lease of the coordinator's own."""
        desk = self.desk
        if known(desk.draft, Lease, lease):
            self.disputes.own[lease] = trace.tree.root.hex(), honest(desk.signing, trace)
            asked, output = sign_result(desk.signing, desk.market, lease, trace)
            found = find(desk.draft, Lease, lease)
            if found.state == "held":
                desk.ledger.perform(asked, {sha256(output).hexdigest(): output})
            self._touched.append(found.audits)
        return self._done()

    # what watchers see

    def _show(self) -> None:
        self.desk.connections.send_all(self.desk.connections.watching(), self.reception.shown(self.board.changes()))

    # what follows

    def _refuse(self, peer: Peer, about: int | str | None, refusal: Refusal) -> None:
        self.desk.connections.send(peer, messages.Refused(about, refusal.reason, str(refusal)))
        self.desk.connections.refused(peer)

    def _touch(self, event: Event) -> None:
        """What an event may have made due."""
        for kind, subject, value in event.facts:
            if kind in ("lease", "audit", "deputies") and value is not None:
                self._touched.append(subject)
            elif kind == "claim" and value is not None:
                self._touched.append(value["lease"])
            elif kind.startswith("claims:") and value is None:
                self._touched.extend(self._others(subject, kind.removeprefix("claims:")))
            elif kind == "order" and value is not None:
                self.desk.agenda.add(value["until"] + 1, "order", subject)
            elif kind == "order":
                self.desk.agenda.forget("order", subject)

    def _others(self, claim: str, device: str) -> list[str]:
        """Results of a device that are disputed beside a claim that has ended."""
        draft = self.desk.draft
        return [draft.fact("claim", other)["lease"] for other in draft.subjects(f"claims:{device}") if other != claim]

    def _expire(self, name: str) -> None:
        value = self.desk.orders.waiting.get(name)
        if value is not None and self.desk.tick > value["until"]:
            self.desk.order_of("expire", {"order": name})

    def _go_on(self) -> None:
        while self._touched:
            name = self._touched.popleft()
            try:
                self.leases.go_on(name)
            except Exception:
                logger.exception("what is due of the lease %s failed", name)
                self.desk.agenda.add(self.desk.tick + self.desk.rules.delta, "lease", name)

    def _done(self) -> list[Effect]:
        self._go_on()
        out = list(self.desk.out)
        self.desk.out.clear()
        return out
