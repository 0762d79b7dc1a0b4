"""A market on which adversaries play: parties by name, their money, and what they ask of the ledger.

A party has an owner's key and a device's; what its device gives is a trace. ``coordinate`` says what an honest
coordinator does of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.adversaries.books import Books
from verification.adversaries.cast import (
    COORDINATOR,
    COST,
    LIMIT,
    PRICE,
    PROVIDER,
    PURSE,
    RULES,
    STRANGERS,
    TASK,
    USER,
    Party,
    key_of,
)
from verification.adversaries.corrupt_trace import flipped_bit
from verification.adversaries.terms import order_terms, secret_that, shape_terms
from verification.computation import Computation
from verification.dispute.party import Party as Player
from verification.dispute.record import Proceedings
from verification.dispute.state import Verdict
from verification.encoding.canonical import digest
from verification.encoding.request import Request, request
from verification.encoding.signature import public, sign
from verification.errors import Refusal
from verification.ledger.store import Ledger
from verification.market.accounts import rounded_up
from verification.market.operations import OPERATIONS
from verification.market.records import Lease, Offer, Result
from verification.market.rules import Rules
from verification.numbers import Numbers
from verification.protocol import protocol
from verification.result import sign_result
from verification.task import Task
from verification.trace import Trace, record


class Scene(Books):
    """A market with a user, a provider and three strangers who could audit, all with a purse; all are honest.

    Args:
        computation: what is ordered; its task, and its honest trace where that is at hand.
        name: of the coordinator's key, for a second market.
        own: whether the coordinator can run the model itself.
        keys: a key by a name.
    """

    def __init__(
        self,
        rules: Rules | None = None,
        *,
        computation: Computation | None = None,
        task: Task = TASK,
        right: Trace | None = None,
        strangers: Sequence[str] = STRANGERS,
        name: str = COORDINATOR,
        own: bool = True,
        keys: Callable[[str], Ed25519PrivateKey] = key_of,
        prompt_chunk: int = 128,
        path: Path | str = ":memory:",
    ) -> None:
        self.rules, self.task, self.key_of, self.prompt_chunk = rules or RULES, task, keys, prompt_chunk
        self.computation: Computation = computation or Numbers()
        self.right = right or record(self.computation)
        key = keys(name)
        self.parties = {COORDINATOR: Party(COORDINATOR, key, key, self.right)}
        self.keys = {public(key): COORDINATOR}
        self.signing = {public(key): key}
        self.traces = {self.right.tree.root.hex(): self.right}
        self.secrets: dict[int, str] = {}
        self.lists: dict[str, list[list[str]]] = {}
        self.sealed: dict[str, int] = {}
        self.results: dict[str, Request] = {}
        self.claims: dict[str, Request] = {}
        self.disputes: dict[str, Proceedings] = {}
        self.playing: dict[tuple[str, str], Player] = {}
        self.sent: set[tuple[str, int, str]] = set()
        self.decided: dict[str, Proceedings] = {}
        self.verdicts: list[tuple[str, Verdict]] = []
        self.requests = 0
        self.begin(path, key)
        self.join(USER, serves=False)
        for other in (PROVIDER, *strangers):
            self.join(other)
        if own:
            self.offer(COORDINATOR)

    def begin(self, path: Path | str, key: Ed25519PrivateKey) -> None:
        """Create the ledger."""
        made = protocol(self.prompt_chunk, self.rules.levels, self.rules.message_limit)
        genesis = {"coordinator": public(key), "rules": self.rules.plain(), "protocol": made}
        self.ledger = Ledger.create(path, key, genesis, OPERATIONS)

    # requests

    def perform(self, asked: Request, blobs: Mapping[str, bytes] | None = None) -> Request:
        """Hand a request to the ledger."""
        self.ledger.perform(asked, blobs)
        return asked

    def ask(self, name: str, kind: str, content: Any, blobs: Mapping[str, bytes] | None = None) -> Request:
        """A request by a party, signed by its device where a device's is due."""
        party = self.parties[name]
        key = party.device if kind in ("offer", "accept", "decline", "return", "result") else party.owner
        return self.perform(self.signed(key, kind, content), blobs)

    def signed(self, key: Ed25519PrivateKey, kind: str, content: Any) -> Request:
        """A content as a party signs it."""
        return request(key, kind, self.market, content)

    def order_of(self, kind: str, content: Any, blobs: Mapping[str, bytes] | None = None) -> Request:
        """A request by the coordinator."""
        return self.ask(COORDINATOR, kind, content, blobs)

    def nonce(self) -> str:
        self.requests += 1
        return f"{self.requests:064x}"

    def join(self, name: str, *, deposit: int = PURSE, cost: int = COST, serves: bool = True) -> Party:
        """A party with a purse, and where it ``serves`` a device and an offer for the computation."""
        party = Party(name, self.key_of(f"owner {name}"), self.key_of(f"device {name}"), self.right)
        self.parties[name] = party
        self.keys[party.key], self.signing[party.key] = name, party.owner
        self.ask(name, "register", {})
        if deposit:
            self.deposit(name, deposit)
        if serves:
            self.add_device(name, party.device)
            self.offer(name, cost=cost)
        return party

    def add_device(self, name: str, device: Ed25519PrivateKey) -> None:
        """A device of a party's, in place of the one that it used before."""
        party = self.parties[name]
        consent = sign(device, "device", self.market, {"owner": party.key})
        self.ask(name, "device", {"device": public(device), "consent": consent})
        party.device = device
        self.keys[public(device)], self.signing[public(device)] = name, device

    def deposit(self, name: str, amount: int) -> None:
        party = self.parties[name]
        self.order_of("deposit", {"owner": party.key, "amount": str(amount), "nonce": self.nonce()})
        party.deposited += amount

    def offer(self, name: str, *, cost: int = COST, slots: int = 64) -> None:
        models = [{"model": self.computation.digests["model"], "s": 16}]
        terms = {"models": models, "slots": slots, "cost": str(cost), "expiry": 2**32, "nonce": self.nonce()}
        self.ask(name, "offer", terms)

    def advance(self, ticks: int) -> None:
        """Let so many ticks pass."""
        while ticks > 0:
            step = min(ticks, max(1, self.rules.delta // 10))
            self.order_of("advance", {"since": self.tick, "ticks": step})
            ticks -= step

    def order(
        self,
        user: str = USER,
        *,
        price: int = PRICE,
        audit_price: int = 0,
        patience: int = LIMIT,
        unaudited: bool = False,
    ) -> str:
        """An order of one request, that pays the price and the fee on it, or on the audit price; its name."""
        bid = price + rounded_up(audit_price or price, self.rules.fee)
        terms = order_terms(self.computation, self.task, bid, patience, unaudited)
        return self.ask(user, "order", terms | {"nonce": self.nonce()}).name

    def terms(self, order: str, name: str, price: int = PRICE, audit_price: int = 0) -> dict[str, Any]:
        """Of a lease of an order to a party's device; three strangers or the coordinator could audit it."""
        device, number = public(self.parties[name].device), self.number
        terms: dict[str, Any] = {"order": order, "part": [0], "device": device, "price": str(price)}
        terms |= {"audit_price": str(audit_price or price), "limit": LIMIT, "number": number, "seal": self.seal(number)}
        others = (public(party.device) for party in self.parties.values() if party.name not in (name, COORDINATOR))
        auditors = list(islice((key for key in others if self.known(Offer, key)), 3))
        return terms | shape_terms(self.computation) | {"auditors": auditors}

    def lend(
        self,
        name: str = PROVIDER,
        *,
        user: str = USER,
        drawn: bool | None = None,
        price: int = PRICE,
        audit_price: int = 0,
        unaudited: bool = False,
    ) -> str:
        """A lease of a new order, accepted; the lease's name.

        Args:
            drawn: whether its result, as the device's trace gives it, is to be audited; None: as it happens.
            audit_price: the price where it is 0.
        """
        order = self.order(user, price=price, audit_price=audit_price, unaudited=unaudited)
        if drawn is not None:
            self.choose(name, drawn)
        terms = self.terms(order, name, price, audit_price)
        self.order_of("assign", {"leases": [terms]})
        self.ask(name, "accept", {"lease": terms["seal"]})
        return str(terms["seal"])

    def choose(self, name: str, wanted: bool) -> None:
        """A secret for the next lease under which a party's result is drawn, or is not."""
        party = self.parties[name]
        self.secrets[self.number] = secret_that(
            wanted, party.device, party.trace, self.market, self.number, self.rules.audit
        )

    def deliver(self, lease: str) -> None:
        """The lease's device gives what its trace holds."""
        found = self.find(Lease, lease)
        party = self.party(found.device)
        trace = self.traces[self.find(Result, found.audits).root] if party.league and found.audits else party.trace
        signed, output = sign_result(party.device, self.market, lease, trace)
        self.commit(trace)
        self.results[lease] = self.perform(signed, {sha256(output).hexdigest(): output})

    def commit(self, trace: Trace) -> str:
        """Somebody stands by a trace; its root."""
        root = trace.tree.root.hex()
        self.traces[root] = trace
        return root

    def serve(self, name: str = PROVIDER, *, user: str = USER, drawn: bool | None = None, price: int = PRICE) -> str:
        """A lease with its result."""
        lease = self.lend(name, user=user, drawn=drawn, price=price)
        self.deliver(lease)
        return lease

    def publish(self, lease: str) -> None:
        self.order_of("publish", {"lease": lease, "secret": self.secret(self.find(Lease, lease).number)})

    def claim(self, name: str, lease: str, trace: Trace, *, bond: int = 0) -> str:
        """A party claims that a trace is right; the claim's name."""
        root, key = self.commit(trace), self.parties[name].key
        terms = {"lease": lease, "header": digest(self.results[lease].content["header"]), "root": root}
        bond = bond or self.rules.bond_prices * self.find(Lease, lease).price
        claim = self.ask(name, "claim", terms | {"bond": str(bond), "challenger": key})
        self.claims[claim.name] = claim
        return claim.name

    def refused(self, name: str, kind: str, content: Any, blobs: Mapping[str, bytes] | None = None) -> str:
        """Why the ledger refuses a party's request; "" where it does not."""
        before = self.ledger.head
        try:
            self.ask(name, kind, content, blobs)
        except Refusal as refusal:
            assert self.ledger.head == before
            return refusal.reason
        return ""


def wrong(scene: Scene, seed: int = 0) -> Trace:
    """A trace that is not the task's."""
    return flipped_bit(scene.right.copy(), np.random.default_rng(seed))
