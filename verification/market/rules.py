"""The rules of a market: one table, written into its genesis, the same for all its orders (section 5).

Times in ticks, amounts in micro-tokens, shares and chances exact fractions, as texts ("1/8") where they are written.
"""

from dataclasses import asdict, dataclass, fields
from fractions import Fraction
from functools import lru_cache
from typing import Any

from verification.computation import WORK
from verification.dispute.messages import RULES
from verification.economics.deterrence import gain
from verification.encoding.canonical import LARGEST_NUMBER
from verification.encoding.schema import read
from verification.errors import Refusal
from verification.ledger.operations import GENESIS
from verification.ledger.state import Draft

DEPUTIES = 2
"""By lot, that give a result for who is absent, before the coordinator is asked."""
KAPPA = Fraction(1)
"""What the work costs at most, in prices: a device whose work costs more than the price declines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What every party can rely on.

    Raises:
        Refusal: bad-rules; undeterred: see ``deterrence``, or the fund would pay deputies, and a coalition could drain
            it by claims against its own results. Not where ``undeterred`` says that this is meant.
    """

    delta: int = 60
    """Delay bound: who answers this long after it could has answered in time."""
    window: int = 600
    """How long a shown result is open to claims."""
    heart: int = 5
    """Between two signs of life of a device; three that are missed are a device that vanished."""
    levels: int = 2
    """Of a tree that one message descends."""
    message_limit: int = 96_000
    """Bytes of a message, at most."""
    work: int = WORK
    """Multiply-accumulates of a step, at most."""
    sigma: int = 8
    """Stake of a lease, in audit prices: at least its price and its device's cost."""
    challenger_share: Fraction = Fraction(1, 8)
    """Of a fallen stake, to who won the dispute."""
    verifier_share: Fraction = Fraction(1, 4)
    """Of a fallen stake, to the fund; the rest is burnt, rounding included."""
    asserter_share: Fraction = Fraction(1, 2)
    """Of a lost bond, to who was wrongly challenged; the rest is burnt, rounding included."""
    coalition_share: Fraction = Fraction(1, 5)
    """q: the largest part of an audit's lot that one coalition may hold."""
    audit: Fraction = Fraction(1, 5)
    """p: the chance that a result is audited."""
    fee: Fraction = Fraction(11, 50)
    """Of the audit price, beside the price, to the fund that pays audits: 1.1 p, so that it grows on the average."""
    bond_prices: int = 4
    """A claim's bond, at least, in audit prices."""
    missed_share: Fraction = Fraction(1, 10)
    """Of the stake of who is late, burnt: nobody gains by another's delay."""
    fund_prices: int = 50
    """What the fund holds at genesis, in largest prices."""
    largest_price: int = 1_000_000
    """Of a lease or its audit; a cost is not above it either."""
    undeterred: bool = False
    """Whether rules are allowed under which a cheat gains on the average."""

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if type(value) is not type(item.default):
                raise Refusal("bad-rules", f"{item.name}: {value!r} is no {type(item.default).__name__}")
            if isinstance(value, Fraction) and not 0 <= value <= 1:
                raise Refusal("bad-rules", f"{item.name}: {value} is not from 0 to 1")
            if type(value) is int and not 1 <= value <= LARGEST_NUMBER // 2**10:
                raise Refusal("bad-rules", f"{item.name}: {value} is not from 1 to {LARGEST_NUMBER // 2**10}")
        try:
            read(RULES, {name: getattr(self, name) for name in RULES})
        except Refusal as refusal:
            raise Refusal("bad-rules", f"no dispute could begin: {refusal}") from None
        if self.work != WORK:
            raise Refusal("bad-rules", f"work: {self.work} is not {WORK}, by which all parties derive steps")
        if self.sigma * self.largest_price * 2 > LARGEST_NUMBER:
            raise Refusal("bad-rules", f"sigma x largest_price: stakes would be beyond {LARGEST_NUMBER}")
        if self.challenger_share + self.verifier_share > 1:
            raise Refusal("bad-rules", "challenger_share + verifier_share: more than the whole stake")
        if not self.audit < self.fee <= self.audit * 3 / 2:
            raise Refusal("bad-rules", f"fee: {self.fee} is not above 1 to 3/2 of what audits at {self.audit} cost")
        if self.verifier_share * self.sigma < self.fee:
            raise Refusal("bad-rules", "verifier_share: a result that falls brings the fund less than its fee")
        if not self.undeterred and self.bond_prices * (1 - self.asserter_share) < DEPUTIES:
            raise Refusal("undeterred", "asserter_share: what is left of a lost bond does not pay its deputies")
        if not self.undeterred and (lost := deterrence(self)) <= 0:
            raise Refusal("undeterred", f"a cheat gains {float(-lost):.3g} prices on the average; see deterrence")

    def plain(self) -> dict[str, Any]:
        """As it stands in the genesis."""
        return {name: str(value) if isinstance(value, Fraction) else value for name, value in asdict(self).items()}


def deterrence(rules: Rules) -> Fraction:
    """What a cheat loses on the average by one lease, in prices, where a coalition holds q of the lot: above 0 deters.

    See ``economics.deterrence``. Of a price below the audit price there is less to gain: neither stake nor the work
    that a friend among the verifiers is spared is less for it.
    """
    return -gain(rules.audit, rules.coalition_share, rules.sigma, rules.challenger_share, KAPPA)


def read_rules(plain: Any) -> Rules:
    """Rules from how they stand in a genesis: all of them, none else, each in its one spelling.

    Raises:
        Refusal: malformed, bad-rules, undeterred.
    """
    names = {item.name: item.default for item in fields(Rules)}
    if type(plain) is not dict or plain.keys() != names.keys():
        raise Refusal("malformed", f"rules: the keys are {', '.join(sorted(names))}")
    given: dict[str, Any] = {
        name: _fraction(name, plain[name]) if type(default) is Fraction else plain[name]
        for name, default in names.items()
    }
    return Rules(**given)


def _fraction(name: str, text: Any) -> Fraction:
    try:
        value = Fraction(text) if type(text) is str and len(text) <= 32 else None
    except (ValueError, ZeroDivisionError):
        value = None
    if value is None or str(value) != text:
        raise Refusal("malformed", f"{name}: a fraction in lowest terms is a text like 1/8")
    return value


@lru_cache(maxsize=64)
def _known(plain: tuple[tuple[str, Any], ...]) -> Rules:
    return read_rules(dict(plain))


def rules_of(draft: Draft) -> Rules:
    """The rules in force."""
    return _known(tuple(draft.fact(GENESIS, "rules").items()))
