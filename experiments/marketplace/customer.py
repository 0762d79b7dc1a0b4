"""A user without input or output: it asks what an order would come to, posts it, sees tokens, and checks what it gets.

What it can compute again it checks itself, and claims where another root was shown; where it cannot, it may buy an
audit. The same code runs in a simulation and behind a socket.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from experiments.marketplace.dispute_side import DisputeSide, Side
from experiments.marketplace.messages import (
    Done,
    Estimate,
    Final,
    Output,
    Quote,
    Refused,
    Shown,
    Strike,
    Token,
    Turn,
    Waits,
    Welcome,
    encode,
)
from experiments.marketplace.session import Session
from verification.dispute.party import honest
from verification.encoding.request import Request, request
from verification.result import tokens_of
from verification.trace import Trace


@dataclass(frozen=True, slots=True)
class Check:
    """A result to be computed again, perhaps; its trace goes to ``Customer.checked``."""

    shown: Shown


Effect = bytes | Check
"""A frame to be sent, or a result that may be checked."""


@dataclass(slots=True)
class Placed:
    """An order of the user's."""

    requests: Sequence[Mapping[str, Any]]
    state: str = "asked"
    """asked, waiting, refused; then as the coordinator says: served, withdrawn, expired."""
    reason: str = ""
    """Why it was refused, what came was struck, or it waits."""
    needed: int | None = None
    """Micro-tokens, fees included, with which it would have won the last round, where it did not and that is known."""
    tokens: dict[int, list[int]] = field(default_factory=dict)
    """By request, not final."""
    final: dict[int, list[int]] = field(default_factory=dict)
    """By request, of leases that are final."""
    leases: dict[str, list[int]] = field(default_factory=dict)
    """Requests by lease, where something came."""
    settled: set[str] = field(default_factory=set)
    """Leases that are final."""
    paid: int = 0
    """Micro-tokens, fees included."""

    @property
    def over(self) -> bool:
        return self.state not in ("asked", "waiting")


