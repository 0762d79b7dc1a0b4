"""Claims of a small market, their disputes, and deputies."""

from hashlib import sha256
from types import SimpleNamespace

from auditing import Auditing
from requesting import LIMIT, OTHER, answer

from verification.dispute.dispute import identity
from verification.encoding.request import request
from verification.market.records import Claim, Deputies, Device, Dispute, Order, Result


class Disputing(Auditing):
    """Claims and disputes; what messages say is nobody's matter here."""

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
        if "top_p" in asked:
            terms["top_p"] = repr(asked["top_p"] / 1_000_000)
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

    def absent(self, value: int = 1, claimed: int = 2, owner: str = "") -> tuple[str, str]:
        """A result whose asserter was silent in a dispute, and the claim."""
        lease = self.shown(self.devices[0], value)
        claim = self.begin(self.claim(lease, owner or self.owners[1], claimed))
        self.spend(claim)
        self.timeout(claim)
        return lease, claim
