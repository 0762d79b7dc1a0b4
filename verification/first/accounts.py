"""Accounts and what may be done with them (section 5): stakes, escrow, bonds, slashes, rewards and burns.

All amounts are integer micro-tokens. An operation is a function over a ``Draft``: it reads balances and facts, moves
money, states facts, or refuses; the ledger commits all of it or nothing. Operations call one another, so that a verdict
that slashes, rewards, refunds and removes is one of them.

Parties are Ed25519 public keys in hex. Whether a request is signed by its party is for the caller to check: accounts
know sums, not who asked.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from verification.errors import Refusal

INT64 = 2**63 - 1
OUTSIDE = "outside"
"""Where deposits come from and withdrawals go to; no account."""
FUND = "fund"
"""The verifiers' account: pays referees and auditors."""
BURNT = "burnt"
"""Nothing leaves it. Burnt units count in the sum, so that conservation is one equation."""

Move = tuple[str, str, int]
"""From, to, micro-tokens above 0."""


def free(party: str) -> str:
    """The account of what a party may spend or withdraw."""
    return f"free:{party}"


def stake_of(party: str, task: str) -> str:
    """The account of a provider's stake behind one open task."""
    return f"stake:{party}:{task}"


def escrow_of(task: str) -> str:
    """The account of a task's payment until its result is final."""
    return f"escrow:{task}"


def bond_of(party: str, task: str) -> str:
    """The account of a challenger's bond."""
    return f"bond:{party}:{task}"


def pledge_of(party: str, round_: str) -> str:
    """The account of the bond behind an auditor's reveal."""
    return f"pledge:{party}:{round_}"


@dataclass(slots=True)
class State:
    """What the events amount to."""

    balances: dict[str, int] = field(default_factory=dict)
    """Micro-tokens by account, all above 0."""
    facts: dict[str, Any] = field(default_factory=dict)
    """Plain JSON values by name."""
    deposited: int = 0
    withdrawn: int = 0
    events: int = 0
    """The number of the last event."""

    def move(self, source: str, target: str, amount: int) -> None:
        if source == OUTSIDE:
            self.deposited += amount
        else:
            self._add(source, -amount)
        if target == OUTSIDE:
            self.withdrawn += amount
        else:
            self._add(target, amount)

    def _add(self, account: str, amount: int) -> None:
        self.balances[account] = self.balances.get(account, 0) + amount
        if not self.balances[account]:
            del self.balances[account]

    def check(self) -> None:
        """Conservation: no account below 0, and the sum of all is deposited - withdrawn.

        Raises:
            Refusal: not-conserved.
        """
        total = sum(self.balances.values())
        if total != self.deposited - self.withdrawn or min(self.balances.values(), default=0) < 0:
            raise Refusal(
                "not-conserved", f"accounts hold {total} of {self.deposited} - {self.withdrawn}, or one is below 0"
            )


class Draft:
    """One operation in the making: nothing of it holds before the ledger commits it."""

    def __init__(self, state: State) -> None:
        self.state = State(dict(state.balances), dict(state.facts), state.deposited, state.withdrawn, state.events)
        self.moves: list[Move] = []
        self.stated: dict[str, Any] = {}

    def balance(self, account: str) -> int:
        """Micro-tokens."""
        return self.state.balances.get(account, 0)

    def move(self, source: str, target: str, amount: int) -> None:
        """Move an amount, above 0, between accounts.

        Raises:
            Refusal: see ``amount_of``; beyond-balance, beyond-stake, beyond-escrow, beyond-bond, beyond-pledge or
                beyond-fund; burnt.
        """
        amount_of("amount", amount)
        if source == BURNT:
            raise Refusal("burnt", "what is burnt cannot be spent")
        if source != OUTSIDE and self.balance(source) < amount:
            kind = source.partition(":")[0].replace("free", "balance")
            raise Refusal(f"beyond-{kind}", f"{source} holds {self.balance(source)}, not {amount}")
        self.moves.append((source, target, amount))
        self.state.move(source, target, amount)
        if self.state.deposited > INT64:
            raise Refusal("beyond-int64", f"deposits would sum to {self.state.deposited}")

    def fact(self, name: str) -> Any:
        """A fact, not to be changed in place; None where there is none."""
        return self.state.facts.get(name)

    def state_fact(self, name: str, value: Any) -> None:
        """State a fact, a plain JSON value, in place of the one before."""
        self.stated[name] = self.state.facts[name] = value


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


