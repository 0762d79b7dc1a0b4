"""A small market in memory: an honest coordinator, owners with a device each, users; results are of three nodes."""

import hmac
from contextlib import suppress
from hashlib import sha256
from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.dispute.dispute import identity
from verification.encoding.canonical import canonical
from verification.encoding.request import request
from verification.encoding.schema import proof_text
from verification.encoding.signature import public, sign
from verification.errors import Refusal
from verification.ledger.state import BURNT, FUND, Draft
from verification.ledger.store import Ledger
from verification.market import auditors, draws, operations
from verification.market.accounts import free
from verification.market.falls import overturn, uphold
from verification.market.leases import ENOUGH, coordinator_could
from verification.market.records import Audit, Claim, Deputies, Device, Dispute, Lease, Offer, Order, Result, find
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


class Market:
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

    # what an honest coordinator does of its own

    def served(self, device: str, value: int = 1, *, drawn: bool = False, order=None, **terms) -> str:
        """A lease with a result that is drawn, or is not: its secret is one of which this is so."""
        for attempt in count():
            number = self.number
            secret = self.secrets[number] = hmac.new(b"another", f"{number} {attempt}".encode(), sha256).hexdigest()
            content, _ = self.result_of(self.seal(number), device, value)
            signed = sha256(request(self.keys[device], "result", self.ledger.market, content).raw).hexdigest()
            if draws.drawn(secret, signed, self.rules.audit) == drawn:
                break
        lease = self.assign(order or self.order(), device, **terms)
        self.accept(lease)
        self.result(lease, value)
        return lease

    def shown(self, device: str, value: int = 1, **terms) -> str:
        """A lease whose result was not drawn and is open to claims."""
        lease = self.served(device, value, **terms)
        self.publish(lease)
        return lease

    def end(self, lease: str) -> None:
        """Let a shown result's window pass; it is final, and who confirmed it is paid."""
        found = self.find(Result, lease)
        self.advance(found.window + 1 - self.tick)
        self.final(lease)
        for verifier in found.confirmed:
            self.final(verifier)

    def could(self, lease: str) -> list[list[str]]:
        """Who could audit it, with weights."""
        return auditors.listing(self.draft, lease)

    def audit(self, lease: str) -> str:
        """Draw the next lot of a result and lease its audit to its owner's first device; the verifier's lease."""
        self.draw_lot(lease)
        return self.verifier(lease)

    def draw_lot(self, lease: str) -> None:
        """The next lot, as an honest coordinator draws it."""
        index, owner = 0, public(self.coordinator)
        if lease in self.names("audit"):
            index = len([lot for lot in self.find(Audit, lease).lots if lot != owner])
        if not index and lease not in self.sealed:
            self.lists[lease] = self.could(lease)
        weights = [(other, int(weight)) for other, weight in self.lists[lease]]
        if index < len(weights) and (len(weights) >= ENOUGH or not coordinator_could(self.draft, [MODEL])):
            owner = draws.lots(self.lot_secret(lease), self.find(Result, lease).signed, weights, index + 1)[index]
        self.lot(lease, owner)

    def lot_secret(self, lease: str) -> str:
        """What draws an audit's lots."""
        return self.secret(self.sealed.get(lease, self.lease(lease).number))

    def lot(self, lease: str, owner: str) -> None:
        """The owner is drawn next."""
        audit = self.find(Audit, lease) if lease in self.names("audit") else Audit(seal=lease)
        content = {"lease": lease, "seal": audit.seal or lease, "index": len(audit.lots), "owner": owner}
        self.order_of("lot", content)

    def seal_lots(self, lease: str) -> None:
        """Seal the secret of a bought audit's lots."""
        number, buyer = self.number, self.find(Audit, lease).buyer
        self.order_of("seal", {"lease": lease, "number": number, "seal": self.seal(number)})
        self.sealed[lease], self.lists[lease] = number, auditors.listing(self.draft, lease, buyer)

    def challenge(self, lease: str, owner: str) -> None:
        """Buy an audit, whose lots are sealed at once."""
        self.ask(owner, "challenge", {"lease": lease})
        self.seal_lots(lease)

    def verifier(self, lease: str) -> str:
        """Lease an audit to the first device of the owner whose lot it is; the verifier's lease."""
        lots, number = self.find(Audit, lease).lots, self.number
        own = [key for key in self.names("device") if lots and self.find(Device, key).owner == lots[-1]]
        device = next((key for key in own if not self.find(Device, key).removed), self.devices[0])
        self.order_of("audit", {"lease": lease, "device": device, "number": number, "seal": self.seal(number)})
        return self.seal(number)

    def verify(self, verifier: str, value: int = 1) -> None:
        """The verifier accepts and gives its result."""
        if self.lease(verifier).state == "offered":
            self.accept(verifier)
        self.result(verifier, value)

    def reveal(self, lease: str, *, weights=None, number=None) -> None:
        """Show the secret of an audit's lots, and the list they are drawn from."""
        secret = self.lot_secret(lease) if number is None else self.secret(number)
        content, raw = {"lease": lease, "secret": secret, "list": None}, canonical(weights or self.lists.get(lease, []))
        if set(self.find(Audit, lease).lots) <= {public(self.coordinator)}:
            self.order_of("reveal", content)
        else:
            listed = sha256(raw).hexdigest()
            self.order_of("reveal", content | {"list": listed}, {listed: raw})
        self.sealed.pop(lease, None)

    def misname(self, lease: str) -> str:
        """Name another owner as the first lot than is drawn; who."""
        self.lists[lease] = self.could(lease)
        weights = [(other, int(weight)) for other, weight in self.lists[lease]]
        drawn = draws.lots(self.lot_secret(lease), self.find(Result, lease).signed, weights, 1)
        owner = next(other for other, _ in weights if [other] != drawn)
        self.lot(lease, owner)
        self.misnamed.add(lease)
        return owner

    def annul(self, lease: str, owner: str = "") -> None:
        self.ask(owner or self.user, "annul", {"lease": lease})

    def claim(self, lease: str, owner: str, value: int, bond: int = 4_000) -> str:
        """Claim that a computation gives another value; the claim's name."""
        content = {"lease": lease, "header": self.find(Result, lease).header, "root": answer(value)[0]}
        return self.ask(owner, "claim", content | {"bond": str(bond), "challenger": owner})

    def judge(self, claim: str, right: bool) -> None:
        """The verdict on a claim."""
        self.order_of("test judge", {"claim": claim, "right": right})

    def dispute(self, claim: str) -> Dispute:
        return self.find(Dispute, claim)

    def clocks(self, claim: str, **changed) -> dict:
        return self.dispute(claim).clocks | changed

    def beginning(self, claim: str) -> dict:
        """What a dispute's ``begin`` holds."""
        found, rules = self.find(Claim, claim), self.rules
        lease, result = self.lease(found.lease), self.find(Result, found.lease)
        number, head = self.ledger.head
        return {
            "claim": claim,
            "header": result.header,
            "computation": identity(self.computed(found.lease)),
            "asserter": lease.device,
            "challenger": found.challenger,
            "roots": {"asserter": result.root, "challenger": found.root},
            "rules": {"delta": rules.delta, "levels": rules.levels, "message_limit": rules.message_limit},
            "budgets": {"asserter": 4 * rules.delta + 2 * LIMIT, "challenger": 4 * rules.delta + LIMIT},
            "tick": self.tick,
            "head": {"number": number, "digest": head},
        }

    def computed(self, name: str) -> SimpleNamespace:
        """What the parties of a dispute over a lease of one request run."""
        lease = self.lease(name)
        asked = self.find(Order, lease.order).requests[lease.part[0]]
        digests = {"model": asked["model"], "graph": lease.graph, "input": asked["input"]}
        temperature = repr(asked["temperature"] / 1_000_000)
        terms = {"seed": asked["seed"], "limit": str(asked["limit"]), "temperature": temperature}
        return SimpleNamespace(digests=digests, terms=terms)

    def begin(self, claim: str) -> str:
        self.order_of("begin", self.beginning(claim))
        return claim

    def message(self, claim: str, kind: str = "descend", party: str = "", **changed) -> bytes:
        """A message of whose turn it is; what it says besides is nobody's matter here."""
        dispute = self.dispute(claim)
        party = party or getattr(dispute, dispute.clocks["turn"] or "asserter")
        content = {"index": dispute.index, "previous": dispute.last} | changed
        return request(self.keys[party], kind, self.ledger.market, content).raw

    def play(self, claim: str, kind: str = "descend", raw: bytes = b"", **clocks) -> None:
        """The message of whose turn it is, taken at this tick."""
        before, raw = self.clocks(claim), raw or self.message(claim, kind)
        turn = before["turn"] or "asserter"
        left = {turn: before[turn] - (self.tick - before["since"])}
        after = before | left | {"turn": OTHER[turn], "since": self.tick} | clocks
        name = sha256(raw).hexdigest()
        self.order_of("play", {"claim": claim, "message": name, "clocks": after}, {name: raw})

    def spend(self, claim: str) -> None:
        """Let the budget of whose turn it is pass."""
        clocks = self.clocks(claim)
        self.advance(clocks["since"] + clocks[clocks["turn"]] + 1 - self.tick)

    def timeout(self, claim: str) -> None:
        clocks = self.clocks(claim, asserter=0, turn=None, since=self.tick)
        self.order_of("timeout", {"claim": claim, "clocks": clocks})

    def take_up(self, claim: str, lease: str) -> None:
        budget = 4 * self.rules.delta + 2 * LIMIT
        clocks = self.clocks(claim, asserter=budget, turn="asserter", since=self.tick)
        self.order_of("take_up", {"claim": claim, "lease": lease, "clocks": clocks})

    def summon(self, lease: str) -> str:
        """Draw the next lot for who is absent; the owner."""
        index = len(self.find(Deputies, lease).lots) if lease in self.names("deputies") else 0
        self.order_of("summon", {"lease": lease, "index": index})
        return self.find(Deputies, lease).lots[-1]

    def deputize(self, lease: str) -> str:
        """Lease the requests to the first device of the owner whose lot it is; the deputy's lease."""
        owner, number = self.find(Deputies, lease).lots[-1], self.number
        device = next(key for key in self.names("device") if self.find(Device, key).owner == owner)
        self.order_of("deputize", {"lease": lease, "device": device, "number": number, "seal": self.seal(number)})
        return self.seal(number)

    def deputy(self, lease: str, value: int = 1) -> str:
        """A deputy by lot with its result; its lease."""
        self.summon(lease)
        deputy = self.deputize(lease)
        self.verify(deputy, value)
        return deputy

    def verdict(self, claim: str, winner: str, reason: str = "silent") -> None:
        self.order_of("verdict", {"claim": claim, "winner": winner, "reason": reason, "record": "0" * 64})

    def decide(self, claim: str, winner: str) -> None:
        """An ``open`` of who asserts now, and the verdict that follows."""
        self.play(claim, "open")
        self.verdict(claim, winner, "step-right" if winner == "asserter" else "step-wrong")

    def conclude(self, lease: str, value: int = 1) -> str:
        """Audit a result to its end, where the verifier confirms it; the verifier's lease."""
        verifier = self.audit(lease)
        self.verify(verifier, value)
        self.reveal(lease)
        return verifier

    def drain(self, right: int, seen=lambda event: None) -> None:
        """Everybody is honest from here on, nothing new begins, and what is open ends; ``seen`` sees the events."""
        for _ in range(100):
            first = self.ledger.head[0] + 1
            for order in self.names("order"):
                if self.find(Order, order).waiting:
                    self.ask(self.find(Order, order).user, "cancel", {"order": order})
            for claim in self.names("claim"):
                if claim in self.names("claim"):
                    found = self.find(Result, self.find(Claim, claim).lease)
                    self.judge(claim, found.root != answer(right)[0])
            for lease in self.names("lease"):
                if lease in self.names("lease"):
                    self._drain(lease, right)
            for event in self.ledger.events(first):
                seen(event)
            if not self.names("lease") + self.names("order"):
                return
            self.advance(self.rules.delta)
        raise AssertionError(f"open still: {[self.lease(name).state for name in self.names('lease')]}")

    def _drain(self, lease: str, right: int) -> None:
        found = self.lease(lease)
        if found.state == "offered":
            self.ask(found.device, "decline", {"lease": lease})
        elif found.state == "held":
            late = self.tick > found.due
            self.order_of("miss", {"lease": lease, "why": "late"}) if late else self.result(lease, right)
        elif found.state == "received":
            if not self.nobody(lease) and (self.drawn(lease) or self.tick > found.due):
                self.audit_if_free(lease)
            else:
                self.publish(lease)
        elif found.state == "audited":
            audit = self.find(Audit, lease)
            if lease in self.misnamed:
                with suppress(Refusal):  # too early
                    self.annul(lease)
            elif not audit.seal:
                self.seal_lots(lease)
            elif audit.outcome == "stands":
                self.reveal(lease)
            elif not audit.verifier:
                self.audit_if_free(lease)
        elif found.state == "due" and found.payer == FUND and self.fund < found.price:
            return  # it waits for the fees of results that are open
        elif found.state == "due" or (found.state == "published" and self.tick > self.find(Result, lease).window):
            self.final(lease)

    def nobody(self, lease: str) -> bool:
        """Whether nobody could audit it."""
        return auditors.nobody_could(self.draft, lease)

    def audit_if_free(self, lease: str) -> None:
        """An audit goes to who is drawn, once a slot is free, or to the next one; or nobody is left."""
        for step in (self.verifier, self.draw_lot, self.verifier, self.reveal):
            try:
                step(lease)
            except Refusal:
                continue
            if step in (self.verifier, self.reveal):
                return


@pytest.fixture(scope="session")
def make_market():
    """A market of any rules."""
    return Market


@pytest.fixture
def market():
    """A market with a short window: a user and five owners with a device each, all of a million free."""
    return Market(window=60)


@pytest.fixture(scope="session")
def records():
    """The classes of what the ledger knows."""
    return {kind.__name__.lower(): kind for kind in (Audit, Claim, Deputies, Device, Lease, Offer, Order, Result)}
