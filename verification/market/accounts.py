"""Names of accounts, and how amounts are divided: to the micro-token, what is left over burnt (section 5).

An account is kind:owner, or kind:owner:subject; so the ledger keeps an owner's total, free and locked, by names alone.
"""

from collections.abc import Sequence
from fractions import Fraction

from verification.ledger.state import BURNT, Draft


def free(owner: str) -> str:
    """What an owner may spend or withdraw."""
    return f"free:{owner}"


def escrow(user: str, subject: str) -> str:
    """A user's payment: of an order what is not with its leases, of a lease its price."""
    return f"escrow:{user}:{subject}"


def fee(user: str, lease: str) -> str:
    """What a lease pays into the fund when its result is final."""
    return f"fee:{user}:{lease}"


def stake(owner: str, lease: str) -> str:
    """Behind one lease."""
    return f"stake:{owner}:{lease}"


def bond(owner: str, claim: str) -> str:
    """Behind a claim, or a challenge that buys an audit."""
    return f"bond:{owner}:{claim}"


def pay(owner: str, lease: str) -> str:
    """A verifier's, out of the bond that bought its audit, until the result it confirmed is final."""
    return f"pay:{owner}:{lease}"


def split(amount: int, *shares: Fraction) -> tuple[int, ...]:
    """floor(amount x share) for each share, then what remains: the parts sum to the amount."""
    parts = [amount * share.numerator // share.denominator for share in shares]
    return (*parts, amount - sum(parts))


def rounded_up(amount: int, share: Fraction) -> int:
    """ceil(amount x share): a fee is never less than its share."""
    return -(-amount * share.numerator // share.denominator)


def move_all(draft: Draft, source: str, target: str) -> None:
    """All that an account holds, 0 perhaps."""
    if held := draft.balance(source):
        draft.move(source, target, held)


def slash(draft: Draft, source: str, *shares: tuple[str, Fraction], fees: Sequence[tuple[str, int]] = ()) -> None:
    """Divide all that an account holds: floor(share) to each (account, share), then each (account, amount) of ``fees``
    for which it suffices, the rest burnt."""
    parts = split(draft.balance(source), *(share for _, share in shares))
    for (target, _), part in zip(shares, parts, strict=False):
        if part:
            draft.move(source, target, part)
    for target, amount in fees:
        if 0 < amount <= draft.balance(source):
            draft.move(source, target, amount)
    move_all(draft, source, BURNT)
