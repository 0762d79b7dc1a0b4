"""A small market in memory: an honest coordinator, owners with a device each, users; results are of three nodes."""

import hmac
from hashlib import sha256

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.encoding.canonical import canonical
from verification.encoding.request import request
from verification.encoding.schema import proof_text
from verification.encoding.signature import public, sign
from verification.ledger.state import BURNT, FUND, Draft
from verification.ledger.store import Ledger
from verification.market import audits, draws
from verification.market.accounts import free
from verification.market.leases import coordinator_could
from verification.market.operations import OPERATIONS
from verification.market.records import Audit, Claim, Device, Lease, Offer, Order, Result, find
from verification.market.rules import Rules
from verification.merkle import Tree, leaf_digests, node_digest

MODEL = "ab" * 32
SENT = "cd" * 32
NODES, ROWS, WORDS = 3, 1, 4
LIMIT = 100


def key_of(name: str) -> Ed25519PrivateKey:
    """A key by name."""
    return Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest())


def answer(value: int) -> tuple[str, bytes, str]:
    """Root, output and path of a computation that gave ``value``."""
    words = np.full((ROWS, WORDS), value, "<i4")
    node = node_digest(ROWS, WORDS, Tree(b"".join(leaf_digests(words))).root)
    tree = Tree(sha256(b"0").digest() + sha256(b"1").digest() + node)
    return tree.root.hex(), words.tobytes(), proof_text(tree.path(NODES - 1))


