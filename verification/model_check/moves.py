"""All that can happen next: what parties ask, what the coordinator does by its timers, deadlines that pass."""

import json
from collections.abc import Iterator
from typing import Any

from verification.ledger.state import Draft
from verification.market.auditors import listing
from verification.market.draws import lots
from verification.model_check.commitments import Commitment
from verification.model_check.disputes import began, ended, played, voided
from verification.model_check.happen import NOTHING, PASSED, Moves, coordinated, done, passes
from verification.model_check.parties import name_of
from verification.model_check.setting import HEADS, LIMIT, PRICE, RULES, TICK, Setting, device_of
from verification.model_check.sides import chose, failed
from verification.model_check.world import View


def parts(setting: Setting, view: View) -> tuple[tuple[str, str], ...]:
    """Of what something can happen next: keys of ``PARTS``, and subjects.

    Orders that come to the same are left out, each by a move that commutes with all that could come before it:

    - a lease that is due is paid at once: nothing else reads it, and it is checked before its owner could fail;
    - who shows a drawn result late comes to the same as who does in time: neither may, so that time does not pass;
    - a claim that comes while a dispute is played comes when there could be a verdict, or where the referee fails for
      the second time: before, nothing of a dispute reads other claims;
    - the window passes when the result could be final then: before, nothing else reads it but what parties need not do.
    """
    leases = view.subjects("lease")
    again = [name for name in leases if name != setting.lease]
    if due := [name for name in again if view.fact("lease", name)["state"] == "due"]:
        return (("helper", due[0]),)
    found = [("helper", name) for name in again]
    if setting.lease in leases:
        disputes = view.subjects("dispute")
        found += [(part, setting.lease) for part in ("claims", "main", "audit", "deputies")]
        found += [(part, name) for name in disputes for part in ("played", "ended", "voided")]
        found += [] if disputes else [("begin", name) for name in view.subjects("claim")]
    return tuple(found)


def _claims(setting: Setting, view: View, name: str) -> Moves:
    free = next((each for each in setting.challengers if view.fact("chosen", each) is None), "")  # they are alike
    if not free or not (result := view.fact("result", name))["window"]:
        return
    for dispute in view.subjects("dispute"):
        verdicts = any(move.what.startswith("verdict") for move in ended(setting, view, dispute))
        if not (verdicts or (result["voids"] and view.fact("place", "") == 0)):
            return
    for index, commitment in _differing(setting):
        for prices in (RULES.bond_prices, 2 * RULES.bond_prices)[: len(setting.challengers)]:
            terms = {"lease": setting.lease, "header": result["header"], "root": setting.root(commitment)}
            terms |= {"bond": str(prices * PRICE), "challenger": name_of(free)}
            yield from done(setting, view, setting.ask(free, "claim", terms), own=chose(setting, free, index))


def _differing(setting: Setting) -> Iterator[tuple[int, Commitment]]:
    return ((index, each) for index, each in enumerate(setting.others) if each.play)


def _helper(setting: Setting, view: View, name: str) -> Moves:
    lease = view.fact("lease", name)
    owner = setting.owners[lease["owner"]]
    device = owner if owner == "coordinator" else device_of(owner)
    own, late = owner == "coordinator", failed(setting, view, "late", owner)
    named: dict[str, Any] = {"lease": name}
    match lease["state"]:
        case "offered" if lease["due"] >= TICK:
            yield from done(setting, view, setting.ask(device, "accept", named))
            yield from done(setting, view, setting.ask(device, "decline", named), own=late)
            yield passes(view, "lease", name, "due", own=late)
        case "offered":
            yield from done(setting, view, coordinated(setting, "decline", named), timer=True)
        case "held":
            yield from _results(setting, view, name, owner, device)
            if not own and lease["due"] >= TICK:
                yield from done(setting, view, setting.ask(device, "return", named), own=late)
                yield passes(view, "lease", name, "due", own=late)
            yield from done(setting, view, coordinated(setting, "miss", named | {"why": "late"}), timer=True)
        case "due":
            yield from done(setting, view, coordinated(setting, "final", named), timer=True)
        case "absent":
            yield from done(setting, view, coordinated(setting, "dismiss", named), timer=True)


def _results(setting: Setting, view: View, lease: str, owner: str, device: str) -> Moves:
    for index, commitment in enumerate(setting.others):
        if owner != "coordinator" or commitment.right:
            asked, given = setting.result(lease, device, commitment)
            own = chose(setting, lease, index)
            yield from done(setting, view, asked, given, timer=owner == "coordinator", own=own)


def _main(setting: Setting, view: View, name: str) -> Moves:
    lease, named = view.fact("lease", name), {"lease": name}
    if lease["state"] == "received":
        secret = {"secret": setting.secrets[name]}
        yield from done(setting, view, coordinated(setting, "publish", named | secret), timer=True)
        if lease["due"] >= TICK and setting.roles.audit != "drawn":
            yield passes(view, "lease", name, "due")
    result, final = view.fact("result", name), coordinated(setting, "final", named)
    over = view.supposing("result", name, result | {"window": PASSED})
    if result["window"] < TICK:
        yield from done(setting, view, final, timer=True)
    elif any(done(setting, over, final)):
        yield passes(view, "result", name, "window")
    if setting.roles.audit == "bought" and view.fact("chosen", "user") is None:
        yield from done(setting, view, setting.ask("user", "challenge", named), own=chose(setting, "user", 0))


