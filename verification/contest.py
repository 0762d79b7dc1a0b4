"""A wrong result, a claim against it, and their dispute, on a ledger of their own: what ``dispute`` shows (section 5).

A user orders, the asserter's device delivers what its trace gives, the challenger claims its own root with a bond, and
the coordinator conducts the dispute and settles it. Nobody else is there: the result is not audited, and no deputy
plays for an asserter that is silent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.computation import Computation
from verification.dispute.clocks import budgets
from verification.dispute.dispute import Dispute, identity
from verification.dispute.party import honest, play
from verification.dispute.record import Entry, Proceedings
from verification.dispute.transcript import transcript
from verification.encoding.canonical import digest, parsed
from verification.encoding.request import Request, request
from verification.encoding.signature import public, sign
from verification.ledger.state import BURNT, FUND, Draft
from verification.ledger.store import Ledger
from verification.market.accounts import free
from verification.market.operations import OPERATIONS
from verification.market.records import Device, Lease, Order, find
from verification.market.rules import Rules
from verification.protocol import protocol
from verification.result import sign_result
from verification.task import Task
from verification.trace import Trace

PRICE = 1_000
"""Of the lease, in micro-tokens."""
DEPOSIT = 100 * PRICE
LIMIT = 100
"""The lease's work limit, in ticks."""
ROLES = ("coordinator", "user", "asserter", "device", "challenger")


@dataclass(frozen=True, slots=True)
class Contest:
    """A dispute that was settled."""

    dispute: Dispute
    transcript: dict[str, Any]
    settled: dict[str, Any]
    """Price, stake and bond; what the challenger, the fund and the fire gained; what became of the task and the key."""


