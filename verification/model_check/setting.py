"""A market in which a result has just come, made by the market's own operations: who is there, and what they know.

Time stands still at one tick. A deadline is before it or is not: which ones pass, and in which order, is explored.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from hashlib import sha256
from itertools import count
from typing import Any

import numpy as np

from verification.encoding.canonical import canonical, digest
from verification.encoding.request import Request
from verification.encoding.signature import sign
from verification.ledger.event import Event
from verification.ledger.operations import GENESIS, event_of
from verification.ledger.state import State
from verification.market.draws import drawn, lots
from verification.market.leases import computation_of
from verification.market.operations import OPERATIONS
from verification.market.rules import Rules
from verification.merkle import leaf_digest, node_digest
from verification.model_check.commitments import Commitment
from verification.model_check.parties import key_of, name_of
from verification.model_check.world import DEPOSIT

TICK = 10**6
"""At which everything happens."""
PRICE, LIMIT = 1_000, 10
MODEL, DIGEST = "a" * 64, "d" * 64
ASKED: dict[str, Any] = {"model": MODEL, "input": DIGEST, "limit": 1, "temperature": 0, "seed": "0"}
COMPUTATION = computation_of([ASKED], DIGEST)
RULES = Rules(delta=10, window=100, levels=1, fee=Fraction(11, 50))
HEADS = tuple(sha256(b"%d" % number).hexdigest() for number in range(16))
"""Digests of the event before: lots for deputies are drawn by them."""
CHALLENGERS = ("challenger 1", "challenger 2")
HELPERS = ("helper 1", "helper 2", "helper 3")


@dataclass(frozen=True)
class Roles:
    """Who is there besides asserter, user and coordinator."""

    challengers: int = 0
    helpers: int = 0
    """Owners with a device each: they are drawn as verifiers and as deputies."""
    coordinator: bool = False
    """Whether the coordinator can compute the model itself."""
    audit: str = ""
    """drawn: the result is; bought: the user may buy an audit; "": neither."""
    voids: bool = True
    """Whether the referee's code may fail."""


ROLES = {
    "two challengers": Roles(challengers=2),
    "verifier": Roles(challengers=1, helpers=1, audit="drawn"),
    "verifier, bought": Roles(challengers=1, helpers=1, audit="bought"),
    "deputy": Roles(challengers=1, helpers=1),
    "coordinator": Roles(challengers=1, coordinator=True, audit="drawn"),
    "all": Roles(challengers=2, helpers=2, audit="drawn", voids=False),
}
"""What is explored, by name; of helpers any may be verifier and deputy, of one result even both."""