def _audit(setting: Setting, view: View, name: str) -> Moves:
    audit, lease = view.fact("audit", name), view.fact("lease", name)
    if audit is None:
        if lease["state"] == "received" and (setting.roles.audit == "drawn" or lease["due"] < TICK):
            listed = setting.listed(listing(Draft(view.state), name))
            yield from _lot(setting, view, name, listed, [])
        return
    if not audit["seal"]:
        listed = setting.listed(listing(Draft(view.state), name, audit["buyer"]))
        for seal in setting.bought:
            order = _order(setting, view, seal, listed)
            if not order or _is_next(setting, view, order[0]):
                content = {"lease": name, "number": 0, "seal": seal}
                yield from done(setting, view, coordinated(setting, "seal", content), timer=True)
        return
    if not audit["verifier"]:
        yield from _lot(setting, view, audit["seal"], audit["listed"], audit["lots"])
        if audit["lots"] and not audit["over"]:
            yield from _reissued(setting, view, "audit", audit["lots"][-1], audit["since"] >= TICK - LIMIT)
    strangers = set(audit["lots"]) - {name_of("coordinator")}
    given = {audit["listed"]: setting.lists[audit["listed"]]} if strangers else NOTHING
    content = {"lease": name, "secret": setting.secrets[audit["seal"]], "list": next(iter(given), None)}
    yield from done(setting, view, coordinated(setting, "reveal", content), given, timer=True)


def _lot(setting: Setting, view: View, seal: str, listed: str, drawn: list[str]) -> Moves:
    """The next lot, as an honest coordinator draws it."""
    left = [owner for owner in _order(setting, view, seal, listed) if owner not in drawn]
    for owner in [*left[:1], name_of("coordinator")]:
        content = {"lease": setting.lease, "seal": seal, "index": len(drawn), "owner": owner}
        yield from done(setting, view, coordinated(setting, "lot", content), timer=True)


def _order(setting: Setting, view: View, seal: str, listed: str) -> list[str]:
    """In which a secret draws who is on a list."""
    weights = [(owner, int(weight)) for owner, weight in json.loads(setting.lists[listed])]
    signed = view.fact("result", setting.lease)["signed"]
    return lots(setting.secrets[seal], signed, weights, len(weights))


def _reissued(setting: Setting, view: View, kind: str, owner: str, pending: bool) -> Moves:
    """A lease to who was drawn; or it has no slot for one work limit."""
    name = setting.owners[owner]
    device = name if name == "coordinator" else device_of(name)
    content = {"lease": setting.lease, "device": name_of(device), "number": 0, "seal": setting.again[kind, name]}
    yield from done(setting, view, coordinated(setting, kind, content), timer=True)
    if pending and name != "coordinator":
        record = "audit" if kind == "audit" else "deputies"
        late = failed(setting, view, "late", name)
        yield passes(view, record, setting.lease, "since", PASSED - LIMIT, own=late)


def _deputies(setting: Setting, view: View, name: str) -> Moves:
    deputies = view.fact("deputies", name)
    if deputies and not deputies["lease"] and not deputies["over"]:
        yield from _reissued(setting, view, "deputize", deputies["lots"][-1], deputies["since"] >= TICK - LIMIT)
    content = {"lease": name, "index": len(deputies["lots"]) if deputies else 0}
    if not (deputies and deputies["absent"]) and all(d["clocks"]["turn"] for d in view.facts("dispute").values()):
        return  # nobody is absent
    seen, asked = set[str](), coordinated(setting, "summon", content)
    left = [each for each in setting.helpers if not deputies or name_of(each) not in deputies["lots"]]
    for head in HEADS:
        for move in done(setting, view, asked, head=head, timer=True):
            lot = move.fact(view, "deputies", name)["lots"][-1]
            if lot not in seen and _is_next(setting, view, lot):
                yield move
            seen.add(lot)
        if len(seen) >= len(left) or not seen:
            return  # all were drawn that could be, or it is refused whatever the head


def _is_next(setting: Setting, view: View, owner: str) -> bool:
    """Helpers are alike: of those of whom nothing is known the first is drawn."""

    def untouched(name: str) -> bool:
        subjects = [("late", name), *(("chosen", each) for each in setting.works[name])]
        return all(view.fact(*subject) is None for subject in subjects)

    name = setting.owners[owner]
    return name == "coordinator" or not untouched(name) or name == next(filter(untouched, setting.helpers))


PARTS = {
    "claims": _claims,
    "main": _main,
    "audit": _audit,
    "deputies": _deputies,
    "helper": _helper,
    "played": played,
    "ended": ended,
    "voided": voided,
    "begin": began,
}
"""What can happen next of a claim's lease, its audit, its deputies, a helper's lease, a dispute, a claim."""