class Scene:
    """A market of one order, in memory."""

    def __init__(self, rules: Rules, protocol: str) -> None:
        self.rules = rules
        self.keys = {role: Ed25519PrivateKey.generate() for role in ROLES}
        self.names = {role: public(key) for role, key in self.keys.items()}
        genesis = {"coordinator": self.names["coordinator"], "rules": rules.plain(), "protocol": protocol}
        self.ledger = Ledger.create(":memory:", self.keys["coordinator"], genesis, OPERATIONS)
        for role in ("user", "asserter", "challenger"):
            self.ask(role, "register", {})
            terms = {"owner": self.names[role], "amount": str(DEPOSIT), "nonce": digest(["deposit", role])}
            self.ask("coordinator", "deposit", terms)
        consent = sign(self.keys["device"], "device", self.ledger.market, {"owner": self.names["asserter"]})
        self.ask("asserter", "device", {"device": self.names["device"], "consent": consent})

    @property
    def draft(self) -> Draft:
        """What the ledger says now."""
        return Draft(self.ledger.state, self.ledger.blob)

    def ask(self, role: str, kind: str, content: Any, blobs: Mapping[str, bytes] | None = None) -> Request:
        """Make a request."""
        asked = request(self.keys[role], kind, self.ledger.market, content)
        self.ledger.perform(asked, blobs)
        return asked

    def advance(self, tick: int) -> None:
        """Let time pass until a tick."""
        while (now := self.ledger.state.tick) < tick:
            ticks = min(tick - now, max(1, self.rules.delta // 10))
            self.ask("coordinator", "advance", {"since": now, "ticks": ticks})

    def lend(self, task: Task, computation: Computation) -> str:
        """An order for the task, leased to the asserter's device, which accepts; the lease's name."""
        digests, node = computation.digests, computation.nodes[-1]
        part: dict[str, Any] = {"model": digests["model"], "input": digests["input"], "limit": task.limit}
        part |= {"temperature": task.millionths, "seed": str(task.seed)}
        nonce = digest(task.plain())
        terms = {"requests": [part], "bid": str(2 * PRICE), "patience": LIMIT, "unaudited": True, "nonce": nonce}
        order = self.ask("user", "order", terms)
        models = [{"model": digests["model"], "s": 1}]
        offer = {"models": models, "slots": 1, "cost": str(PRICE), "expiry": LIMIT, "nonce": nonce}
        self.ask("device", "offer", offer)
        lease: dict[str, Any] = {"order": order.name, "part": [0], "device": self.names["device"], "price": str(PRICE)}
        lease |= {"audit_price": str(PRICE)}
        lease |= {"sent": identity(computation), "limit": LIMIT, "nodes": len(computation.nodes)}
        lease |= {"rows": node.rows, "words": node.words, "number": 0, "seal": self.seal, "auditors": []}
        self.ask("coordinator", "assign", {"leases": [lease]})
        self.ask("device", "accept", {"lease": self.seal})
        return self.seal

    @property
    def secret(self) -> str:
        """That draws whether the lease is audited."""
        return digest(["draw", self.ledger.market])

    @property
    def seal(self) -> str:
        return sha256(bytes.fromhex(self.secret)).hexdigest()

    def begin(self, computation: Computation, claim: Request, wrong: Trace, right: Trace) -> Dispute:
        """The dispute over a claim."""
        number, head = self.ledger.head
        rules = self.rules
        content = {
            "claim": claim.name,
            "header": claim.content["header"],
            "computation": identity(computation),
            "asserter": self.names["device"],
            "challenger": self.names["challenger"],
            "roots": {"asserter": wrong.tree.root.hex(), "challenger": right.tree.root.hex()},
            "rules": {"delta": rules.delta, "levels": rules.levels, "message_limit": rules.message_limit},
            "budgets": budgets(rules.delta, LIMIT),
            "tick": self.ledger.state.tick,
            "head": {"number": number, "digest": head},
        }
        return Dispute(computation, self.ask("coordinator", "begin", content))

    def follow(self, claim: str, entry: Entry) -> None:
        """Enter what a record says."""
        told = entry.record.content
        self.advance(told["tick"])
        if entry.message is not None and told["event"] == "message":
            message = {"claim": claim, "message": told["message"], "clocks": told["clocks"]}
            self.ask("coordinator", "play", message, {told["message"]: entry.message})
        elif told["event"] == "clock" and told["verdict"] is None:
            self.ask("coordinator", "timeout", {"claim": claim, "clocks": told["clocks"]})
        if verdict := told["verdict"]:
            ended = {"claim": claim, "record": entry.record.name}
            if verdict["winner"] is None:
                self.ask("coordinator", "void", ended)
            else:
                decided = {"winner": verdict["winner"], "reason": verdict["reason"]}
                self.ask("coordinator", "verdict", ended | decided)


def contest(
    task: Task, computation: Computation, wrong: Trace, right: Trace, prompt_chunk: int, wrap: Any = None
) -> Contest:
    """Dispute a wrong trace, with keys made for it.

    Args:
        computation: the referee's.
        wrap: how the asserter breaks the protocol, a ``break_dispute.Wrapper``.
    """
    rules = Rules()
    scene = Scene(rules, protocol(prompt_chunk, rules.levels, rules.message_limit))
    lease = scene.lend(task, computation)
    result, output = sign_result(scene.keys["device"], scene.ledger.market, lease, wrong)
    scene.ledger.perform(result, {sha256(output).hexdigest(): output})
    scene.ask("coordinator", "publish", {"lease": lease, "secret": scene.secret})
    draft = scene.draft
    stake = find(draft, Lease, lease).stake
    challenger = free(scene.names["challenger"])
    before = {name: draft.balance(name) for name in (challenger, FUND, BURNT)}
    bond = rules.bond_prices * PRICE
    against = {"lease": lease, "header": digest(result.content["header"]), "root": right.tree.root.hex()}
    claim = scene.ask("challenger", "claim", against | {"bond": str(bond), "challenger": scene.names["challenger"]})
    dispute = scene.begin(computation, claim, wrong, right)
    proceedings = Proceedings(dispute, scene.keys["coordinator"])
    asserter = honest(scene.keys["device"], wrong)
    if wrap is not None:
        asserter = wrap(scene.keys["device"], asserter)
    play(proceedings, {"asserter": asserter, "challenger": honest(scene.keys["challenger"], right)})
    for entry in proceedings.entries:
        scene.follow(claim.name, entry)
    gained = {name: scene.draft.balance(name) - amount for name, amount in before.items()}
    order = next(iter(scene.draft.subjects("order")))
    settled = {
        "price": PRICE,
        "stake": stake,
        "bond": bond,
        "reward": gained[challenger],
        "fund": gained[FUND],
        "burnt": gained[BURNT],
        "removed": find(scene.draft, Device, scene.names["device"]).removed,
        "task": _fate(find(scene.draft, Order, order)),
    }
    genesis = parsed(next(scene.ledger.events()).raw)
    content = transcript(task.plain(), genesis, dispute, result, claim, proceedings.entries)
    return Contest(dispute, content, settled)


def _fate(order: Order) -> str:
    """What became of the order."""
    return f"waits again, ranked higher by {order.rank}" if order.waiting else "stays with its device"
