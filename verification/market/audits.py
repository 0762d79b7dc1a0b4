"""Audits (section 5): which results are computed again, by whom, and what follows.

A result is drawn by the hash of its lease's secret, which its provider does not know, and of the signed result, which
the coordinator cannot sign: neither alone biases it. By the same hash the verifier is drawn: by lot among the owners
whose offers could run it, one an owner, weighted by its deposit. The coordinator, who alone knows the secret until the
audit is over, names each lot as it goes; the ledger notes the list, and checks every lot once the secret is shown.

An owner who was drawn has one work limit to have a slot free; then comes the next lot, as it does where its device
leaves, or its own result is refuted. With fewer than three owners on the list, or none left, the coordinator audits;
where it cannot run the models either, the result goes unaudited.

The list is fixed by the first lot or the seal, no owner is drawn twice and the coordinator at most twice. So with n
owners on it an audit has at most n + 2 lots, each of delta + 2 work limits and a tick for each timer, and a dispute of
its verifier's, see ``claims``, and who waits for that.
"""

from dataclasses import replace
from hashlib import sha256
from typing import Any

from verification.encoding.canonical import digest, parsed
from verification.encoding.request import Request
from verification.encoding.schema import digest_text, key_text, number, optional, read
from verification.errors import Refusal
from verification.ledger.operations import coordinator_only
from verification.ledger.state import BURNT, FUND, Draft
from verification.market import parties
from verification.market.accounts import bond, free, move_all, pay
from verification.market.auditors import listing, models_of
from verification.market.draws import lots
from verification.market.leases import ENOUGH, NAMED, auditor, coordinator_could, hold, issue, number_taken
from verification.market.offers import taking
from verification.market.records import (
    Audit,
    Claim,
    Lease,
    Result,
    drop,
    find,
    in_state,
    known,
    store,
)
from verification.market.returns import close, open_claim, owe, restate
from verification.market.rules import rules_of

PRICES = 2
"""Of an audit that is bought."""
ATTEMPTS = 2
"""Of the coordinator's at an audit that is left to it; then the result can only be annulled."""
LOT = {"lease": digest_text, "seal": digest_text, "index": number(0, 2**32), "owner": key_text}
AUDIT = {"lease": digest_text, "device": key_text, "number": number(0, 2**53 - 1), "seal": digest_text}
SEAL = {"lease": digest_text, "number": number(0, 2**53 - 1), "seal": digest_text}
REVEAL = {"lease": digest_text, "secret": digest_text, "list": optional(digest_text)}


def lot(draft: Draft, request: Request) -> None:
    """{lease, seal, index, owner}, by the coordinator: who is drawn next to audit it; the first, 0, opens the audit.

    The seal is of the secret that draws the lots: the lease's name, or a bought audit's.

    Raises:
        Refusal: malformed, not-the-coordinator, no-such-lease, wrong-state, no-such-audit, under-audit, wrong-index,
            too-early, drawn-before, coordinator-audits, nobody-left, not-exhausted, nobody-could.
    """
    coordinator_only(draft, request)
    content = read(LOT, request.content)
    name, owner = content["lease"], content["owner"]
    lease = in_state(find(draft, Lease, name), name, "received", "audited", "disputed")
    first = lease.state == "received"
    audit = _listed(draft, name, Audit(seal=name)) if first else find(draft, Audit, name)
    if not audit.seal or audit.verifier or audit.outcome:
        raise Refusal("under-audit", f"{name}: has a verifier, or no lots are to be drawn")
    if (content["seal"], content["index"]) != (audit.seal, len(audit.lots)):
        raise Refusal("wrong-index", f"{name}: the next lot is number {len(audit.lots)} of {audit.seal}")
    if audit.lots and not _passed(draft, audit, lease):
        raise Refusal("too-early", f"{name}: {audit.lots[-1]} has until {audit.since + lease.limit}")
    _check_turn(draft, name, lease, audit, owner)
    store(draft, name, replace(audit, lots=[*audit.lots, owner], since=draft.tick, over=False))
    restate(draft, name)


def audit(draft: Draft, request: Request) -> None:
    """{lease, device, number, seal}, by the coordinator: a lease of the same requests to a device of the drawn owner.

    All are paid the lease's audit price, whatever they ask. The coordinator's own is for nothing, and held at once.

    Raises:
        Refusal: malformed, not-the-coordinator, no-such-lease, no-such-audit, no-lot, or see ``reissue``.
    """
    coordinator_only(draft, request)
    content = read(AUDIT, request.content)
    name = content["lease"]
    found = find(draft, Audit, name)
    if not found.lots or found.verifier or found.outcome or found.over:
        raise Refusal("no-lot", f"{name}: no lot waits for a verifier")
    reissue(draft, content, found.lots[-1], found.buyer or FUND)
    store(draft, name, replace(found, verifier=content["seal"]))


