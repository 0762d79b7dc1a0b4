"""What a peer asks of the coordinator: each message is done or refused, and changes nothing else."""

from hashlib import sha256
from typing import Any

from msgspec import structs

from experiments.marketplace import messages
from experiments.marketplace.board import Board
from experiments.marketplace.connections import Peer
from experiments.marketplace.desk import Desk
from experiments.marketplace.disputes import Disputes
from experiments.marketplace.leases import Leases
from experiments.marketplace.messages import FromPeer
from experiments.marketplace.notices import Notices
from experiments.marketplace.orders import check_bid, check_requests
from experiments.marketplace.rounds import Rounds
from experiments.marketplace.settings import Settings
from experiments.marketplace.suitability import suitable
from verification.encoding.request import opened
from verification.encoding.schema import read
from verification.encoding.signature import signed
from verification.errors import Refusal
from verification.market.accounts import free
from verification.market.orders import ORDER
from verification.market.records import Lease, find, in_state

MOST_TEXT = 256
"""Characters of a token, at most."""


class Reception:
    """Where messages of peers are taken."""

    def __init__(
        self,
        desk: Desk,
        settings: Settings,
        notices: Notices,
        disputes: Disputes,
        leases: Leases,
        board: Board,
        rounds: Rounds,
    ) -> None:
        self._desk, self._settings, self._notices, self._disputes = desk, settings, notices, disputes
        self._leases, self._board, self._rounds = leases, board, rounds

    def take(self, peer: Peer, message: FromPeer) -> None:
        """Do what a message asks for.

        Raises:
            Refusal: for what nothing is done.
        """
        if isinstance(message, messages.Hello):
            return self._hello(peer, message)
        if peer.role is None:
            raise Refusal("no-hello", "a connection first says whose it is")
        if peer.role == "device":
            self._leases.seen(peer.key)
        match message:
            case messages.Ask():
                self._ask(peer, message)
            case messages.Play():
                self._disputes.receive(message.claim, message.raw)
            case messages.Fund():
                self._fund(peer, message)
            case messages.Heart():
                self._board.progressed(peer.key, message.leases)
            case messages.Tokens():
                self._tokens(peer, message)
            case messages.Estimate():
                self._desk.connections.question(peer)
                self._estimate(peer, message)
            case messages.Transcript():
                self._desk.connections.question(peer)
                self._transcript(peer, message)
            case messages.Preflight():
                peer.preflight = message
                self._suitable(peer)
            case messages.Benchmark():
                self._named(message.model)
                peer.speeds[message.model] = message.macs_per_second
                self._suitable(peer)
        return None

    def _hello(self, peer: Peer, message: messages.Hello) -> None:
        if peer.role is not None:
            raise Refusal("second-hello", "a connection says once whose it is")
        if message.version != messages.VERSION:
            raise Refusal("other-version", f"version {message.version}; this market speaks {messages.VERSION}")
        if message.origin != peer.origin:
            raise Refusal("other-origin", "the page is of another origin than the connection")
        key = {"device": message.device, "user": message.owner, "watch": ""}[message.role]
        said = {"nonce": peer.nonce, "origin": message.origin, "role": message.role}
        if message.role != "watch" and not signed(key, messages.HELLO, self._desk.market, said, message.signature):
            raise Refusal("wrong-signature", "the key that the connection names has not signed its challenge")
        self._desk.connections.proven(peer, message.role, key)
        if message.role == "device":
            self._leases.seen(key)
        self._notices.welcome(peer, self._settings.seconds_per_tick, self._settings.round_ticks)
        if message.role == "watch":
            self._desk.connections.send(peer, self.shown(self._board.all()))

    def _ask(self, peer: Peer, message: messages.Ask) -> None:
        asked = opened(bytes(message.request), self._desk.market)
        blobs = {sha256(raw).hexdigest(): raw for raw in message.blobs.values()}
        if asked.kind == "order" and not self._desk.ledger.performed(asked):
            order = read(ORDER, asked.content)
            check_requests(self._desk.models, order["requests"], blobs)
            check_bid(order["requests"], order["bid"])
        new = self._desk.ledger.perform(asked, blobs)
        number, _ = self._desk.ledger.head
        self._desk.connections.send(peer, messages.Done(message.id, asked.name, number))
        if not new and asked.kind == "order" and asked.party == peer.key:
            for told in self._notices.ended(asked.name):
                self._desk.connections.send(peer, told)

    def _estimate(self, peer: Peer, message: messages.Estimate) -> None:
        blobs = {sha256(raw).hexdigest(): raw for raw in message.inputs.values()}
        quote = self._rounds.quote(message.id, message.requests, message.bid, blobs)
        own = self._desk.draft.balance(free(peer.key))
        if quote.price is not None and own < int(message.bid):
            quote = structs.replace(quote, reason=f"you have {own} micro-tokens, less than it bids")
        self._desk.connections.send(peer, quote)

    def _fund(self, peer: Peer, message: messages.Fund) -> None:
        if not self._settings.faucet:
            raise Refusal("no-faucet", "this market gives nothing away")
        nonce = sha256(f"faucet {message.owner}".encode()).hexdigest()  # so that it is one deposit, asked however often
        content = {"owner": message.owner, "amount": str(self._settings.faucet), "nonce": nonce}
        made = self._desk.order_of("deposit", content)
        self._desk.connections.send(peer, messages.Done(message.id, made.name, self._desk.ledger.head[0]))

    def _tokens(self, peer: Peer, message: messages.Tokens) -> None:
        draft = self._desk.draft
        lease = find(draft, Lease, message.lease)
        if lease.device != peer.key:
            raise Refusal("not-the-device", f"{message.lease} is not a lease of {peer.key}")
        in_state(lease, message.lease, "held")  # what its result has come of tells its output alone
        if not lease.audits and 0 <= message.request < len(lease.part):
            order, part = draft.fact("order", lease.order), lease.part[message.request]
            user, limit = order["user"], order["requests"][part]["limit"]
            if len(message.tokens) > limit or len(message.text) > MOST_TEXT * limit:
                raise Refusal("oversized", f"{message.lease}: at most {limit} tokens were asked for")
            token = messages.Token(lease.order, message.lease, part, message.tokens, message.text)
            self._desk.connections.tell(user, token)

    def _named(self, name: str) -> None:
        if name not in (names := sorted(model.name for model in self._desk.models.values())):
            raise Refusal("unknown-model", f"no model {name[:64]} is traded here; {', '.join(names)} are")

    def _suitable(self, peer: Peer) -> None:
        if peer.preflight is None:
            raise Refusal("no-preflight", "a device first says what it can hold")
        settings, desk = self._settings, self._desk
        psi = desk.offers.psi(peer.key)
        round_seconds, limit = (each * settings.seconds_per_tick for each in (settings.round_ticks, settings.limit))
        models = desk.models.values()
        desk.connections.send(peer, suitable(models, peer.preflight, peer.speeds, round_seconds, limit, psi))

    def _transcript(self, peer: Peer, message: messages.Transcript) -> None:
        held = self._disputes.find(message.claim)
        if held is None:
            raise Refusal("no-such-dispute", f"{message.claim} is no dispute that goes on")
        self._notices.turn(peer, message.claim, self._disputes.lease_of(message.claim), held, 0)
        peer.told[message.claim] = len(held.entries)

    def shown(self, parts: dict[str, Any]) -> messages.Board:
        """Parts of the board, as watchers are sent them."""
        number, head = self._desk.ledger.head
        return messages.Board(self._desk.tick, number, head, parts)
