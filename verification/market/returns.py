"""A lease that ends without its result becoming final (section 5): nobody has cheated in it.

The stake returns, but for what lateness costs; an order's requests wait again; bonds of claims return; verifiers that
have published are paid, whatever became of what they confirmed.
"""

from dataclasses import replace
from fractions import Fraction

from verification.ledger.state import BURNT, FUND, Draft
from verification.market import orders
from verification.market.accounts import bond, free, move_all, pay, split, stake
from verification.market.records import (
    Audit,
    Claim,
    Device,
    Lease,
    Result,
    drop,
    find,
    known,
    store,
)

OWED = ("fund", "owed")
"""The fact that says what the fund owes: to verifiers whose leases are open."""


def owed(draft: Draft) -> int:
    """Micro-tokens that the fund owes."""
    return int(draft.fact(*OWED) or 0)


def owe(draft: Draft, amount: int) -> None:
    """It owes more, or less."""
    draft.put(*OWED, owed(draft) + amount)


def take_back(draft: Draft, name: str, burnt: Fraction = Fraction(0)) -> None:
    """End a lease, whatever its state; ``burnt`` of its stake is."""
    lease = find(draft, Lease, name)
    account = stake(lease.owner, name)
    if lost := split(draft.balance(account), burnt)[0]:
        draft.move(account, BURNT, lost)
    move_all(draft, account, free(lease.owner))
    if lease.audits:
        _leave_audit(draft, name, lease)
    else:
        leave_result(draft, name, lease)
        orders.come_back(draft, name, lease)
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


def leave_result(draft: Draft, name: str, lease: Lease) -> None:
    """What hangs on a lease's result, if there is one, ends: claims, an audit; who confirmed it is to be paid."""
    if not known(draft, Result, name):
        return
    result = find(draft, Result, name)
    for claim in result.claims:
        close_claim(draft, claim)
    for verifier in result.confirmed:
        set_due(draft, verifier)
    if known(draft, Audit, name):
        audit = find(draft, Audit, name)
        drop(draft, Audit, name)
        if audit.bond:
            move_all(draft, bond(audit.buyer, audit.bond), free(audit.buyer))
        if audit.verifier and find(draft, Lease, audit.verifier).state == "differs":
            set_due(draft, audit.verifier)
        elif audit.verifier and not audit.outcome:
            take_back(draft, audit.verifier)
    if lease.state == "disputed":
        bar(draft, lease, -1)


def close_claim(draft: Draft, name: str) -> None:
    """A claim ends without a verdict: its bond returns."""
    claim = find(draft, Claim, name)
    move_all(draft, bond(claim.owner, name), free(claim.owner))
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
    """A verifier will not be paid; what was bought with a bond returns to who bought it."""
    if lease.payer == FUND:
        owe(draft, -lease.price)
    else:
        move_all(draft, pay(lease.owner, name), free(lease.payer))
    if lease.state == "confirmed":
        result = find(draft, Result, lease.audits)
        store(draft, lease.audits, replace(result, confirmed=[other for other in result.confirmed if other != name]))


def restate(draft: Draft, name: str) -> None:
    """A result's state after its claims or its audit have changed: its device is barred while it is disputed."""
    lease, disputed = find(draft, Lease, name), bool(find(draft, Result, name).claims)
    if disputed != (lease.state == "disputed"):
        bar(draft, lease, 1 if disputed else -1)
    state = "disputed" if disputed else "audited" if known(draft, Audit, name) else "published"
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
    """A verifier leaves: the next lot, if the audit is not over. What it confirmed stays confirmed."""
    unpay(draft, name, lease)
    if lease.state in ("offered", "held", "differs") and known(draft, Audit, lease.audits):
        audit = find(draft, Audit, lease.audits)
        store(draft, lease.audits, replace(audit, verifier="", outcome="", over=True))
    if lease.state == "differs":
        claims = find(draft, Result, lease.audits).claims
        drop_claim(draft, next(claim for claim in claims if find(draft, Claim, claim).audit == name))
