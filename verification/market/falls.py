"""What verdicts do to money (section 5): who was wrong falls, who was right and open beside it gets back what is its.

Of a fallen stake ``challenger_share`` goes to who won the dispute, ``verifier_share`` to the fund, to no person, and
the rest is burnt. The payment is reversed, the requests wait again, ranked higher; the key is removed, and its other
open leases end: their stakes return, their payments do not come. Who confirmed a wrong root falls with it.
"""

from dataclasses import replace

from verification.ledger.state import BURNT, FUND, Draft
from verification.market import orders, parties
from verification.market.accounts import bond, free, slash, stake
from verification.market.audits import paid_from_bond
from verification.market.records import Audit, Claim, Device, Lease, Result, find, known, store
from verification.market.returns import close, drop_claim, leave_result, take_back, unpay
from verification.market.rules import rules_of


def overturn(draft: Draft, name: str) -> None:
    """A claim was right: the result falls, and all who confirmed it; bonds return.

    The challenger's share goes to the claim's owner; of an audit that was bought, to who bought it.
    """
    claim = find(draft, Claim, name)
    gainer = claim.owner
    if claim.audit:
        gainer = find(draft, Audit, claim.lease).buyer or gainer
    for verifier in find(draft, Result, claim.lease).confirmed:
        fall(draft, verifier, gainer)
    fall(draft, claim.lease, gainer)


def uphold(draft: Draft, name: str) -> None:
    """A claim was wrong: ``asserter_share`` of its bond goes to who was challenged, the rest is burnt; a verifier falls
    for its own header, and its audit is over."""
    claim = find(draft, Claim, name)
    asserter = find(draft, Lease, claim.lease)
    result = find(draft, Result, claim.lease)
    store(draft, claim.lease, replace(result, refuted=[*result.refuted, claim.root]))
    slash(draft, bond(claim.owner, name), (free(asserter.owner), rules_of(draft).asserter_share))
    drop_claim(draft, name)
    if claim.audit:
        audit = find(draft, Audit, claim.lease)
        paid_from_bond(draft, find(draft, Lease, claim.audit), audit, BURNT)
        store(draft, claim.lease, replace(audit, outcome="stands", verifier=""))
        fall(draft, claim.audit, asserter.owner)


def fall(draft: Draft, name: str, gainer: str) -> None:
    """A lease whose result was wrong: its stake is divided, its key removed. The coordinator gains for the fund."""
    lease, rules = find(draft, Lease, name), rules_of(draft)
    target = FUND if gainer == parties.coordinator(draft) else free(gainer)
    shares = ((target, rules.challenger_share), (FUND, rules.verifier_share))
    slash(draft, stake(lease.owner, name), *shares)
    if lease.audits:
        unpay(draft, name, lease)
    else:
        leave_result(draft, name, lease)
        orders.come_back(draft, name, lease)
    close(draft, name, lease)
    _remove(draft, lease.device)


def _remove(draft: Draft, key: str) -> None:
    """A device's key, for good; the coordinator's own stays, as the market's genesis says."""
    if key == parties.coordinator(draft):
        return
    parties.drop_offer(draft, key)
    store(draft, key, replace(find(draft, Device, key), removed=True))
    for name in list(draft.subjects(f"open:{key}")):
        if known(draft, Lease, name):
            take_back(draft, name)
