"""A market in plain calls: a coordinator over a ledger in memory, devices and users that answer at once."""

from base64 import b64decode
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from experiments.marketplace import auctioneer, messages
from experiments.marketplace.coordinator import Coordinator
from experiments.marketplace.effects import Close, Compute, Explain, Send, Solve
from experiments.marketplace.models import SmallNumbers, computation_of, request_of, table
from experiments.marketplace.settings import Settings
from verification.dispute.dispute import Dispute
from verification.dispute.party import honest
from verification.encoding.canonical import digest
from verification.encoding.request import opened, request
from verification.encoding.signature import public, sign
from verification.ledger.store import Ledger
from verification.market.operations import OPERATIONS
from verification.market.rules import Rules
from verification.protocol import protocol
from verification.result import sign_result
from verification.trace import record

SECRET = b"secret"
RULES = Rules(window=20)
PURSE = 1_000_000
NUMBERS = (SmallNumbers(),)


def key_of(name):
    return Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest())


class Peer:
    """Somebody with an owner's key, and as a device with that one's; it remembers all that it is sent."""

    def __init__(self, town, name, role):
        self.town, self.name, self.role = town, name, role
        self.owner, self.device = key_of(f"owner {name}"), key_of(f"device {name}")
        self.connection, self.got, self.asked = None, [], 0

    @property
    def key(self):
        return self.device if self.role == "device" else self.owner

    def connect(self, origin="", seen=""):
        self.connection = self.town.connect(self, seen)
        challenge = self.got[-1]
        said = {"nonce": challenge.nonce, "origin": origin, "role": self.role}
        signature = sign(self.key, "hello", challenge.market, said)
        self.hello = messages.Hello(1, self.role, public(self.owner), public(self.device), origin, signature)
        self.send(self.hello)
        return self

    def send(self, message):
        self.town.receive(self.connection, messages.encode(message))

    def ask(self, kind, content, blobs=None, key=None):
        key = key or (self.device if kind in ("offer", "accept", "decline", "return", "result") else self.owner)
        asked = request(key, kind, self.town.market, content)
        self.asked += 1
        self.town.receive(self.connection, messages.ask(self.asked, asked, blobs))
        return asked

    def of(self, kind):
        return [message for message in self.got if isinstance(message, kind)]

    def last(self, kind):
        return self.of(kind)[-1]

    def take(self, message):
        self.got.append(message)


class Device(Peer):
    """Accepts every lease and computes it at once; ``change`` is what it makes of its traces."""

    def __init__(self, town, name):
        super().__init__(town, name, "device")
        self.change, self.accepts, self.computes, self.plays = (lambda trace: trace), True, True, True
        self.disputes, self.traces = {}, {}

    def take(self, message):
        super().take(message)
        if isinstance(message, messages.Lease):
            self.town.later.append(lambda: self.work(message))
        elif isinstance(message, messages.Turn):
            self.town.later.append(lambda: self.play(message))

    def work(self, lease):
        if lease.state == "offered" and self.accepts:
            self.ask("accept", {"lease": lease.lease})
        if self.accepts and self.computes and lease.state in ("offered", "held"):
            self.deliver(lease)

    def deliver(self, lease):
        trace = self.change(record(computation_of(self.town.models, lease.requests, lease.inputs)))
        self.traces[trace.tree.root.hex()] = trace
        asked, output = sign_result(self.device, self.town.market, lease.lease, trace)
        self.ask("result", asked.content, {sha256(output).hexdigest(): output})

    def play(self, turn):
        begin = opened(bytes(turn.begin), self.town.market)
        if turn.since == 0:
            [root] = {root for root in begin.content["roots"].values() if root in self.traces}
            self.disputes[turn.claim] = Dispute(self.traces[root].computation, begin), self.traces[root]
        dispute, trace = self.disputes[turn.claim]
        follow(dispute, turn.entries)
        if turn.role and self.plays:
            self.send(messages.Play(turn.claim, honest(self.device, trace)(dispute)))


def outcomes(peer):
    """How leases and orders of a peer's ended, in order."""
    return [final.outcome for final in peer.of(messages.Final)]


def follow(dispute, entries):
    for entry in entries:
        told = entry["record"]["content"]
        if told["event"] == "message":
            dispute.receive(b64decode(entry["message"]), told["tick"])
        elif told["event"] == "clock":
            dispute.tick(told["tick"])
        elif told["event"] == "deputy":
            dispute.replace_asserter(told["asserter"], told["tick"])
        else:
            dispute.forfeit()


class Killed(BaseException):
    """The coordinator ends after an event, whatever it was doing."""