class Market:
    """The ledger, and what its coordinator and parties would do; a request by its kind and content."""

    def __init__(self, path=":memory:", *, owners: int = 5, deposit: int = 1_000_000, audit: bool = True, **rules):
        self.rules = Rules(**rules)
        self.coordinator = key_of("coordinator")
        self.keys = {public(self.coordinator): self.coordinator}
        content = {"coordinator": public(self.coordinator), "rules": self.rules.plain(), "protocol": "0" * 64}
        self.ledger = Ledger.create(path, self.coordinator, content, OPERATIONS)
        self.count = 0
        self.user = self.owner("user", deposit)
        self.owners = [self.owner(f"owner {number}", deposit) for number in range(owners)]
        self.devices = [self.device(owner, f"device {number}") for number, owner in enumerate(self.owners)]
        for device in self.devices:
            self.offer(device)
        if audit:
            self.offer(public(self.coordinator))

    # what is known

    @property
    def draft(self) -> Draft:
        return Draft(self.ledger.state, self.ledger.blob)

    @property
    def tick(self) -> int:
        return self.ledger.state.tick

    @property
    def number(self) -> int:
        return self.draft.fact("count", "number") or 0

    def balance(self, account: str) -> int:
        return self.draft.balance(account)

    def free(self, owner: str) -> int:
        return self.balance(free(owner))

    @property
    def fund(self) -> int:
        return self.balance(FUND)

    @property
    def burnt(self) -> int:
        return self.balance(BURNT)

    def find(self, record, name):
        return find(self.draft, record, name)

    def lease(self, name) -> Lease:
        return self.find(Lease, name)

    def names(self, kind: str) -> list[str]:
        return list(self.draft.subjects(kind))

    def nonce(self) -> str:
        self.count += 1
        return f"{self.count:064x}"

    def secret(self, number: int) -> str:
        return hmac.new(b"coordinator's", f"{number}".encode(), sha256).hexdigest()

    def seal(self, number: int) -> str:
        return sha256(bytes.fromhex(self.secret(number))).hexdigest()

    # requests

    def ask(self, party: str, kind: str, content, blobs=None) -> str:
        """Make a request; its name."""
        asked = request(self.keys[party], kind, self.ledger.market, content)
        self.ledger.perform(asked, blobs)
        return asked.name

    def order_of(self, kind: str, content, blobs=None) -> str:
        """A request of the coordinator's."""
        return self.ask(public(self.coordinator), kind, content, blobs)

    def key(self, name: str) -> str:
        key = key_of(name)
        self.keys[public(key)] = key
        return public(key)

    def owner(self, name: str, deposit: int = 0) -> str:
        owner = self.key(name)
        self.ask(owner, "register", {})
        if deposit:
            self.deposit(owner, deposit)
        return owner

    def deposit(self, owner: str, amount: int) -> None:
        self.order_of("deposit", {"owner": owner, "amount": str(amount), "nonce": self.nonce()})

    def consent(self, device: str, owner: str) -> str:
        return sign(self.keys[device], "device", self.ledger.market, {"owner": owner})

    def device(self, owner: str, name: str) -> str:
        device = self.key(name)
        self.ask(owner, "device", {"device": device, "consent": self.consent(device, owner)})
        return device

    def offer(self, device: str, *, cost: int = 500, slots: int = 4, expiry: int = 10**6, models=((MODEL, 10),)):
        models = [{"model": model, "s": s} for model, s in models]
        content = {"models": models, "slots": slots, "cost": str(cost), "expiry": expiry, "nonce": self.nonce()}
        self.ask(device, "offer", content)

    def advance(self, ticks: int = 1) -> None:
        """Let so many ticks pass."""
        while ticks > 0:
            step = min(ticks, max(1, self.rules.delta // 10))
            self.order_of("advance", {"since": self.tick, "ticks": step})
            ticks -= step

    def order(self, *, user=None, requests: int = 1, bid: int = 2_000, patience: int = 1_000, unaudited=False) -> str:
        part = {"model": MODEL, "input": "ef" * 32, "limit": 16, "temperature": 0, "seed": "7"}
        content = {"requests": [part] * requests, "bid": str(bid), "patience": patience, "unaudited": unaudited}
        return self.ask(user or self.user, "order", content | {"nonce": self.nonce()})

    def terms(self, order: str, device: str, *, price: int = 1_000, part=(0,), **others) -> dict:
        """Of a lease, as ``assign`` has them."""
        number = others.pop("number", self.number)
        terms = {"order": order, "part": list(part), "device": device, "price": str(price), "sent": SENT}
        terms |= {"limit": LIMIT, "nodes": NODES, "rows": ROWS, "words": WORDS, "number": number}
        return terms | {"seal": self.seal(number), "auditors": []} | others

    def assign(self, order: str, device: str, **terms) -> str:
        """Lease (part of) an order to a device; the lease's name."""
        terms = self.terms(order, device, **terms)
        self.order_of("assign", {"leases": [terms]})
        return terms["seal"]

    def accept(self, lease: str) -> None:
        self.ask(self.lease(lease).device, "accept", {"lease": lease})

    def lend(self, device: str, **terms) -> str:
        """A lease of a new order, accepted."""
        lease = self.assign(self.order(), device, **terms)
        self.accept(lease)
        return lease

    def result(self, lease: str, value: int = 1, *, party=None, **changed) -> None:
        root, output, path = answer(value)
        device = self.lease(lease).device
        header = {"market": self.ledger.market, "lease": lease, "root": root, "provider": device}
        content = {"header": header | changed, "output": sha256(output).hexdigest(), "path": path}
        self.ask(party or device, "result", content, {content["output"]: output})

    def publish(self, lease: str) -> None:
        self.order_of("publish", {"lease": lease, "secret": self.secret(self.lease(lease).number)})

    def drawn(self, lease: str) -> bool:
        signed = self.find(Result, lease).signed
        return draws.drawn(self.secret(self.lease(lease).number), signed, self.rules.audit)

    def final(self, lease: str) -> None:
        self.order_of("final", {"lease": lease})

    # what an honest coordinator does of its own

    def served(self, device: str, value: int = 1, *, drawn: bool, **terms) -> str:
        """A lease with a result that is drawn, or is not: the secret's number is one at which it is so."""
        while True:
            lease = self.lend(device, **terms)
            self.result(lease, value)
            if self.drawn(lease) == drawn:
                return lease
            self.drop(lease)

    def drop(self, lease: str) -> None:
        """Conclude an honest lease, to be rid of it."""
        if self.drawn(lease):
            self.conclude(lease)
        else:
            self.publish(lease)
        self.advance(self.rules.window + 1)
        verifiers = self.find(Result, lease).confirmed
        self.final(lease)
        for verifier in verifiers:
            self.final(verifier)

    def lots(self, lease: str, many: int) -> list[str]:
        """The first owners that are to be drawn."""
        audit, found = self.find(Audit, lease), self.lease(lease)
        weights = [(owner, int(weight)) for owner, weight in self.list_of(found)]
        number = self.seals.get(audit.seal, found.number) if hasattr(self, "seals") else found.number
        return draws.lots(self.secret(number), self.find(Result, lease).signed, weights, many)

    def list_of(self, lease: Lease) -> list[list[str]]:
        return audits.listing(self.draft, lease)

    def could(self) -> bool:
        return coordinator_could(self.draft, [MODEL])

    def conclude(self, lease: str, value: int = 1) -> str:
        """Audit a result to its end; the verifier's lease."""
        weights = self.list_of(self.lease(lease))
        verifier = self.audit(lease)
        if self.lease(verifier).state == "offered":
            self.accept(verifier)
        self.result(verifier, value)
        self.reveal(lease, weights)
        return verifier

    def audit(self, lease: str) -> str:
        """Draw the first lot of a result and lease its audit; the verifier's lease, offered or held."""
        found, coordinator = self.lease(lease), public(self.coordinator)
        weights = self.list_of(found)
        secret, signed = self.secret(found.number), self.find(Result, lease).signed
        owner = coordinator
        if len(weights) >= 3:
            (owner,) = draws.lots(secret, signed, [(owner, int(weight)) for owner, weight in weights], 1)
        self.order_of("lot", {"lease": lease, "owner": owner})
        return self.verifier(lease)

    def verifier(self, lease: str) -> str:
        """Lease an audit to the first device of the owner whose lot it is."""
        owner, number = self.find(Audit, lease).lots[-1], self.number
        device = next(key for key in self.names("device") if self.find(Device, key).owner == owner)
        self.order_of("audit", {"lease": lease, "device": device, "number": number, "seal": self.seal(number)})
        return self.seal(number)

    def reveal(self, lease: str, weights=None) -> None:
        listed = self.find(Audit, lease).listed
        number = self.lease(lease).number
        if weights and any(owner != public(self.coordinator) for owner in self.find(Audit, lease).lots):
            content = {"lease": lease, "secret": self.secret(number), "list": listed}
            self.order_of("reveal", content, {listed: canonical(weights)})
        else:
            self.order_of("reveal", {"lease": lease, "secret": self.secret(number), "list": None})


@pytest.fixture(scope="session")
def make_market():
    """A market of any rules."""
    return Market


@pytest.fixture
def market():
    """A market of the default rules: a user and five owners with a device each, all of a million free."""
    return Market()


@pytest.fixture(scope="session")
def records():
    """The classes of what the ledger knows."""
    return {kind.__name__.lower(): kind for kind in (Audit, Claim, Device, Lease, Offer, Order, Result)}