class Customer:
    """One owner's orders, claims and challenges.

    Args:
        fund: whether it asks a demonstration's faucet for a purse.
        side: how it plays its disputes; anything but ``honest`` is an adversary's.
    """

    def __init__(
        self,
        owner: Ed25519PrivateKey,
        *,
        fund: bool = False,
        side: Side = honest,
        origin: str = "",
        market: str = "",
    ) -> None:
        self.session = Session("user", owner, origin=origin, market=market)
        self.fund = fund
        self.dispute = DisputeSide(owner, side)
        self.orders: dict[str, Placed] = {}
        """By name."""
        self.quotes: dict[int, Quote] = {}
        """Estimates that came, by number."""
        self._estimates: dict[int, Estimate] = {}
        """That are awaited."""
        self._posted: dict[str, tuple[Request, dict[str, bytes]]] = {}
        self._unanswered: dict[str, Request] = {}
        """Claims, challenges and withdrawals, by name."""
        self.traces: dict[str, Trace] = {}
        """Behind its claims, by lease."""

    @property
    def name(self) -> str:
        return self.session.owner_name

    def reopened(self) -> None:
        """Its connection was made anew."""
        self.session.reopened()
        self.dispute.reopened()

    def receive(self, raw: bytes, now: float) -> list[Effect]:
        """What a frame leads to.

        Raises:
            Refusal: malformed, other-version, other-market, or what is wrong with the referee's record of a dispute.
        """
        told, answers = self.session.taken(raw, now)
        found: list[Effect] = list(answers)
        match told:
            case Welcome():
                found += self._join(told)
            case Done() | Refused():
                self._answered(told)
            case Quote():
                self._estimates.pop(told.id, None)
                self.quotes[told.id] = told
            case Token() if told.order in self.orders and told.lease not in self.orders[told.order].leases:
                self.orders[told.order].tokens.setdefault(told.part, []).extend(told.tokens)
            case Output() if told.order in self.orders:
                self._output(self.orders[told.order], told)
            case Strike() if told.order in self.orders:
                self._struck(self.orders[told.order], told)
            case Shown():
                found.append(Check(told))
            case Turn():
                session = self.session
                found += self.dispute.told(told, self.traces.values(), session.market, session.coordinator)
            case Waits() if told.order in self.orders:
                placed = self.orders[told.order]
                placed.reason, placed.needed = told.reason, None if told.bid is None else int(told.bid)
            case Final() if told.order in self.orders:
                self._over(self.orders[told.order], told)
            case _:
                pass
        return found

    def _join(self, welcome: Welcome) -> list[Effect]:
        """Register, ask again what was not answered, and post again what is open: made twice it is one order, of which
        it is told what it missed."""
        found: list[Effect] = []
        if not welcome.registered:
            found += self.session.enrolled(self.fund)
        found += map(encode, self._estimates.values())
        found += (self.session.ask_for(asked, inputs) for asked, inputs in self._posted.values())
        return [*found, *map(self.session.ask_for, self._unanswered.values())]

    def order(
        self,
        requests: Sequence[Mapping[str, Any]],
        inputs: Mapping[str, bytes],
        *,
        bid: int,
        patience: int,
        unaudited: bool = False,
    ) -> tuple[str, list[Effect]]:
        """Post an order, now or, while nobody listens, when it is welcomed again; its name.

        Args:
            requests: as orders hold them, see ``models.request_of``.
            inputs: by SHA-256 in hex.
            bid: micro-tokens for all of it, fees included.
            patience: ticks.
            unaudited: whether it may go unaudited where nobody could.
        """
        session = self.session
        terms: dict[str, Any] = {"requests": [dict(asked) for asked in requests], "bid": str(bid)}
        terms |= {"patience": patience, "unaudited": unaudited, "nonce": session.nonce()}
        asked = request(session.owner, "order", session.market, terms)
        self.orders[asked.name] = Placed(requests)
        self._posted[asked.name] = asked, dict(inputs)
        return asked.name, [session.ask_for(asked, dict(inputs))] if self.session.joined else []

    def estimate(
        self, requests: Sequence[Mapping[str, Any]], inputs: Mapping[str, bytes], *, bid: int
    ) -> tuple[int, list[Effect]]:
        """Ask what an order would come to; the number under which ``quotes`` will have it."""
        number = self.session.number()
        asked = Estimate(id=number, requests=[dict(each) for each in requests], bid=str(bid), inputs=dict(inputs))
        self._estimates[number] = asked
        return number, [encode(asked)] if self.session.joined else []

    def cancel(self, order: str) -> list[Effect]:
        """Withdraw what waits of an order."""
        return self._ask("cancel", {"order": order})

    def challenge(self, lease: str) -> list[Effect]:
        """Buy an audit of a result that is shown, at two audit prices."""
        return self._ask("challenge", {"lease": lease})

    def checked(self, shown: Shown, trace: Trace) -> list[Effect]:
        """A shown result computed again: where the root is another, a claim with the least bond."""
        if trace.tree.root.hex() == shown.root:
            return []
        return self.claim(shown, trace, self.session.rules.bond_prices * int(shown.audit_price))

    def claim(self, shown: Shown, trace: Trace, bond: int) -> list[Effect]:
        """Claim that a trace is right and not what was shown."""
        self.traces[shown.lease] = trace
        terms = {"lease": shown.lease, "header": shown.header, "root": trace.tree.root.hex()}
        terms |= {"bond": str(bond), "challenger": self.name}
        return self._ask("claim", terms)

    def _ask(self, kind: str, terms: dict[str, Any]) -> list[Effect]:
        """Ask for something, now or, while nobody listens, when it is welcomed again; until it is answered."""
        asked = request(self.session.owner, kind, self.session.market, terms)
        self._unanswered[asked.name] = asked
        return [self.session.ask_for(asked)] if self.session.joined else []

    def _answered(self, told: Done | Refused) -> None:
        if isinstance(told.id, int):
            self._estimates.pop(told.id, None)
        answer = self.session.answered(told)
        if answer is None:
            return
        self._unanswered.pop(answer.request.name, None)
        placed = self.orders.get(answer.request.name)
        if placed is not None and placed.state == "asked":
            placed.state, placed.reason = ("refused", answer.reason) if answer.reason else ("waiting", "")
            if answer.reason:
                del self._posted[answer.request.name]

    def _output(self, placed: Placed, told: Output) -> None:
        placed.leases[told.lease] = told.part
        placed.reason, placed.needed = "", None
        row = len(told.output) // len(told.part)  # of several requests the output is a row each
        for at, part in enumerate(told.part):
            placed.tokens[part] = tokens_of(told.output[at * row : (at + 1) * row])

    def _struck(self, placed: Placed, told: Strike) -> None:
        placed.reason = told.reason
        placed.leases.pop(told.lease, None)
        for part in told.part:
            placed.tokens.pop(part, None)

    def _over(self, placed: Placed, told: Final) -> None:
        if told.lease in placed.settled:
            return  # told again, after a pause
        if told.lease:
            placed.settled.add(told.lease)
            placed.paid += int(told.paid)
        if not told.lease:
            placed.state = told.outcome
            self._posted.pop(told.order, None)
        elif told.outcome == "final":
            placed.final |= {part: placed.tokens[part] for part in told.part if part in placed.tokens}
        self.traces.pop(told.lease, None)
