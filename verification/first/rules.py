"""The parameters of challenges and slashing (section 5): once written into a ledger they hold for all its tasks."""

from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any

from verification.errors import Refusal
from verification.first.accounts import Draft, amount_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Times in ticks, whatever a tick is; amounts in micro-tokens; shares and chances exact.

    Raises:
        Refusal: bad-rules, or see ``amount_of``.
    """

    delta: int = 10
    """Delay bound: who acts this long after it could has acted in time; who is later loses."""
    work: int = 60
    """Time for computing a result and sealing it, ``delta`` apart."""
    window: int = 100
    """How long a published result stays open to challenges, others' lost challenges or not."""
    audit: Fraction = Fraction(1, 10)
    """p: the chance that the system challenges a result of a round in which no auditor withholds its reveal."""
    stake: int = 4_000_000
    """Behind each open task."""
    bond: int = 400_000
    """Of a challenger that is not the system."""
    pledge: int = 400_000
    """Of an auditor, lost if it does not reveal."""
    challenger_share: Fraction = Fraction(1, 4)
    """Of a cheat's stake, to who proved it (to the fund where that is the system)."""
    verifier_share: Fraction = Fraction(1, 4)
    """Of a cheat's stake, to the verifiers' fund. The rest is burnt, rounding included."""
    asserter_share: Fraction = Fraction(1, 2)
    """Of a wrong challenger's bond, to the provider for its cost. The rest is burnt, rounding included."""
    missed_share: Fraction = Fraction(1, 10)
    """Of a late provider's stake, burnt: nobody gains by another's delay. The rest is returned, rounding included."""
    forfeit_all: bool = True
    """Whether a proven cheat loses the stakes behind its other open tasks too, or has them returned."""

    def __post_init__(self) -> None:
        for name in ("delta", "work", "window", "stake", "bond", "pledge"):
            amount_of(name, getattr(self, name))
        for name in ("audit", "challenger_share", "verifier_share", "asserter_share", "missed_share"):
            share = getattr(self, name)
            if not isinstance(share, Fraction) or not 0 <= share <= 1:
                raise Refusal("bad-rules", f"{name}: {share!r} is not allowed; a fraction from 0 to 1")
        if self.challenger_share + self.verifier_share > 1:
            raise Refusal("bad-rules", "challenger_share + verifier_share: more than the whole stake")


def adopt(draft: Draft, rules: Rules) -> None:
    """Write the rules down, once.

    Raises:
        Refusal: rules-adopted.
    """
    if draft.fact("rules"):
        raise Refusal("rules-adopted", "the rules do not change under running tasks")
    plain: dict[str, Any] = {item.name: getattr(rules, item.name) for item in fields(rules)}
    draft.state_fact("rules", {k: str(v) if isinstance(v, Fraction) else v for k, v in plain.items()})


def rules_of(draft: Draft) -> Rules:
    """The rules in force.

    Raises:
        Refusal: no-rules.
    """
    plain = draft.fact("rules")
    if not plain:
        raise Refusal("no-rules", "no rules were adopted")
    given: dict[str, Any] = {k: Fraction(v) if isinstance(v, str) else v for k, v in plain.items()}
    return Rules(**given)
