"""A lease that ends without its result becoming final (section 5): nobody has cheated in it.

The stake returns, but for what lateness costs; an order's requests wait again; bonds of claims return; verifiers that
have published are paid, whatever became of what they confirmed.
"""

from dataclasses import replace
from fractions import Fraction

from verification.ledger.state import BURNT, FUND, Draft
from verification.market import orders
from verification.market.accounts import bond, fee, free, move_all, pay, split, stake
from verification.market.records import (
    Audit,
    Claim,
    Deputies,
    Device,
    Dispute,
    Lease,
    Order,
    Result,
    drop,
    find,
    known,
    store,
)

OWED = ("fund", "owed")
"""The fact that says what the fund owes to verifiers whose leases are open, less the fees of results that are open."""


def owed(draft: Draft) -> int:
    """Micro-tokens that the fund owes beyond what it is to get; below 0 where it is to get more."""
    return int(draft.fact(*OWED) or 0)


def owe(draft: Draft, amount: int) -> None:
    """It owes more, or less."""
    draft.put(*OWED, owed(draft) + amount)


def take_back(draft: Draft, name: str, burnt: Fraction = Fraction(0), rank: int = 1) -> None:
    """End a lease, whatever its state; ``burnt`` of its stake is, and its requests gain ``rank``.

    None where this costs the device nothing: a user could go before all others by declines of devices of its own.
    """
    lease = find(draft, Lease, name)
    account = stake(lease.owner, name)
    if lost := split(draft.balance(account), burnt)[0]:
        draft.move(account, BURNT, lost)
    move_all(draft, account, free(lease.owner))
    if lease.audits:
        _leave_audit(draft, name, lease)
    else:
        leave_result(draft, name, lease)
        orders.come_back(draft, name, lease, rank)
    close(draft, name, lease)


def close(draft: Draft, name: str, lease: Lease) -> None:
    """A lease leaves the state."""
    drop(draft, Lease, name)
    drop(draft, Result, name)
    draft.put(f"open:{lease.device}", name, None)
    if lease.state in ("offered", "held"):
        free_slot(draft, lease)


def free_slot(draft: Draft, lease: Lease) -> None:
    """A slot of its device is taken no more."""
    device = find(draft, Device, lease.device)
    store(draft, lease.device, replace(device, busy=device.busy - 1))


def leave_result(draft: Draft, name: str, lease: Lease, root: str = "") -> None:
    """What hangs on a lease's result, if there is one, ends: claims, an audit, lots for deputies.

    Where it has fallen, and ``root`` stands, the fund, which has its share of the stake, pays verifiers that differ.
    Others were paid from a stake or bond, or are not: there is no fee for them, and a coalition could have any number
    of deputies, one after another being silent, or of results that are annulled.
    """
    if not known(draft, Result, name):
        return
    owe(draft, draft.balance(fee(find(draft, Order, lease.order).user, name)))
    result = find(draft, Result, name)
    differing = [verifier for claim in result.claims if (verifier := find(draft, Claim, claim).audit)]
    for claim in result.claims:
        close_claim(draft, claim)
    for verifier in [*result.confirmed, *differing, *end_deputies(draft, name)]:
        again = find(draft, Lease, verifier)
        if draft.balance(pay(again.owner, verifier)) or (root and not again.deputy):
            set_due(draft, verifier)
        else:
            _release(draft, verifier, again)
    if known(draft, Audit, name):
        audit = find(draft, Audit, name)
        drop(draft, Audit, name)
        if audit.bond:
            move_all(draft, bond(audit.buyer, audit.bond), free(audit.buyer))
        if audit.verifier and not audit.outcome:
            take_back(draft, audit.verifier)
    if lease.state == "disputed":
        bar(draft, lease, -1)


def _release(draft: Draft, name: str, lease: Lease) -> None:
    """A verifier's lease ends unpaid."""
    if lease.payer == FUND:
        owe(draft, -lease.price)
    move_all(draft, stake(lease.owner, name), free(lease.owner))
    close(draft, name, lease)