class Town:
    """All of a market; its clock is moved by hand.

    ``kill_after`` says of an event whether the coordinator ends then.
    """

    def __init__(self, path=":memory:", rules=RULES, models=NUMBERS, audits=True, **settings):
        self.known, self.models, self.settings = list(models), table(models), Settings(**settings)
        self.key, self.path, self.now, self.number = key_of("coordinator"), path, 0.0, 0
        genesis = {"coordinator": public(self.key), "rules": rules.plain(), "protocol": protocol(128, 2, 96_000)}
        self.ledger = Ledger.create(path, self.key, genesis, OPERATIONS)
        self.peers, self.later, self.rounds = {}, [], []
        self.kill_after = lambda event: False
        self.start()
        if audits:
            self.offer_own()

    @property
    def market(self):
        return self.ledger.market

    def start(self):
        self.coordinator = Coordinator(self.ledger, self.key, SECRET, self.known, self.settings, self.now)
        fold = self.ledger.watch

        def watch(event):
            if self.kill_after(event):
                raise Killed
            fold(event)

        self.ledger.watch = watch
        self.do(self.coordinator.resumed)

    def again(self):
        """Another coordinator begins, perhaps more than once, and everybody comes back."""
        peers, self.peers = list(self.peers.values()), {}
        while True:
            try:
                self.start()
                break
            except Killed:
                continue
        for peer in peers:
            peer.connect()

    def call(self, what, *given):
        """Something of the coordinator's; where that ends it, another one begins, and everybody comes back."""
        try:
            effects = getattr(self.coordinator, what)(*given, self.now)
        except Killed:
            self.again()
        else:
            self.do(effects)

    def offer_own(self):
        models = [{"model": model.digest, "s": 16} for model in self.known]
        terms = {"models": models, "slots": 64, "cost": "1", "expiry": 2**32, "nonce": digest("own")}
        self.coordinator.desk.order_of("offer", terms)

    def connect(self, peer, origin=""):
        self.number += 1
        self.peers[self.number] = peer
        self.do(self.coordinator.opened(self.number, self.now, origin))
        return self.number

    def receive(self, connection, raw):
        self.call("receive", connection, raw)

    def do(self, effects):
        for effect in effects:
            match effect:
                case Send(connection, raw) if connection in self.peers:
                    self.peers[connection].take(messages.to_peer(raw))
                case Close(connection):
                    self.peers.pop(connection)
                case Solve():
                    self.rounds.append(effect)
                    answer = auctioneer.answer(effect)
                    self.later.append(lambda n=effect.round, a=answer: self.call("solved", n, a))
                case Explain():
                    self.last = effect
                case Compute(lease, computation):
                    trace = record(computation())
                    self.later.append(lambda n=lease, t=trace: self.call("computed", n, t))

    def settle(self):
        while self.later:
            self.later.pop(0)()

    def pass_time(self, ticks):
        self.settle()
        for _ in range(ticks):
            self.now += self.settings.seconds_per_tick
            self.call("tick")
            self.settle()

    def join(self, name, device=False, purse=PURSE, cost=500, s=16, slots=4):
        peer = (Device(self, name) if device else Peer(self, name, "user")).connect()
        peer.ask("register", {})
        nonce = digest(["purse", name])
        content = {"owner": public(peer.owner), "amount": str(purse), "nonce": nonce}
        self.coordinator.desk.order_of("deposit", content)
        if device:
            consent = sign(peer.device, "device", self.market, {"owner": public(peer.owner)})
            peer.ask("device", {"device": public(peer.device), "consent": consent})
            models = [{"model": model.digest, "s": s} for model in self.known]
            terms = {"models": models, "slots": slots, "cost": str(cost), "expiry": 10**6, "nonce": nonce}
            peer.ask("offer", terms)
        return peer

    def order(self, user, inputs=(4,), bid=2_000, patience=1_000, model=None, limit=3):
        model = model or self.known[0]
        blobs = {sha256(raw).hexdigest(): raw for raw in map(model.input, inputs)}
        requests = [request_of(model, name, limit=limit, seed=at) for at, name in enumerate(blobs)]
        terms = {"requests": requests, "bid": str(bid), "patience": patience, "unaudited": False}
        return user.ask("order", terms | {"nonce": digest(["order", user.asked])}, blobs)

    def open(self):
        facts = self.ledger.state.facts
        return [*facts.get("lease", {}), *facts.get("order", {})]

    def run(self, most=2_000):
        for _ in range(most):
            self.pass_time(1)
            if not self.open():
                return
        raise AssertionError(f"still open: {self.open()}")