def split(amount: int, *shares: Fraction) -> tuple[int, ...]:
    """floor(amount x share) for each share, then what remains: the parts sum to the amount."""
    parts = [amount * share.numerator // share.denominator for share in shares]
    return (*parts, amount - sum(parts))


def standing(draft: Draft, party: str) -> None:
    """That a party is registered and was not removed.

    Raises:
        Refusal: unknown-party, removed-party.
    """
    match draft.fact(f"party:{party}"):
        case None:
            raise Refusal("unknown-party", f"{party!r} is not registered")
        case "removed":
            raise Refusal("removed-party", f"{party} was removed for good")


def register(draft: Draft, party: str) -> None:
    """Register a party; again if it is already there, never if it was removed.

    Raises:
        Refusal: bad-key, removed-party.
    """
    if not isinstance(party, str) or len(party) != 64 or set(party) - set("0123456789abcdef"):
        raise Refusal("bad-key", f"{party!r} is not 64 lower-case hexadecimal digits")
    if draft.fact(f"party:{party}"):
        standing(draft, party)
    draft.state_fact(f"party:{party}", "registered")


def remove(draft: Draft, party: str) -> None:
    """Remove a party with prejudice: of all it could do, withdrawing what is free is left. Nothing undoes it.

    Raises:
        Refusal: unknown-party, removed-party.
    """
    standing(draft, party)
    draft.state_fact(f"party:{party}", "removed")


def deposit(draft: Draft, party: str, amount: int) -> None:
    """Micro-tokens from outside.

    Raises:
        Refusal: unknown-party, removed-party, or see ``Draft.move``.
    """
    standing(draft, party)
    draft.move(OUTSIDE, free(party), amount)


def withdraw(draft: Draft, party: str, amount: int) -> None:
    """Micro-tokens to the outside, a removed party's too.

    Raises:
        Refusal: unknown-party, or see ``Draft.move``.
    """
    if not draft.fact(f"party:{party}"):
        standing(draft, party)
    draft.move(free(party), OUTSIDE, amount)


def lock(draft: Draft, party: str, account: str, amount: int) -> None:
    """A party's micro-tokens into a stake, an escrow, a bond or a pledge.

    Raises:
        Refusal: unknown-party, removed-party, or see ``Draft.move``.
    """
    standing(draft, party)
    draft.move(free(party), account, amount)


def release(draft: Draft, account: str, party: str) -> None:
    """All that an account holds, 0 perhaps, to a party: a stake returned, a payment made or returned."""
    if draft.balance(account):
        draft.move(account, free(party), draft.balance(account))


def slash(draft: Draft, account: str, amount: int, *shares: tuple[str, Fraction]) -> None:
    """Take ``amount``, 0 perhaps, from an account: floor(amount x share) to each (account, share), the rest burnt.

    Raises:
        Refusal: see ``Draft.move``; beyond-stake where it exceeds a stake.
    """
    amount_of("amount", amount, zero=True)
    if draft.balance(account) < amount:
        draft.move(account, BURNT, amount)  # refuses
    targets = (*(target for target, _ in shares), BURNT)
    for target, part in zip(targets, split(amount, *(share for _, share in shares)), strict=True):
        if part:
            draft.move(account, target, part)


def reward(draft: Draft, party: str, amount: int) -> None:
    """Pay a referee or auditor out of the verifiers' fund.

    Raises:
        Refusal: unknown-party, removed-party, or see ``Draft.move``.
    """
    standing(draft, party)
    draft.move(FUND, free(party), amount)