def end_deputies(draft: Draft, name: str) -> list[str]:
    """No lots are drawn any more for who was absent; the leases of those."""
    if not known(draft, Deputies, name):
        return []
    deputies = find(draft, Deputies, name)
    drop(draft, Deputies, name)
    if deputies.lease:
        take_back(draft, deputies.lease)
    return deputies.absent


def open_claim(draft: Draft, name: str, claim: Claim) -> None:
    """A claim waits: it is listed under ``claims:DEVICE``, by name, and its result is disputed."""
    result = find(draft, Result, claim.lease)
    store(draft, name, claim)
    draft.put(f"claims:{find(draft, Lease, claim.lease).device}", name, 1)
    claims, claimants = [*result.claims, name], [*result.claimants, claim.owner]
    store(draft, claim.lease, replace(result, claims=claims, claimants=claimants))
    restate(draft, claim.lease)


def close_claim(draft: Draft, name: str) -> None:
    """A claim ends without a verdict: its bond returns."""
    claim = find(draft, Claim, name)
    move_all(draft, bond(claim.owner, name), free(claim.owner))
    draft.put(f"claims:{find(draft, Lease, claim.lease).device}", name, None)
    drop(draft, Dispute, name)
    drop(draft, Claim, name)


def set_due(draft: Draft, name: str) -> None:
    """A verifier can be paid, and its stake be returned: see ``final``. Where no bond pays it, the fund does."""
    lease = find(draft, Lease, name)
    payer = lease.payer
    if payer != FUND and not draft.balance(pay(lease.owner, name)):
        payer = FUND
        owe(draft, lease.price)
    store(draft, name, replace(lease, state="due", payer=payer))


def unpay(draft: Draft, name: str, lease: Lease) -> None:
    """A verifier will not be paid; what was bought with a bond returns to who bought it; a deputy's pay is burnt."""
    if lease.payer == FUND:
        owe(draft, -lease.price)
    else:
        move_all(draft, pay(lease.owner, name), free(lease.payer) if lease.payer else BURNT)
    if lease.state == "confirmed":
        result = find(draft, Result, lease.audits)
        store(draft, lease.audits, replace(result, confirmed=[other for other in result.confirmed if other != name]))


def restate(draft: Draft, name: str) -> None:
    """A result's state after its claims or its audit have changed: its device is barred while it is disputed.

    It is audited also while deputies are drawn for a verifier that did not play.
    """
    lease, disputed = find(draft, Lease, name), bool(find(draft, Result, name).claims)
    audited = known(draft, Audit, name) or (known(draft, Deputies, name) and bool(find(draft, Deputies, name).absent))
    if disputed != (lease.state == "disputed"):
        bar(draft, lease, 1 if disputed else -1)
    state = "disputed" if disputed else "audited" if audited else "published"
    store(draft, name, replace(lease, state=state))


def bar(draft: Draft, lease: Lease, results: int) -> None:
    """So many more results of its device are disputed."""
    device = find(draft, Device, lease.device)
    store(draft, lease.device, replace(device, disputed=device.disputed + results))


def drop_claim(draft: Draft, name: str) -> None:
    """A claim ends without a verdict, its result goes on."""
    claim = find(draft, Claim, name)
    close_claim(draft, name)
    result = find(draft, Result, claim.lease)
    store(draft, claim.lease, replace(result, claims=[other for other in result.claims if other != name]))
    restate(draft, claim.lease)


def _leave_audit(draft: Draft, name: str, lease: Lease) -> None:
    """A verifier or deputy leaves: the next lot, if it was still to come. What it confirmed stays confirmed.

    One whose result differs never leaves: its claim is decided, or others are drawn for it while it is absent.
    """
    unpay(draft, name, lease)
    main = lease.audits
    if known(draft, Audit, main) and (audit := find(draft, Audit, main)).verifier == name and audit.outcome != "stands":
        store(draft, main, replace(audit, verifier="", outcome="", over=True, since=draft.tick))
    if known(draft, Deputies, main) and (deputies := find(draft, Deputies, main)).lease == name:
        store(draft, main, replace(deputies, lease="", over=True))
