"""What is due of an honest coordinator, one step at a time (section 5): results shown or audited, lots, deputies, and
disputes begun, followed and ended.

What a step waits for it does not force: where the ledger refuses it as too early, nothing happens.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol

from verification.dispute.clocks import budgets
from verification.dispute.record import Proceedings
from verification.dispute.state import Verdict
from verification.encoding.canonical import canonical, digest
from verification.encoding.request import Request
from verification.errors import Refusal
from verification.ledger.state import Draft
from verification.market import auditors, claims, deputies
from verification.market.draws import drawn, lots
from verification.market.leases import ENOUGH, coordinator_could
from verification.market.records import Audit, Claim, Deputies, Lease, Result, find, known
from verification.market.records import Dispute as Played
from verification.market.rules import rules_of


class Office(Protocol):
    """A coordinator's: its ledger, its key, its secrets, and the lists of the audits that are open."""

    @property
    def draft(self) -> Draft:
        """The ledger as it stands."""

    @property
    def key(self) -> str:
        """The coordinator's."""

    @property
    def lists(self) -> dict[str, list[list[str]]]:
        """From which the lots of an audit are drawn, by lease."""

    @property
    def sealed(self) -> dict[str, int]:
        """The number of the secret that draws a bought audit's lots, by lease."""

    def secret(self, number: int) -> str:
        """That draws a lease's audit, or a bought audit's lots."""

    def seal(self, number: int) -> str:
        """The secret's SHA-256."""

    def device_of(self, owner: str, lease: str) -> str:
        """The device of an owner that is to compute a lease again; "" where none can now."""

    def order_of(self, kind: str, content: Any, blobs: Mapping[str, bytes] | None = None) -> Request:
        """A request of its own, performed.

        Raises:
            Refusal: see the ledger.
        """


def received(office: Office, name: str) -> None:
    """A result is shown where the draw has not taken it, or where nobody could audit; else its first lot is drawn."""
    draft = office.draft
    lease, secret = find(draft, Lease, name), office.secret(_number(draft, name))
    taken = draft.tick > lease.due or drawn(secret, find(draft, Result, name).signed, rules_of(draft).audit)
    listed = auditors.listing(draft, name) if taken else []
    if listed or (taken and coordinator_could(draft, auditors.models_of(draft, lease))):
        office.lists[name] = listed
        _lot(office, name, 0)
    else:
        office.order_of("publish", {"lease": name, "secret": secret})


def audit(office: Office, name: str) -> None:
    """An audit's next step: seal, lot, lease to a verifier, or what it is over with."""
    draft = office.draft
    found = find(draft, Audit, name)
    if not found.seal:
        office.sealed[name] = number = _next_number(draft)
        office.lists[name] = auditors.listing(draft, name, found.buyer)
        office.order_of("seal", {"lease": name, "number": number, "seal": office.seal(number)})
    elif found.outcome == "stands":
        reveal(office, name)
    elif not found.verifier and not found.outcome:
        if found.lots and not found.over and _leased(office, "audit", name, found.lots[-1]):
            return
        with suppress(Refusal):  # too early for the next lot
            _lot(office, name, len([owner for owner in found.lots if owner != office.key]))
            return
        with suppress(Refusal):  # somebody is left
            reveal(office, name)


def _lot(office: Office, name: str, drawn_before: int) -> None:
    draft = office.draft
    owner, weights = office.key, [(key, int(weight)) for key, weight in office.lists[name]]
    models = auditors.models_of(draft, find(draft, Lease, name))
    many = len(weights) >= ENOUGH or not coordinator_could(draft, models)
    if drawn_before < len(weights) and many:
        signed = find(draft, Result, name).signed
        owner = lots(_lots_secret(office, name), signed, weights, drawn_before + 1)[drawn_before]
    found = find(draft, Audit, name) if known(draft, Audit, name) else Audit(seal=name)
    office.order_of("lot", {"lease": name, "seal": found.seal, "index": len(found.lots), "owner": owner})


def _lots_secret(office: Office, name: str) -> str:
    number = office.sealed.get(name)
    return office.secret(_number(office.draft, name) if number is None else number)


