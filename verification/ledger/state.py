"""What the events amount to, and one operation in the making over it (section 5).

All amounts are integer micro-tokens. An account is named ``kind:owner`` or ``kind:owner:subject``; those of nobody have
no colon: outside, fund, burnt. So an owner's total, free and locked, is kept by the names alone.

An operation is a function of a ``Draft`` and a request: it reads balances and facts, moves money, puts facts, or
refuses; then nothing has changed. It costs what it touches: a draft lies over the state and copies nothing of it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from verification.encoding.canonical import digest
from verification.encoding.request import Request
from verification.errors import Refusal

INT64 = 2**63 - 1
OUTSIDE = "outside"
"""Where deposits come from and withdrawals go to; no account."""
FUND = "fund"
"""Pays for audits."""
BURNT = "burnt"
"""Nothing leaves it. Burnt units count in the sum, so that conservation is one equation."""

FORGOTTEN = "forgotten"
"""Facts of this kind name bytes that are no longer kept beside the events, by their SHA-256."""

Move = tuple[str, str, int]
"""From, to, micro-tokens above 0."""
Fact = tuple[str, str, Any]
"""Kind, subject, a plain JSON value; None: it leaves the state."""


def owner_of(account: str) -> str:
    """Whose an account is: the name's second part; of fund, burnt and outside "", nobody."""
    return account.split(":", 2)[1] if ":" in account else ""


@dataclass(slots=True)
class State:
    """What the events amount to."""

    balances: dict[str, int] = field(default_factory=dict)
    """Micro-tokens by account, all above 0."""
    totals: dict[str, int] = field(default_factory=dict)
    """Micro-tokens by owner, over all its accounts, all above 0."""
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Plain JSON values, not to be changed in place, by kind and subject, in the order in which they came."""
    retired: dict[str, tuple[int, str]] = field(default_factory=dict)
    """How many facts of a kind have left, and a running digest over [digest before, subject, number of the event]."""
    outside: int = 0
    """Micro-tokens deposited less those withdrawn: what all accounts sum to."""
    tick: int = 0
    number: int = -1
    """The last event's."""
    head: str = ""
    """The last event's digest, in hex."""
    market: str = ""
    """The first event's digest, in hex."""

    def copy(self) -> "State":
        """A state of its own; facts' values, which are not changed in place, are shared."""
        return State(
            self.balances.copy(),
            self.totals.copy(),
            {kind: known.copy() for kind, known in self.facts.items()},
            self.retired.copy(),
            *(self.outside, self.tick, self.number, self.head, self.market),
        )

    def apply(self, moves: Iterable[Move], facts: Iterable[Fact], tick: int) -> None:
        """Take in what one event changed, head and market apart.

        Raises:
            Refusal: not-conserved (an account would fall below 0); a draft's moves never are.
        """
        self.number += 1
        self.tick = tick
        for source, target, amount in moves:
            self._add(source, -amount)
            self._add(target, amount)
        for kind, subject, value in facts:
            known = self.facts.setdefault(kind, {})
            if value is not None:
                known[subject] = value
            elif known.pop(subject, None) is not None:
                count, before = self.retired.get(kind, (0, ""))
                self.retired[kind] = (count + 1, digest([before, subject, self.number]))

    def _add(self, account: str, amount: int) -> None:
        if account == OUTSIDE:
            self.outside -= amount
            return
        _add(self.balances, account, amount)
        owner = owner_of(account)
        if owner:
            _add(self.totals, owner, amount)

    def check(self) -> None:
        """Conservation, over everything: accounts sum to what is not outside, and each owner's to its total.

        Raises:
            Refusal: not-conserved.
        """
        held = sum(self.balances.values())
        if held != self.outside or min(self.balances.values(), default=1) <= 0:
            raise Refusal("not-conserved", f"accounts hold {held} of {self.outside}, or one holds less than 1")
        totals: dict[str, int] = {}
        for account, amount in self.balances.items():
            if owner := owner_of(account):
                totals[owner] = totals.get(owner, 0) + amount
        if totals != self.totals:
            raise Refusal("not-conserved", "an owner's total is not what its accounts hold")


def _add(sums: dict[str, int], name: str, amount: int) -> None:
    held = sums.get(name, 0) + amount
    if held < 0:
        raise Refusal("not-conserved", f"{name} would hold {held}")
    if held:
        sums[name] = held
    else:
        sums.pop(name, None)


def _nothing(digest: str) -> bytes | None:
    return None


def _nowhere(digest: str) -> bool:
    return False


