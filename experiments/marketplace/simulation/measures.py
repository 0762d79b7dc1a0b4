"""What came of a simulation, from the ledger's events and from what the simulation alone knows: who was right."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from experiments.marketplace.simulation.fleet import Plan
from experiments.marketplace.simulation.likeness import alike
from experiments.marketplace.simulation.recorded import Recorded
from verification.ledger.event import Event
from verification.ledger.state import FUND, owner_of

ENDS = {"final": "served", "cancel": "withdrawn", "expire": "expired"}
"""Of an order, by the event with which it leaves."""
USER = "user"


@dataclass(slots=True)
class Result:
    """A result of an order's lease."""

    device: str
    strategy: str
    right: bool
    tick: int
    alike: float
    """Of a wrong one: chance that who is drawn to audit it comes to the same root."""
    audited: str = ""
    """drawn or bought, where it was audited."""
    fell: int = 0
    """The tick at which it fell; 0: it stands."""
    by: str = ""
    """By whose claim: drawn or bought, of an audit; claim, of a challenger. A deputy's is that of the audit whose
    verifier claimed first; deputy where none did."""


@dataclass(slots=True)
class Ended:
    """A dispute that ended."""

    tick: int
    asserter_right: bool
    challenger_right: bool
    winner: str
    reason: str
    by: str
    messages: int

    @property
    def right_won(self) -> bool:
        """Whether the party that was right, if one was, won, or at least has not lost: its claim was set aside."""
        right = {"asserter": self.asserter_right, "challenger": self.challenger_right}
        aside = self.winner == "asserter" and self.by != "claim" and self.reason not in ("step-right", "null-right")
        return not any(right.values()) or right[self.winner] or aside


@dataclass(slots=True)
class Life:
    """Of an order: ticks."""

    placed: int
    output: int = 0
    """Its first; 0: there was none."""
    over: int = 0
    outcome: str = ""
    failed: int = 0
    """Devices that did not serve it."""
    back: int = 0
    """When it came back first; 0: it never did."""


@dataclass(slots=True)
class _Lease:
    order: str
    device: str
    audits: str
    payer: str
    """Of an audit; of a deputy's lease ""."""
    right: str
    """The right root."""
    root: str = ""


class Measures:
    """Follows the events of a market.

    Args:
        listed: who could audit a lease now, see ``verification.market.auditors.listing``.
    """

    def __init__(self, recorded: Recorded, listed: Callable[[str], list[list[str]]]) -> None:
        self._recorded, self._listed = recorded, listed
        self.plans: dict[str, Plan] = {}
        """By key of a device, those of earlier lives too."""
        self.fleets: dict[str, list[Plan]] = {}
        """By key of an owner; of others there is none."""
        self.ways: dict[str, str] = {}
        """In which a device was wrong, by lease."""
        self.lives: dict[str, Life] = {}
        self.results: dict[str, Result] = {}
        self.disputes: list[Ended] = []
        self.right_that_lost: list[str] = []
        """Leases and claims whose root was right, and whose stake or bond was divided all the same."""
        self.lost: Counter[tuple[str, str]] = Counter()
        """Micro-tokens of stakes and bonds that others got or nobody, by strategy and kind of event."""
        self.events: Counter[str] = Counter()
        self._orders: dict[str, list[dict[str, Any]]] = {}
        self._leases: dict[str, _Lease] = {}
        self._claims: dict[str, dict[str, Any]] = {}
        self._messages: Counter[str] = Counter()

    def strategy_of(self, owner: str) -> str:
        """An owner's, by its key; of who has no device it is ``USER``."""
        return self.fleets[owner][0].strategy.name if owner in self.fleets else USER

    def ordered(self, name: str, now: float) -> None:
        """An order is on its way."""
        self.lives[name] = Life(int(now))

    def fold(self, event: Event) -> None:
        """Take in an event."""
        kind, content = event.request.kind, event.request.content
        self.events[kind] += 1
        for fact, subject, value in event.facts:
            if fact == "order" and value is not None:
                self._orders.setdefault(subject, value["requests"])
            elif fact == "lease" and value is not None and subject not in self._leases:
                run = self._recorded.of([self._orders[value["order"]][index] for index in value["part"]])
                self._leases[subject] = _Lease(
                    value["order"], value["device"], value["audits"], value["payer"], run.root
                )
            elif fact == "claim" and value is not None:
                self._claims.setdefault(subject, value)
            elif fact == "audit" and value is not None:
                result = self.results[subject]
                result.audited = result.audited or ("bought" if value["buyer"] else "drawn")
        match kind:
            case "result":
                self._result(event, content["header"]["lease"], content["header"]["root"])
            case "play":
                self._messages[content["claim"]] += 1
            case "verdict":
                self._verdict(event, content)
        self._losses(event)
        for fact, subject, value in event.facts:
            if fact == "order":
                self._order(event, subject, value)

    def _order(self, event: Event, name: str, value: Mapping[str, Any] | None) -> None:
        life = self.lives[name]
        if value is None:
            del self._orders[name]
            life.over, life.outcome = event.tick, life.outcome or ENDS.get(event.request.kind, "withdrawn")
            return
        life.outcome = value["ended"] or life.outcome
        if len(value["failed"]) > life.failed:
            life.failed, life.back = len(value["failed"]), life.back or event.tick

    def _result(self, event: Event, name: str, root: str) -> None:
        lease = self._leases[name]
        lease.root = root
        if not lease.audits:
            plan, life = self.plans[lease.device], self.lives[lease.order]
            right = root == lease.right
            same = 0.0 if right else alike(plan, self.ways[name], self._listed(name), self.fleets)
            self.results[name] = Result(lease.device, plan.strategy.name, right, event.tick, same)
            life.output = life.output or event.tick

    def _verdict(self, event: Event, content: Mapping[str, Any]) -> None:
        claim = self._claims[content["claim"]]
        lease, by = self._leases[claim["lease"]], self._by(claim)
        rights = lease.root == lease.right, claim["root"] == lease.right
        many = self._messages.pop(content["claim"], 0)
        self.disputes.append(Ended(event.tick, *rights, content["winner"], content["reason"], by, many))
        if content["winner"] == "challenger":
            result = self.results[claim["lease"]]
            result.fell, result.by = event.tick, by

    def _by(self, claim: Mapping[str, Any]) -> str:
        """See ``Result.by``; claims are in the order in which they were made."""
        if not claim["audit"]:
            return "claim"
        audits = (each["audit"] for each in self._claims.values() if each["lease"] == claim["lease"])
        payers = (self._leases[audit].payer for audit in (claim["audit"], *audits) if audit)
        payer = next(filter(None, payers), "")
        return "deputy" if not payer else "drawn" if payer == FUND else "bought"

    def _losses(self, event: Event) -> None:
        """Whose stakes and bonds were divided; that of who was right, too."""
        seen = set[str]()
        for source, target, amount in event.moves:
            kind, _, rest = source.partition(":")
            if kind not in ("stake", "bond"):
                continue
            owner, _, subject = rest.partition(":")
            if owner_of(target) == owner:
                continue
            self.lost[self.strategy_of(owner), event.request.kind] += amount
            if event.request.kind in ("verdict", "dismiss"):
                seen.add(subject)
        for subject in sorted(seen):
            if (lease := self._leases.get(subject)) is not None:
                right = lease.root == lease.right
            elif (claim := self._claims.get(subject)) is not None:
                right = claim["root"] == self._leases[claim["lease"]].right
            else:
                continue  # what bought an audit
            if right:
                self.right_that_lost.append(subject)
