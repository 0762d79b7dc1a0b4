"""Deputies (section 5): nobody falls by another's silence or steps, nor by its own silence while others could play.

An asserter whose budget is spent, or whose steps of a leaf were wrong, is replaced, with a fresh budget each: first by
those who confirmed its result, who fall with it; then, where one who played was silent, by deputies. For wrong steps
none is drawn: who gives them is not absent. A root that is borne out stands, with the stake of all who committed to it,
whatever steps some of them gave.

A verifier whose header is a claim and who is silent in it is not refuted by that: its claim is set aside until deputies
have computed the result again, each of whom that differs claims for itself.

Deputies are drawn by lot as verifiers are, one at a time, until two have given a result, then the coordinator computes
it where it can. Each has a lease of the same requests at their price, which whoever loses pays. The lot is drawn by
the digest of the last event and the coordinator's signature under this: no party knows it before, not even whose own
event is the last, and the ledger checks it at once. The coordinator, who puts the events in order, could bias it, as it
could any dispute that it plays with a party.
"""

from dataclasses import replace
from typing import Any

from verification.dispute.clocks import Clocks, budgets, spent, stopped, taken_up
from verification.encoding.request import Request
from verification.encoding.schema import digest_text, mapping, number, read
from verification.errors import Refusal
from verification.ledger.operations import coordinator_only
from verification.ledger.state import Draft
from verification.market import parties
from verification.market.auditors import listing, models_of
from verification.market.audits import AUDIT, differ, reissue
from verification.market.claims import CLOCKS
from verification.market.draws import lots
from verification.market.falls import refute
from verification.market.leases import ENOUGH, NAMED, coordinator_could
from verification.market.records import Claim, Deputies, Dispute, Lease, Result, find, in_state, known, store
from verification.market.returns import drop_claim, restate
from verification.market.rules import DEPUTIES, rules_of

TIMEOUT = {"claim": digest_text, "clocks": mapping(CLOCKS)}
TAKE_UP = {"claim": digest_text, "lease": digest_text, "clocks": mapping(CLOCKS)}
SUMMON = {"lease": digest_text, "index": number(0, 2**32)}


def timeout(draft: Draft, request: Request) -> None:
    """{claim, clocks}, by the coordinator: who asserts has spent its budget, and is awaited; ``clocks`` are stopped.

    Raises:
        Refusal: malformed, not-the-coordinator, no-such-dispute, too-early, wrong-clocks.
    """
    coordinator_only(draft, request)
    content = read(TIMEOUT, request.content)
    name = content["claim"]
    dispute = find(draft, Dispute, name)
    clocks = Clocks(**dispute.clocks)
    if clocks.turn != "asserter" or not spent(clocks, draft.tick):
        raise Refusal("too-early", f"{name}: the asserter's budget is not spent")
    after = stopped(clocks, draft.tick)
    _check_clocks(content["clocks"], after)
    store(draft, name, replace(dispute, clocks=after.plain(), silent=True))


def take_up(draft: Draft, request: Request) -> None:
    """{claim, lease, clocks}, by the coordinator: who confirmed the result by this lease asserts it now.

    Raises:
        Refusal: malformed, not-the-coordinator, no-such-dispute, not-awaited, not-next, wrong-clocks.
    """
    coordinator_only(draft, request)
    content = read(TAKE_UP, request.content)
    name, lease = content["claim"], content["lease"]
    dispute = find(draft, Dispute, name)
    clocks, main = Clocks(**dispute.clocks), find(draft, Claim, name).lease
    if clocks.turn is not None:
        raise Refusal("not-awaited", f"{name}: the {clocks.turn}'s clock runs")
    if lease != (wanted := _defender(draft, main, dispute)):
        raise Refusal("not-next", f"{lease} does not play next; {wanted or 'a deputy by lot'} does")
    limit = find(draft, Lease, main).limit
    after = taken_up(clocks, budgets(rules_of(draft).delta, limit)["asserter"], draft.tick)
    _check_clocks(content["clocks"], after)
    key, played = find(draft, Lease, lease).device, [*dispute.played, lease]
    store(draft, name, replace(dispute, asserter=key, clocks=after.plain(), played=played))


def summon(draft: Draft, request: Request) -> None:
    """{lease, index}, by the coordinator: the next lot is drawn for who is absent in a dispute over this result.

    Raises:
        Refusal: malformed, not-the-coordinator, no-such-result, nobody-absent, defender-left, wrong-index, too-early,
            nobody-left.
    """
    coordinator_only(draft, request)
    content = read(SUMMON, request.content)
    name = content["lease"]
    claim, deputies = _awaiting(draft, name), _deputies(draft, name)
    published = deputies.published
    if claim:
        dispute = find(draft, Dispute, claim)
        published = dispute.published
        if left := _defender(draft, name, dispute):
            raise Refusal("defender-left", f"{name}: {left} has confirmed it and has not played")
        if not dispute.silent:
            raise Refusal("nobody-absent", f"{name}: who played for it gave wrong steps; no deputy is needed")
    elif not deputies.absent:
        raise Refusal("nobody-absent", f"{name}: no deputy is needed")
    if content["index"] != len(deputies.lots):
        raise Refusal("wrong-index", f"{name}: the next lot is number {len(deputies.lots)}")
    if not _passed(draft, name, deputies):
        raise Refusal("too-early", f"{name}: {deputies.lots[-1]} was drawn at {deputies.since}")
    owners = _left(draft, name, deputies, published)
    if not owners:
        raise Refusal("nobody-left", f"{name}: nobody is left who could compute it again")
    owner = lots(draft.head + request.signature, find(draft, Result, name).signed, owners, 1)[0]
    store(draft, name, replace(deputies, lots=[*deputies.lots, owner], since=draft.tick, over=False))


