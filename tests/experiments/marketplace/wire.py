"""A market in plain calls whose parties are those that run live, and whose connections can be cut at any message."""

from hashlib import sha256

from town import Town, key_of

from experiments.marketplace.customer import Check, Customer
from experiments.marketplace.device import Compute, Device
from experiments.marketplace.messages import Ask, Play, Preflight, encode, from_peer
from experiments.marketplace.models import computation_of, request_of
from verification.ledger.store import Ledger
from verification.market.operations import OPERATIONS
from verification.trace import record

PURSE = 1_000_000


class Party:
    """A device or a user; what is under way on a connection that is cut is lost."""

    def __init__(self, town, name, made, change=lambda trace: trace):
        self.town, self.name, self.made, self.change = town, name, made, change
        self.party, self.connection = made(), 0
        self.claims = lambda shown: []

    @property
    def key(self):
        return self.party.name

    def connect(self):
        self.party.reopened()
        self.connection = self.town.number + 1
        self.town.connect(self)

    def restart(self):
        """It has lost all that it held in memory."""
        self.party = self.made()
        self.connect()

    def take(self, message):
        self.town.later.append(lambda at=self.connection: self.hear(at, message))

    def hear(self, connection, message):
        if connection == self.connection:
            self.do(self.party.receive(encode(message), self.town.now))

    def do(self, effects):
        for effect in effects:
            match effect:
                case bytes():
                    self.town.later.append(lambda at=self.connection, raw=effect: self.town.receive(at, raw))
                case Compute(lease):
                    trace = self.change(record(computation_of(self.town.models, lease.requests, lease.inputs)))
                    self.town.later.append(lambda n=lease.lease, t=trace: self.do(self.party.computed(n, t)))
                case Check(shown):
                    self.do(self.claims(shown))


class Wire(Town):
    """A market whose lines are cut.

    Args:
        lose: what is cut each time that somebody sends a new message of a dispute, which is lost; or "asks": whoever
            asks for anything new, which is lost.
        hide: what is cut after each that was taken, before anybody is told.
    """

    def __init__(self, path, *, lose="", hide="", **options):
        self.lose, self.hide, self.lost, self.cuts, self.parties = lose, hide, set(), 0, {}
        super().__init__(path, **options)

    def start(self):
        if self.ledger.head[0]:
            self.ledger.__exit__()
            self.ledger = Ledger(self.path, OPERATIONS, durable=False)
        super().start()

    def device(self, name, cost, change=lambda trace: trace):
        def made():
            device = Device(key_of(f"owner {name}"), key_of(f"device {name}"), PREFLIGHT, cost=cost, slots=4)
            device.s = {self.known[0].digest: 16}
            return device

        return self._joined(name, made, change)

    def user(self, name):
        return self._joined(name, lambda: Customer(key_of(f"owner {name}")))

    def _joined(self, name, made, change=lambda trace: trace):
        found = self.parties[name] = Party(self, name, made, change)
        found.connect()
        self.settle()
        terms = {
            "owner": found.party.session.owner_name,
            "amount": str(PURSE),
            "nonce": sha256(name.encode()).hexdigest(),
        }
        self.coordinator.desk.order_of("deposit", terms)
        return found

    def ordered(self, user, given=4, bid=6_000):
        raw = self.known[0].input(given)
        name = sha256(raw).hexdigest()
        order, effects = user.party.order(
            [request_of(self.known[0], name, limit=3)], {name: raw}, bid=bid, patience=1_000
        )
        user.do(effects)
        return order

    def receive(self, connection, raw):
        if connection not in self.peers:
            return
        message = from_peer(raw)
        if isinstance(message, Play) and message.raw not in self.lost and self.loses(connection):
            self.lost.add(message.raw)
            self.cut(self.lose)
        elif self.lose == "asks" and isinstance(message, Ask) and self.once(bytes(message.request)):
            self.cuts += 1
            party = self.peers.pop(connection)
            self.do(self.coordinator.closed(connection, self.now))
            party.connect()
        else:
            super().receive(connection, raw)

    def once(self, asked):
        """Whether something is asked for the first time that is the same when it is asked again."""
        new = asked not in self.lost and b'"kind":"offer"' not in asked
        self.lost.add(asked)
        return new

    def loses(self, connection):
        """Whether what comes by a connection is lost: it is cut, or the coordinator is killed."""
        sender = self.peers[connection].key
        return self.lose == "coordinator" or sender == self.dispute().get(self.lose.partition(" ")[0])

    def dispute(self):
        """That goes on, or went on last, as the ledger has it."""
        for found in self.ledger.state.facts.get("dispute", {}).values():
            self.last_dispute = found
        return self.last_dispute

    def call(self, what, *given):
        last = self.ledger.head[0]
        effects = getattr(self.coordinator, what)(*given, self.now)
        if self.hide and any(event.request.kind == "play" for event in self.ledger.events(last + 1)):
            self.cut(self.hide)
            if self.hide == "coordinator":
                return
        self.do(effects)

    def cut(self, what):
        """The connection of a party of a dispute, or the coordinator, which begins again from its file."""
        self.cuts += 1
        if what == "coordinator":
            self.peers.clear()
            self.start()
            for party in self.parties.values():
                party.connect()
            return
        dispute = self.dispute()
        for role in ("asserter", "challenger"):
            if what in (role, f"{role} restarts"):
                party = next(party for party in self.parties.values() if party.key == dispute[role])
                self.peers.pop(party.connection, None)
                self.do(self.coordinator.closed(party.connection, self.now))
                party.restart() if what.endswith("restarts") else party.connect()


PREFLIGHT = Preflight(adapter="test", memory=2**30)
