"""The coordinator without input or output: bytes and time go in, effects come out.

No clock, socket, thread or random number is in it: the same calls in the same order give the same ledger. What lasts is
in the ledger alone; connections, signs of life, streams and solvers' work are lost with it without harm to anyone.
"""

from collections import deque
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from experiments.marketplace import messages
from experiments.marketplace.auctioneer import Answer
from experiments.marketplace.board import Board
from experiments.marketplace.connections import Peer
from experiments.marketplace.desk import Desk
from experiments.marketplace.disputes import Disputes
from experiments.marketplace.effects import Connection, Effect
from experiments.marketplace.explanation import Explained
from experiments.marketplace.leases import Leases
from experiments.marketplace.lists import lists_again
from experiments.marketplace.messages import FromPeer
from experiments.marketplace.models import Known
from experiments.marketplace.notices import Notices, genesis
from experiments.marketplace.orders import check_requests
from experiments.marketplace.rounds import Rounds
from experiments.marketplace.settings import Settings
from experiments.marketplace.suitability import suitable
from verification.dispute.party import honest
from verification.encoding.request import opened
from verification.encoding.schema import read
from verification.encoding.signature import signed
from verification.errors import Refusal
from verification.ledger.event import Event
from verification.ledger.store import Ledger
from verification.market.orders import ORDER
from verification.market.records import Lease, find, known
from verification.result import sign_result
from verification.trace import Trace


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
            self._take(peer, message)
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
            self.disputes.own[trace.tree.root.hex()] = honest(desk.signing, trace)
            asked, output = sign_result(desk.signing, desk.market, lease, trace)
            found = find(desk.draft, Lease, lease)
            if found.state == "held":
                desk.ledger.perform(asked, {sha256(output).hexdigest(): output})
            self._touched.append(found.audits)
        return self._done()

    # what a peer asks

    def _take(self, peer: Peer, message: FromPeer) -> None:
        if isinstance(message, messages.Hello):
            return self._hello(peer, message)
        if peer.role is None:
            raise Refusal("no-hello", "a connection first says whose it is")
        if peer.role == "device":
            self.leases.seen(peer.key)
        match message:
            case messages.Ask():
                self._ask(peer, message)
            case messages.Play():
                self.disputes.receive(message.claim, message.raw)
            case messages.Fund():
                self._fund(peer, message)
            case messages.Tokens():
                self._tokens(peer, message)
            case messages.Estimate():
                self.desk.connections.question(peer)
                self._estimate(peer, message)
            case messages.Transcript():
                self.desk.connections.question(peer)
                self._transcript(peer, message)
            case messages.Preflight():
                peer.preflight = message
                self._suitable(peer)
            case messages.Benchmark():
                peer.speeds[message.model] = message.macs_per_second
                self._suitable(peer)
            case _:
                pass
        return None

    def _hello(self, peer: Peer, message: messages.Hello) -> None:
        if message.version != messages.VERSION:
            raise Refusal("other-version", f"version {message.version}; this market speaks {messages.VERSION}")
        if message.origin != peer.origin:
            raise Refusal("other-origin", "the page is of another origin than the connection")
        key = {"device": message.device, "user": message.owner, "watch": ""}[message.role]
        said = {"nonce": peer.nonce, "origin": message.origin, "role": message.role}
        if message.role != "watch" and not signed(key, messages.HELLO, self.desk.market, said, message.signature):
            raise Refusal("wrong-signature", "the key that the connection names has not signed its challenge")
        self.desk.connections.proven(peer, message.role, key)
        if message.role == "device":
            self.leases.seen(key)
        self.notices.welcome(peer, self.settings.seconds_per_tick, self.settings.round_ticks)
        if message.role == "watch":
            self.desk.connections.send(peer, self._shown(self.board.all()))

    def _ask(self, peer: Peer, message: messages.Ask) -> None:
        asked = opened(bytes(message.request), self.desk.market)
        blobs = {sha256(raw).hexdigest(): raw for raw in message.blobs.values()}
        if asked.kind == "order":
            check_requests(self.desk.models, read(ORDER, asked.content)["requests"], blobs, self.desk.ledger.blob)
        new = self.desk.ledger.perform(asked, blobs)
        number, _ = self.desk.ledger.head
        self.desk.connections.send(peer, messages.Done(message.id, asked.name, number))
        if not new and asked.kind == "order":
            for told in self.notices.ended(asked.name):
                self.desk.connections.send(peer, told)

    def _estimate(self, peer: Peer, message: messages.Estimate) -> None:
        blobs = {sha256(raw).hexdigest(): raw for raw in message.inputs.values()}
        self.desk.connections.send(peer, self.rounds.quote(message.id, message.requests, message.bid, blobs))

    def _fund(self, peer: Peer, message: messages.Fund) -> None:
        if not self.settings.faucet:
            raise Refusal("no-faucet", "this market gives nothing away")
        nonce = sha256(f"faucet {message.owner}".encode()).hexdigest()  # so that it is one deposit, asked however often
        content = {"owner": message.owner, "amount": str(self.settings.faucet), "nonce": nonce}
        made = self.desk.order_of("deposit", content)
        self.desk.connections.send(peer, messages.Done(message.id, made.name, self.desk.ledger.head[0]))

    def _tokens(self, peer: Peer, message: messages.Tokens) -> None:
        draft = self.desk.draft
        lease = find(draft, Lease, message.lease)
        if lease.device != peer.key:
            raise Refusal("not-the-device", f"{message.lease} is not a lease of {peer.key}")
        if not lease.audits and 0 <= message.request < len(lease.part):
            user = draft.fact("order", lease.order)["user"]
            part = lease.part[message.request]
            token = messages.Token(lease.order, message.lease, part, message.tokens, message.text)
            self.desk.connections.tell(user, token)

    def _suitable(self, peer: Peer) -> None:
        if peer.preflight is None:
            raise Refusal("no-preflight", "a device first says what it can hold")
        settings, desk = self.settings, self.desk
        psi = desk.offers.psi(peer.key)
        round_seconds, limit = (each * settings.seconds_per_tick for each in (settings.round_ticks, settings.limit))
        models = desk.models.values()
        desk.connections.send(peer, suitable(models, peer.preflight, peer.speeds, round_seconds, limit, psi))

    def _transcript(self, peer: Peer, message: messages.Transcript) -> None:
        held = self.disputes.find(message.claim)
        if held is None:
            raise Refusal("no-such-dispute", f"{message.claim} is no dispute that goes on")
        self.notices.turn(peer, message.claim, self.disputes.lease_of(message.claim), held, 0)
        peer.told[message.claim] = len(held.entries)

    # what watchers see

    def _show(self) -> None:
        self.desk.connections.send_all(self.desk.connections.watching(), self._shown(self.board.changes()))

    def _shown(self, parts: dict[str, Any]) -> messages.Board:
        number, head = self.desk.ledger.head
        return messages.Board(self.desk.tick, number, head, parts)

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
            self.leases.go_on(self._touched.popleft())

    def _done(self) -> list[Effect]:
        self._go_on()
        out = list(self.desk.out)
        self.desk.out.clear()
        return out