@dataclass
class Setting:
    """A market with these roles, whose asserter has committed."""

    roles: Roles
    asserter: Commitment
    others: Sequence[Commitment]
    """What others can commit to."""
    secrets: dict[str, str] = field(default_factory=dict)
    """By seal."""
    lists: dict[str, bytes] = field(default_factory=dict)
    """Of who could audit, by digest."""

    @property
    def challengers(self) -> Sequence[str]:
        return CHALLENGERS[: self.roles.challengers]

    @property
    def helpers(self) -> Sequence[str]:
        return HELPERS[: self.roles.helpers]

    @cached_property
    def owners(self) -> dict[str, str]:
        """Names, by owner's key."""
        names = ("coordinator", "asserter", *self.challengers, *self.helpers)
        return {name_of(name): name for name in names}

    @cached_property
    def players(self) -> dict[str, str]:
        """Names, by the key that plays."""
        devices = {name_of(device_of(name)): name for name in ("asserter", *self.helpers)}
        return self.owners | devices

    @cached_property
    def again(self) -> dict[tuple[str, str], str]:
        """The leases of those who may compute it again, by kind, audit or deputize, and name."""
        names = ("coordinator", *self.helpers)
        return {(kind, name): self.sealed(digest([kind, name])) for kind in ("audit", "deputize") for name in names}

    @cached_property
    def works(self) -> dict[str, list[str]]:
        """Under which subjects it is known what a party has committed to, by name."""
        works = {name: [name] for name in ("user", *self.challengers)}
        for (_, name), lease in self.again.items():
            works.setdefault(name, []).append(lease)
        return works

    @cached_property
    def alike(self) -> list[int]:
        """Of each commitment, the first whose being right, and whose having the asserter's root, are the same."""
        sides = [(each.right, bool(each.play)) for each in self.others]
        return [sides.index(side) for side in sides]

    def ask(self, party: str, kind: str, content: Any, market: str | None = None) -> Request:
        """A request; nothing here looks at its signature."""
        return Request(kind, name_of(party), content, "", self.market if market is None else market)

    @cached_property
    def begun(self) -> Request:
        """The market's genesis."""
        return self.ask(
            "coordinator",
            GENESIS,
            {"coordinator": name_of("coordinator"), "rules": RULES.plain(), "protocol": DIGEST},
            "",
        )

    @cached_property
    def market(self) -> str:
        return event_of(State(), self.begun, OPERATIONS, {}, _nothing).digest

    def word(self, commitment: Commitment) -> int:
        """What stands for a trace in the market, which sees no more of it than a root: the root of a node of one word,
        0 of the right one, the asserter's of those that do not differ from it, else its own."""
        if commitment.right_root:
            return 0
        return 2 + self.others.index(commitment) if commitment.play else 1

    def root(self, commitment: Commitment) -> str:
        """Its root."""
        return node_digest(1, 1, leaf_digest(np.array([self.word(commitment)], np.int32))).hex()

    def result(self, lease: str, party: str, commitment: Commitment) -> tuple[Request, dict[str, bytes]]:
        """A result on a lease, with its output."""
        output: bytes = np.array([self.word(commitment)], "<i4").tobytes()
        header = {"market": self.market, "lease": lease, "root": self.root(commitment), "provider": name_of(party)}
        name = sha256(output).hexdigest()
        content = {"header": header, "output": name, "path": ""}
        return self.ask(party, "result", content), {name: output}

    @cached_property
    def lease(self) -> str:
        """The name of the asserter's lease: its result is drawn or not, as the roles say, and the first helper is drawn
        first: helpers are alike."""
        for number in count():
            secret = digest(["draw", number])
            lease = self.sealed(secret)
            signed = sha256(self.result(lease, "asserter's device", self.asserter)[0].raw).hexdigest()
            weights = [(owner, DEPOSIT) for owner in sorted(map(name_of, self.helpers))]
            first = lots(secret, signed, weights, 1) == [name_of(HELPERS[0])] * bool(weights)
            if first and drawn(secret, signed, RULES.audit) == (self.roles.audit == "drawn"):
                return lease
        raise AssertionError

    def sealed(self, secret: str) -> str:
        """The seal of a secret, which is kept."""
        seal = sha256(bytes.fromhex(secret)).hexdigest()
        self.secrets[seal] = secret
        return seal

    def start(self) -> State:
        """The state when the result has come."""
        state = State()
        for request in self._requests():
            given: dict[str, bytes] = {}
            if request.kind == "result":
                _, given = self.result(self.lease, "asserter's device", self.asserter)
            made = event(state, request, given)
            state.apply(made.moves, made.facts, made.tick)
            state.market, state.tick = self.market, TICK
        state.check()
        state.number, state.facts["count"] = 0, {"number": 0}
        return state

    def _requests(self) -> Sequence[Request]:
        asks, none = [self.begun], "0" * 64
        devices = ("asserter", *self.helpers)
        for name in ("user", *devices, *self.challengers):
            asks.append(self.ask(name, "register", {}))
            terms: dict[str, Any] = {"owner": name_of(name), "amount": str(DEPOSIT), "nonce": digest(name)}
            asks.append(self.ask("coordinator", "deposit", terms))
        for name in devices:
            device = device_of(name)
            consent = sign(key_of(device), "device", self.market, {"owner": name_of(name)})
            asks.append(self.ask(name, "device", {"device": name_of(device), "consent": consent}))
        offer: dict[str, Any] = {
            "models": [{"model": MODEL, "s": 1}],
            "slots": 4,
            "cost": str(PRICE),
            "expiry": 10**6,
            "nonce": none,
        }
        able = ["coordinator"] if self.roles.coordinator else []
        asks += [self.ask(party, "offer", offer) for party in [*map(device_of, devices), *able]]
        terms = {"requests": [ASKED], "bid": str(2 * PRICE), "patience": 10**6, "nonce": none}
        order = self.ask("user", "order", terms | {"unaudited": True})
        lease: dict[str, Any] = {
            "order": order.name,
            "part": [0],
            "device": name_of("asserter's device"),
            "price": str(PRICE),
            "audit_price": str(PRICE),
        }
        lease |= {"graph": DIGEST, "layouts": DIGEST, "limit": LIMIT, "nodes": 1, "rows": 1, "words": 1}
        lease |= {"number": 0, "seal": self.lease, "auditors": []}
        asks += [order, self.ask("coordinator", "assign", {"leases": [lease]})]
        asks.append(self.ask("asserter's device", "accept", {"lease": self.lease}))
        return [*asks, self.result(self.lease, "asserter's device", self.asserter)[0]]

    @cached_property
    def bought(self) -> list[str]:
        """Seals of secrets that draw helpers in different orders, for an audit that is bought."""
        signed = sha256(self.result(self.lease, "asserter's device", self.asserter)[0].raw).hexdigest()
        weights = [(owner, DEPOSIT) for owner in sorted(map(name_of, self.helpers))]
        found: dict[str, str] = {}
        for number in range(16):
            secret = digest(["bought", number])
            found.setdefault("".join(lots(secret, signed, weights, len(weights))), self.sealed(secret))
        return list(found.values())

    def listed(self, listing: list[list[str]]) -> str:
        """Keep a list of who could audit; its digest."""
        raw = canonical(listing)
        name = sha256(raw).hexdigest()
        self.lists[name] = raw
        return name


def device_of(owner: str) -> str:
    """The name of an owner's device."""
    return f"{owner}'s device"


def event(state: State, request: Request, given: dict[str, bytes], head: str = HEADS[0]) -> Event:
    """The event of a request, which says from its bytes, after a crash, what it said before.

    Raises:
        Refusal: what the operation refuses.
    """
    state.head = head if state.number >= 0 else ""
    made = event_of(state, request, OPERATIONS, given, _nothing)
    read = json.loads(made.raw)
    assert [tuple(fact) for fact in read["facts"]] == list(made.facts)
    assert [(source, target, int(amount)) for source, target, amount in read["moves"]] == list(made.moves)
    return made


def _nothing(digest: str) -> bytes | None:
    return None