def reissue(draft: Draft, content: dict[str, Any], owner: str, payer: str) -> None:
    """A lease of the same requests, see ``AUDIT``, to a device of an owner drawn by lot; a deputy's has no payer yet.

    Raises:
        Refusal: no-such-lease, not-drawn, or see ``taking``, ``number_taken`` and ``issue``.
    """
    name, key, seal = content["lease"], content["device"], content["seal"]
    lease, rules = find(draft, Lease, name), rules_of(draft)
    models, own = models_of(draft, lease), owner == parties.coordinator(draft)
    if not own:
        taking(draft, key, models)
    if owner != (key if own else auditor(draft, key, models, lease.owner, lease.audit_price)):
        raise Refusal("not-drawn", f"{key} is no device that could audit of {owner}")
    number_taken(draft, content["number"])
    price = 0 if own else lease.audit_price
    again = replace(lease, device=key, owner=owner, price=price, stake=rules.sigma * price, audits=name, payer=payer)
    again = replace(again, number=content["number"], state="offered", due=draft.tick + rules.delta, handback=0)
    issue(draft, seal, again)
    if own:
        hold(draft, seal, again)
    if payer == FUND:
        owe(draft, price)


def compare(draft: Draft, name: str, lease: Lease, found: Result) -> None:
    """A verifier's result: an equal root ends the audit, another one is a claim, without a bond."""
    main, audit = find(draft, Result, lease.audits), find(draft, Audit, lease.audits)
    if found.root == main.root:
        store(draft, lease.audits, replace(audit, outcome="stands", since=draft.tick))
        if lease.owner == parties.coordinator(draft):
            paid_from_bond(draft, lease, audit, FUND)
            close(draft, name, replace(lease, state="confirmed"))
        else:
            paid_from_bond(draft, lease, audit, pay(lease.owner, name))
            store(draft, name, replace(lease, state="confirmed"))
            store(draft, lease.audits, replace(main, confirmed=[*main.confirmed, name]))
    else:
        store(draft, lease.audits, replace(audit, outcome="differs"))
        differ(draft, name, lease, found)


def differ(draft: Draft, name: str, lease: Lease, found: Result) -> None:
    """A verifier's or deputy's result with another root is a claim of its device."""
    store(draft, name, replace(lease, state="differs"))
    claim = Claim(
        lease=lease.audits,
        root=found.root,
        challenger=lease.device,
        owner=lease.owner,
        bond=0,
        tick=draft.tick,
        audit=name,
    )
    open_claim(draft, digest(["claim", name]), claim)