def deputize(draft: Draft, request: Request) -> None:
    """{lease, device, number, seal}, by the coordinator: a lease of the same requests to a device of the drawn owner.

    Raises:
        Refusal: malformed, not-the-coordinator, no-lot, or see ``reissue``.
    """
    coordinator_only(draft, request)
    content = read(AUDIT, request.content)
    name = content["lease"]
    deputies = _deputies(draft, name)
    if deputies.over or deputies.lease:
        raise Refusal("no-lot", f"{name}: no lot waits for a deputy")
    reissue(draft, content, deputies.lots[-1], "")
    store(draft, name, replace(deputies, lease=content["seal"]))


def compare_deputy(draft: Draft, name: str, lease: Lease, found: Result) -> None:
    """A deputy's result: an equal root confirms, so that it may play; another one is a claim, without a bond."""
    main, deputies = find(draft, Result, lease.audits), find(draft, Deputies, lease.audits)
    if claim := _awaiting(draft, lease.audits):
        dispute = find(draft, Dispute, claim)
        store(draft, claim, replace(dispute, published=dispute.published + 1))
    changed = replace(deputies, lease="", over=True, published=deputies.published + 1)
    store(draft, lease.audits, changed)
    if found.root == main.root:
        store(draft, name, replace(lease, state="confirmed"))
        store(draft, lease.audits, replace(main, confirmed=[*main.confirmed, name]))
    else:
        differ(draft, name, lease, found)


def set_aside(draft: Draft, name: str) -> None:
    """A claim whose verifier or deputy did not play: deputies are drawn for it."""
    claim = find(draft, Claim, name)
    deputies = _deputies(draft, claim.lease)
    absent = [*deputies.absent, claim.audit]
    store(draft, claim.lease, replace(deputies, absent=absent, published=0))
    store(draft, claim.audit, replace(find(draft, Lease, claim.audit), state="absent"))
    drop_claim(draft, name)


def dismiss(draft: Draft, request: Request) -> None:
    """{lease}, by the coordinator: of a verifier that did not play; no deputy is left that could differ, so it falls.

    Raises:
        Refusal: malformed, not-the-coordinator, no-such-lease, wrong-state, under-dispute, deputies-left.
    """
    coordinator_only(draft, request)
    verifier = read(NAMED, request.content)["lease"]
    name = in_state(find(draft, Lease, verifier), verifier, "absent").audits
    deputies = find(draft, Deputies, name)
    if find(draft, Result, name).claims:
        raise Refusal("under-dispute", f"{name}: other claims wait")
    if not exhausted(draft, name, deputies.published):
        raise Refusal("deputies-left", f"{name}: a deputy may still differ")
    store(draft, name, replace(deputies, absent=[other for other in deputies.absent if other != verifier]))
    refute(draft, verifier)
    restate(draft, name)


def forfeited(draft: Draft, claim: str) -> bool:
    """Whether the asserter of a claim's dispute is awaited and nobody is left to play for it."""
    dispute, name = find(draft, Dispute, claim), find(draft, Claim, claim).lease
    awaited = dispute.clocks["turn"] is None and not _defender(draft, name, dispute)
    return awaited and (not dispute.silent or exhausted(draft, name, dispute.published))


def exhausted(draft: Draft, name: str, published: int) -> bool:
    """Whether no deputy is at work on a lease's result and no lot is left, after so many have given one."""
    deputies = _deputies(draft, name)
    return _passed(draft, name, deputies) and not _left(draft, name, deputies, published)


def _awaiting(draft: Draft, name: str) -> str:
    """The claim of the dispute over a result whose asserter is awaited, if there is one."""
    for claim in find(draft, Result, name).claims:
        if known(draft, Dispute, claim) and find(draft, Dispute, claim).clocks["turn"] is None:
            return claim
    return ""


def _deputies(draft: Draft, name: str) -> Deputies:
    return find(draft, Deputies, name) if known(draft, Deputies, name) else Deputies()


def _defender(draft: Draft, name: str, dispute: Dispute) -> str:
    """Who plays next for the asserter: the first that confirmed and has not played; "" where there is none."""
    return next((lease for lease in find(draft, Result, name).confirmed if lease not in dispute.played), "")


def _passed(draft: Draft, name: str, deputies: Deputies) -> bool:
    """Whether the last lot is over, if there was one; an owner has one work limit to have a slot free."""
    late = draft.tick > deputies.since + find(draft, Lease, name).limit
    return not deputies.lease and (deputies.over or late)


def _left(draft: Draft, name: str, deputies: Deputies, published: int) -> list[tuple[str, int]]:
    """Of whom one is drawn next, with their weights: the coordinator alone where it is left to it, or nobody."""
    lease, coordinator = find(draft, Lease, name), parties.coordinator(draft)
    out = {*deputies.lots, *find(draft, Result, name).claimants}
    left = [(owner, int(weight)) for owner, weight in listing(draft, name) if owner not in out]
    could = coordinator not in deputies.lots and coordinator_could(draft, models_of(draft, lease))
    few = len(deputies.lots) + len(left) < ENOUGH
    if left and published < DEPUTIES and not (few and could):
        return left
    return [(coordinator, 1)] if could else []


def _check_clocks(given: dict[str, Any], after: Clocks) -> None:
    if given != after.plain():
        raise Refusal("wrong-clocks", f"the clocks are {after.plain()}")