class Draft:
    """One operation in the making: nothing of it holds before the ledger writes its event."""

    def __init__(
        self,
        state: State,
        blob: Callable[[str], bytes | None] = _nothing,
        lost: Callable[[str], bool] = _nowhere,
    ) -> None:
        self.market = state.market
        self.number = state.number + 1
        """The event's that is being made."""
        self.head = state.head
        """Digest of the event before it."""
        self.tick = state.tick
        self.blob = blob
        """Bytes by their SHA-256 in hex: those that came with the request, or any written before; None: neither. What
        comes with a request is written beside its event, if the operation asks for it, and is refused otherwise."""
        self.lost = lost
        """Whether bytes had been there when the event was made, and were forgotten later: an operation that only checks
        them goes on, so that all else can be derived again."""
        self.moves: list[Move] = []
        self._changed: dict[tuple[str, str], Any] = {}
        self._balances: dict[str, int] = {}
        self._totals: dict[str, int] = {}
        self._state = state

    def balance(self, account: str) -> int:
        """Micro-tokens."""
        held = self._balances.get(account)
        return self._state.balances.get(account, 0) if held is None else held

    def total(self, owner: str) -> int:
        """Micro-tokens of an owner, free and locked."""
        held = self._totals.get(owner)
        return self._state.totals.get(owner, 0) if held is None else held

    @property
    def outside(self) -> int:
        """Micro-tokens deposited less those withdrawn."""
        return self._balances.get(OUTSIDE, self._state.outside)

    def move(self, source: str, target: str, amount: int) -> None:
        """Move an amount between accounts.

        Raises:
            Refusal: not-an-amount, negative-amount, zero-amount, beyond-int64 (all accounts together); burnt; or
                beyond-KIND, where the source holds less: beyond-free, beyond-stake, beyond-fund, ...
        """
        amount_of("amount", amount)
        if source == BURNT:
            raise Refusal("burnt", "what is burnt cannot be spent")
        if source == OUTSIDE and self.outside + amount > INT64:
            raise Refusal("beyond-int64", f"all accounts would sum to {self.outside + amount}")
        if source != OUTSIDE and self.balance(source) < amount:
            kind = source.partition(":")[0]
            raise Refusal(f"beyond-{kind}", f"{source} holds {self.balance(source)}, not {amount}")
        self._add(source, -amount)
        self._add(target, amount)
        self.moves.append((source, target, amount))

    def _add(self, account: str, amount: int) -> None:
        if account == OUTSIDE:
            self._balances[OUTSIDE] = self.outside - amount
            return
        self._balances[account] = self.balance(account) + amount
        if owner := owner_of(account):
            self._totals[owner] = self.total(owner) + amount

    def fact(self, kind: str, subject: str) -> Any:
        """A fact's value, not to be changed in place; None where there is none."""
        if self._changed and (kind, subject) in self._changed:
            return self._changed[kind, subject]
        known = self._state.facts.get(kind)
        return None if known is None else known.get(subject)

    def put(self, kind: str, subject: str, value: Any) -> None:
        """State a fact, a plain JSON value, in place of the one before; None: it leaves the state, where it is."""
        if value is None and subject not in self._state.facts.get(kind, {}):
            self._changed.pop((kind, subject), None)
        else:
            self._changed[kind, subject] = value

    def forget(self, digest: str) -> None:
        """Keep some bytes no longer: they are deleted with this event."""
        self.put(FORGOTTEN, digest, self.number)

    def subjects(self, kind: str) -> Iterator[str]:
        """Those of which a fact of this kind is known, in the order in which they came."""
        known = self._state.facts.get(kind, {})
        changed = {subject: value for (other, subject), value in self._changed.items() if other == kind}
        yield from (subject for subject in known if changed.get(subject, True) is not None) if changed else known
        yield from [subject for subject in changed if subject not in known]

    @property
    def facts(self) -> list[Fact]:
        """What was put, the last value of each."""
        return [(kind, subject, value) for (kind, subject), value in self._changed.items()]


Operation = Callable[[Draft, Request], None]
"""A deterministic function of state, request and blobs that raises Refusal, and then has changed nothing."""
Operations = Mapping[str, Operation]
"""By the request's kind."""


def amount_of(name: str, value: int, zero: bool = False) -> int:
    """An amount in micro-tokens.

    Raises:
        Refusal: not-an-amount, negative-amount, zero-amount (unless ``zero``), beyond-int64.
    """
    if type(value) is not int:
        raise Refusal("not-an-amount", f"{name}: {value!r} is not an integer")
    if value < 0:
        raise Refusal("negative-amount", f"{name}: {value} is below 0")
    if value == 0 and not zero:
        raise Refusal("zero-amount", f"{name}: 0 is not allowed")
    if value > INT64:
        raise Refusal("beyond-int64", f"{name}: {value} is beyond {INT64}")
    return value