def reveal(office: Office, name: str) -> None:
    """Show what drew an audit's lots, and the list."""
    content: dict[str, Any] = {"lease": name, "secret": _lots_secret(office, name), "list": None}
    if set(find(office.draft, Audit, name).lots) <= {office.key}:
        office.order_of("reveal", content)
    else:
        listed = digest(office.lists[name])
        office.order_of("reveal", content | {"list": listed}, {listed: canonical(office.lists[name])})
    office.sealed.pop(name, None)


def _leased(office: Office, kind: str, name: str, owner: str) -> bool:
    """Lease the same requests to the device of an owner that was drawn, if it can take them now."""
    number, device = _next_number(office.draft), office.device_of(owner, name)
    if not device:
        return False
    with suppress(Refusal):
        office.order_of(kind, {"lease": name, "device": device, "number": number, "seal": office.seal(number)})
        return True
    return False


def absent(office: Office, name: str) -> None:
    """Deputies for verifiers that did not play; where none is left, those have lost."""
    if not deputize(office, name):
        with suppress(Refusal):  # too early
            office.order_of("dismiss", {"lease": find(office.draft, Deputies, name).absent[0]})


def deputize(office: Office, name: str) -> bool:
    """A deputy's next step: a lot, or a lease to the one whose lot it is; False: there is none, or not yet."""
    draft = office.draft
    found = find(draft, Deputies, name) if known(draft, Deputies, name) else Deputies()
    if found.lease or (not found.over and _leased(office, "deputize", name, found.lots[-1])):
        return True
    with suppress(Refusal):  # too early, or nobody is left
        office.order_of("summon", {"lease": name, "index": len(found.lots)})
        return True
    return False


def begin(office: Office, claim: str) -> Request:
    """Begin the dispute over a claim: its message 0."""
    draft = office.draft
    found, rules = find(draft, Claim, claim), rules_of(draft)
    result, lease = find(draft, Result, found.lease), find(draft, Lease, found.lease)
    content = {
        "claim": claim,
        "header": result.header,
        "computation": claims.disputed(draft, lease),
        "asserter": lease.device,
        "challenger": found.challenger,
        "roots": {"asserter": result.root, "challenger": found.root},
        "rules": {name: getattr(rules, name) for name in ("delta", "levels", "message_limit")},
        "budgets": budgets(rules.delta, lease.limit),
        "tick": draft.tick,
        "head": {"number": draft.number - 1, "digest": draft.head},
    }
    return office.order_of("begin", content)


def replace(office: Office, claim: str, held: Proceedings) -> None:
    """Somebody takes the place of an absent asserter: who confirmed its result, then deputies; or none is left."""
    draft = office.draft
    name, played = find(draft, Claim, claim).lease, find(draft, Played, claim).played
    left = [lease for lease in find(draft, Result, name).confirmed if lease not in played]
    if left:
        held.replace_asserter(find(draft, Lease, left[0]).device, draft.tick)
        clocks = held.entries[-1].record.content["clocks"]
        office.order_of("take_up", {"claim": claim, "lease": left[0], "clocks": clocks})
    elif not deputize(office, name) and deputies.forfeited(office.draft, claim):
        held.forfeit(draft.tick)
        follow(office, claim, held, held.entries[-1].record.content, None)


def follow(office: Office, claim: str, held: Proceedings, told: dict[str, Any], raw: bytes | None) -> None:
    """Enter what a record says in the ledger."""
    if told["event"] == "message" and raw is not None:
        content = {"claim": claim, "message": told["message"], "clocks": told["clocks"]}
        office.order_of("play", content, {told["message"]: raw})
    elif told["event"] == "clock" and told["verdict"] is None:
        office.order_of("timeout", {"claim": claim, "clocks": told["clocks"]})
    if told["verdict"] is not None:
        conclude(office, claim, Verdict(**told["verdict"]), held.entries[-1].record.name)


def conclude(office: Office, claim: str, verdict: Verdict, record: str) -> None:
    """Enter a verdict, or that there is none."""
    if verdict.winner is None:
        office.order_of("void", {"claim": claim, "record": record})
    else:
        content = {"claim": claim, "winner": verdict.winner, "reason": verdict.reason, "record": record}
        office.order_of("verdict", content)


def _number(draft: Draft, name: str) -> int:
    return find(draft, Lease, name).number


def _next_number(draft: Draft) -> int:
    return draft.fact("count", "number") or 0