def paid_from_bond(draft: Draft, verifier: Lease, audit: Audit, payee: str) -> None:
    """Of a bought audit that found nothing: one price to the verifier, half of one to the asserter, the rest burnt."""
    if not audit.bond:
        return
    account, main = bond(audit.buyer, audit.bond), find(draft, Lease, verifier.audits)
    for target, amount in ((payee, main.audit_price), (free(main.owner), main.audit_price // 2)):
        if amount:
            draft.move(account, target, amount)
    move_all(draft, account, BURNT)


def reveal(draft: Draft, request: Request) -> None:
    """{lease, secret, list}, by the coordinator, when an audit is over: every lot is checked; all may see the result.

    The list is a blob, null where no lot was drawn from it.

    Raises:
        Refusal: malformed, not-the-coordinator, no-such-lease, no-such-audit, too-early, wrong-secret, missing-list,
            wrong-list, wrong-lot.
    """
    coordinator_only(draft, request)
    content = read(REVEAL, request.content)
    name = content["lease"]
    lease, audit = find(draft, Lease, name), find(draft, Audit, name)
    if audit.outcome != "stands" and not _nobody(draft, audit, lease):
        raise Refusal("too-early", f"{name}: its audit is not over")
    if sha256(bytes.fromhex(content["secret"])).hexdigest() != audit.seal:
        raise Refusal("wrong-secret", f"the secret is not the one that {audit.seal} seals")
    if owners := _strangers(draft, audit):
        raw = draft.blob(content["list"]) if content["list"] else None
        if raw is None:
            raise Refusal("missing-list", f"{name}: the list of its lots has not come")
        if content["list"] != audit.listed:
            raise Refusal("wrong-list", f"{name}: the list of its lots is {audit.listed}")
        weights = [(owner, int(weight)) for owner, weight in parsed(raw)]
        if lots(content["secret"], find(draft, Result, name).signed, weights, len(owners)) != owners:
            raise Refusal("wrong-lot", f"{name}: other owners are drawn from the list")
    if audit.bond:
        move_all(draft, bond(audit.buyer, audit.bond), free(audit.buyer))
    drop(draft, Audit, name)
    show(draft, name)


def show(draft: Draft, name: str) -> None:
    """All may see a result; its window begins, if it has not."""
    found = find(draft, Result, name)
    if not found.window:
        store(draft, name, replace(found, window=draft.tick + rules_of(draft).window))
    restate(draft, name)


def challenge(draft: Draft, request: Request) -> None:
    """{lease}, by an owner, in the window: it buys an audit at two audit prices; once a result.

    Raises:
        Refusal: malformed, no-such-owner, no-such-lease, wrong-state, own-result, late, under-audit, beyond-free.
    """
    name = read(NAMED, request.content)["lease"]
    parties.owner(draft, request.party)
    lease = in_state(find(draft, Lease, name), name, "published", "disputed")
    found = find(draft, Result, name)
    if request.party == lease.owner:
        raise Refusal("own-result", f"{request.party} asserted it")
    if not found.window or known(draft, Audit, name):
        raise Refusal("under-audit", f"{name} is being audited")
    if draft.tick > found.window:
        raise Refusal("late", f"{name} was open to challenges until {found.window}")
    draft.move(free(request.party), bond(request.party, request.name), PRICES * lease.audit_price)
    store(draft, name, Audit(buyer=request.party, bond=request.name, since=draft.tick))
    restate(draft, name)


def seal(draft: Draft, request: Request) -> None:
    """{lease, number, seal}, by the coordinator: the secret that draws a bought audit's lots, and the list of them.

    Raises:
        Refusal: malformed, not-the-coordinator, no-such-audit, sealed, wrong-number.
    """
    coordinator_only(draft, request)
    content = read(SEAL, request.content)
    name = content["lease"]
    audit = find(draft, Audit, name)
    if audit.seal:
        raise Refusal("sealed", f"{name}: its lots have a seal")
    number_taken(draft, content["number"])
    store(draft, name, _listed(draft, name, replace(audit, seal=content["seal"], since=draft.tick)))


def _listed(draft: Draft, name: str, audit: Audit) -> Audit:
    found = listing(draft, name, audit.buyer)
    return replace(audit, listed=digest(found), many=len(found))


def _strangers(draft: Draft, audit: Audit) -> list[str]:
    return [owner for owner in audit.lots if owner != parties.coordinator(draft)]


def _passed(draft: Draft, audit: Audit, lease: Lease) -> bool:
    """Whether the last lot is over: its device left, or the owner had no slot for one work limit."""
    return audit.over or draft.tick > audit.since + lease.limit


def _nobody(draft: Draft, audit: Audit, lease: Lease) -> bool:
    """Whether nobody is left who could audit."""
    if not audit.seal or audit.verifier or audit.outcome or coordinator_could(draft, models_of(draft, lease)):
        return False
    return len(_strangers(draft, audit)) >= audit.many and (not audit.lots or _passed(draft, audit, lease))


def _check_turn(draft: Draft, name: str, lease: Lease, audit: Audit, owner: str) -> None:
    drawn, could = _strangers(draft, audit), coordinator_could(draft, models_of(draft, lease))
    few = audit.many < ENOUGH
    if owner == parties.coordinator(draft):
        if not could:
            raise Refusal("nobody-could", f"{name}: the coordinator has no offer for its models")
        if audit.lots.count(owner) == ATTEMPTS:
            raise Refusal("nobody-left", f"{name}: the coordinator has tried {ATTEMPTS} times")
        if not few and len(drawn) < audit.many:
            raise Refusal("not-exhausted", f"{name}: {audit.many - len(drawn)} owners are not drawn yet")
    elif few and could:
        raise Refusal("coordinator-audits", f"{name}: only {audit.many} other owners could")
    elif owner in drawn:
        raise Refusal("drawn-before", f"{owner} was drawn before")
    elif len(drawn) >= audit.many:
        raise Refusal("nobody-left", f"{name}: all {audit.many} owners are drawn")
