"""A small market in memory, and what its parties ask of it; results are of three nodes."""

import hmac
from hashlib import sha256

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.encoding.request import request
from verification.encoding.schema import proof_text
from verification.encoding.signature import public, sign
from verification.ledger.state import BURNT, FUND, Draft
from verification.ledger.store import Ledger
from verification.market import draws, operations
from verification.market.accounts import free
from verification.market.falls import overturn, uphold
from verification.market.records import Lease, Offer, Result, find
from verification.market.rules import Rules
from verification.merkle import Tree, leaf_digests, node_digest

MODEL = "ab" * 32
INPUT, GRAPH, LAYOUTS = "ef" * 32, "cd" * 32, "12" * 32
ASKED = {"model": MODEL, "input": INPUT, "limit": 16, "temperature": 0, "seed": "7"}
NODES, ROWS, WORDS = 3, 1, 4
LIMIT = 100
OTHER = {"asserter": "challenger", "challenger": "asserter"}


def judge(draft, asked):
    """{claim, right}: the end of its dispute."""
    (overturn if asked.content["right"] else uphold)(draft, asked.content["claim"])


OPERATIONS = operations.OPERATIONS | {"test judge": judge}


def key_of(name: str) -> Ed25519PrivateKey:
    """A key by name."""
    return Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest())


def answer(value: int) -> tuple[str, bytes, str]:
    """Root, output and path of a computation that gave ``value``."""
    words = np.full((ROWS, WORDS), value, "<i4")
    node = node_digest(ROWS, WORDS, Tree(b"".join(leaf_digests(words))).root)
    tree = Tree(sha256(b"0").digest() + sha256(b"1").digest() + node)
    return tree.root.hex(), words.tobytes(), proof_text(tree.path(NODES - 1))


class Requesting:
    """The ledger, and what its coordinator and parties would do; a request by its kind and content."""

    def __init__(
        self, path=":memory:", *, owners: int = 5, deposit: int = 1_000_000, cost: int = 500, audit=True, **rules
    ):
        self.rules = Rules(**rules)
        self.coordinator = key_of("coordinator")
        self.keys = {public(self.coordinator): self.coordinator}
        content = {"coordinator": public(self.coordinator), "rules": self.rules.plain(), "protocol": "0" * 64}
        self.ledger = Ledger.create(path, self.coordinator, content, OPERATIONS)
        self.requests, self.secrets, self.sealed, self.lists = 0, {}, {}, {}
        self.misnamed = set()
        self.user = self.owner("user", deposit)
        self.owners = [self.owner(f"owner {number}", deposit) for number in range(owners)]
        self.devices = [self.device(owner, f"device {number}") for number, owner in enumerate(self.owners)]
        for device in self.devices:
            self.offer(device, cost=cost)
        if audit:
            self.offer(public(self.coordinator), cost=cost)

    # what is known

    answer = staticmethod(answer)

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
        self.requests += 1
        return f"{self.requests:064x}"

    def secret(self, number: int) -> str:
        return self.secrets.get(number) or hmac.new(b"coordinator's", f"{number}".encode(), sha256).hexdigest()

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

    def order(
        self, *, user=None, requests: int = 1, bid: int = 2_000, patience: int = 1_000, unaudited=False, **changed
    ) -> str:
        content = {
            "requests": [ASKED | changed] * requests,
            "bid": str(bid),
            "patience": patience,
            "unaudited": unaudited,
        }
        return self.ask(user or self.user, "order", content | {"nonce": self.nonce()})

    def terms(self, order: str, device: str, *, price: int = 1_000, part=(0,), **others) -> dict:
        """Of a lease, as ``assign`` has them."""
        number = others.pop("number", self.number)
        cost = self.find(Offer, device).cost if device in self.names("offer") else 0
        others = {"audit_price": str(max(price, cost))} | others
        terms = {"order": order, "part": list(part), "device": device, "price": str(price)}
        terms |= {"graph": GRAPH, "layouts": LAYOUTS}
        terms |= {"limit": LIMIT, "nodes": NODES, "rows": ROWS, "words": WORDS, "number": number}
        return terms | {"seal": self.seal(number), "auditors": []} | others

    def assign(self, order: str, device: str, **terms) -> str:
        """Lease (part of) an order to a device; the lease's name."""
        terms = self.terms(order, device, **terms)
        self.order_of("assign", {"leases": [terms]})
        return terms["seal"]

    def accept(self, lease: str) -> None:
        self.ask(self.lease(lease).device, "accept", {"lease": lease})

    def lend(self, device: str, *, order=None, **terms) -> str:
        """A lease of an order, a new one if none is given, accepted."""
        lease = self.assign(order or self.order(), device, **terms)
        self.accept(lease)
        return lease

    def result_of(self, lease: str, device: str, value: int, /, **changed) -> tuple[dict, bytes]:
        """The content of a result, and its output."""
        root, output, path = answer(value)
        header = {"market": self.ledger.market, "lease": lease, "root": root, "provider": device}
        return {"header": header | changed, "output": sha256(output).hexdigest(), "path": path}, output

    def result(self, lease: str, value: int = 1, /, *, party=None, **changed) -> None:
        device = self.lease(lease).device
        content, output = self.result_of(lease, device, value, **changed)
        self.ask(party or device, "result", content, {content["output"]: output})

    def publish(self, lease: str) -> None:
        self.order_of("publish", {"lease": lease, "secret": self.secret(self.lease(lease).number)})

    def drawn(self, lease: str) -> bool:
        signed = self.find(Result, lease).signed
        return draws.drawn(self.secret(self.lease(lease).number), signed, self.rules.audit)

    def final(self, lease: str) -> None:
        self.order_of("final", {"lease": lease})
