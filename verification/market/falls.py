"""What verdicts do to money (section 5): who was wrong falls, who was right and open beside it gets back what is its.

Of a fallen stake ``challenger_share`` goes to who won the dispute, ``verifier_share`` to the fund, to no person, and
the rest is burnt. The payment is reversed, the requests wait again, ranked higher; the key is removed, and what it has
not yet computed is taken back. Its other results go on, each with its stake, audit and window: were they taken back
too, a cheat under audit could lose its key to a friend's claim at a stake of nothing. Who confirmed a wrong root falls
with it.
"""

from collections.abc import Sequence
from dataclasses import replace

from verification.ledger.state import FUND, Draft
from verification.market import orders, parties
from verification.market.accounts import bond, free, pay, slash, stake
from verification.market.records import Audit, Claim, Deputies, Device, Lease, Result, find, known, store
from verification.market.returns import close, drop_claim, leave_result, take_back, unpay
from verification.market.rules import rules_of


def overturn(draft: Draft, name: str) -> None:
    """A claim was right: the result falls, and all who confirmed it; bonds return.

    The challenger's share goes to the claim's owner; of an audit that was bought, to who bought it. Deputies who gave
    the claim's root are paid from the stake.
    """
    claim = find(draft, Claim, name)
    result = find(draft, Result, claim.lease)
    gainer = claim.owner
    if claim.audit:
        payer = find(draft, Lease, claim.audit).payer
        gainer = gainer if payer in ("", FUND) else payer
    for verifier in result.confirmed:
        fall(draft, verifier, gainer)
    fall(draft, claim.lease, gainer, _same_root(draft, claim), claim.root)


def uphold(draft: Draft, name: str) -> None:
    """A claim was wrong: ``asserter_share`` of its bond goes to who was challenged, the rest pays deputies, then burns;
    a verifier or deputy falls for its own header."""
    claim = find(draft, Claim, name)
    asserter, confirmed = find(draft, Lease, claim.lease), find(draft, Result, claim.lease).confirmed
    share = (free(asserter.owner), rules_of(draft).asserter_share)
    slash(draft, bond(claim.owner, name), share, fees=_fees(draft, confirmed))
    drop_claim(draft, name)
    if claim.audit:
        refute(draft, claim.audit)


def refute(draft: Draft, name: str) -> None:
    """A verifier or deputy that differs was wrong; where it was an audit's, the next lot is drawn.

    Of the result its fall says nothing: a third root loses against a wrong one too. A bond that bought the audit pays
    who ends it. Nobody gains by verifiers that lose on purpose: each costs its owner a stake, of which at least
    ``verifier_share`` reaches no person, and the audit goes on.
    """
    lease = find(draft, Lease, name)
    main = lease.audits
    if known(draft, Audit, main) and (audit := find(draft, Audit, main)).verifier == name:
        store(draft, main, replace(audit, outcome="", verifier="", over=True, since=draft.tick))
    fall(draft, name, find(draft, Lease, main).owner, find(draft, Result, main).confirmed)


def fall(draft: Draft, name: str, gainer: str, deputies: Sequence[str] = (), root: str = "") -> None:
    """A lease whose result was wrong: its stake is divided, its key removed. The coordinator gains for the fund.

    ``deputies`` are leases of those to be paid before anything is burnt, ``root`` is what stands instead.
    """
    lease, rules = find(draft, Lease, name), rules_of(draft)
    target = FUND if gainer == parties.coordinator(draft) else free(gainer)
    shares = ((target, rules.challenger_share), (FUND, rules.verifier_share))
    slash(draft, stake(lease.owner, name), *shares, fees=_fees(draft, deputies))
    if lease.audits:
        unpay(draft, name, lease)
    else:
        leave_result(draft, name, lease, root)
        orders.come_back(draft, name, lease)
    close(draft, name, lease)
    _remove(draft, lease.device)


def _same_root(draft: Draft, claim: Claim) -> list[str]:
    """Leases that gave a claim's root: of other claims, or of those that did not play."""
    claims = [find(draft, Claim, name).audit for name in find(draft, Result, claim.lease).claims]
    absent = find(draft, Deputies, claim.lease).absent if known(draft, Deputies, claim.lease) else []
    return [name for name in [*claims, *absent] if name and find(draft, Result, name).root == claim.root]


def _fees(draft: Draft, verifiers: Sequence[str]) -> list[tuple[str, int]]:
    """What deputies among them are still to be paid, by account."""
    leases = [(name, find(draft, Lease, name)) for name in verifiers]
    due = [(pay(lease.owner, name), lease.price) for name, lease in leases if lease.deputy]
    return [(account, price) for account, price in due if not draft.balance(account)]


def _remove(draft: Draft, key: str) -> None:
    """A device's key, for good; the coordinator's own stays, as the market's genesis says."""
    if key == parties.coordinator(draft):
        return
    parties.drop_offer(draft, key)
    store(draft, key, replace(find(draft, Device, key), removed=True))
    for name in list(draft.subjects(f"open:{key}")):
        if known(draft, Lease, name) and not known(draft, Result, name):
            take_back(draft, name)
