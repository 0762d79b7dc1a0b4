"""All that can happen next: what parties ask, what the coordinator does by its timers, deadlines that pass."""

import json
from collections.abc import Iterator
from typing import Any

from verification.encoding.canonical import digest
from verification.ledger.state import Draft
from verification.market.audits import listing
from verification.market.draws import lots
from verification.model_check.commitments import Commitment
from verification.model_check.disputes import of_claims, of_dispute
from verification.model_check.happen import NOTHING, PASSED, Move, coordinated, done, passes
from verification.model_check.parties import name_of
from verification.model_check.setting import HEADS, LIMIT, PRICE, RULES, TICK, Setting, device_of
from verification.model_check.world import World


def moves(setting: Setting, world: World) -> Iterator[Move]:
    """All that can happen next."""
    main = world.fact("lease", setting.lease)
    if main is not None:
        yield from _claims(setting, world)
        yield from _main(setting, world, main)
        yield from _audit(setting, world)
        yield from _deputies(setting, world)
    for name, lease in world.facts("lease").items():
        if lease["audits"]:
            yield from _helper(setting, world, name, lease)
    dispute = next(iter(world.facts("dispute")), "")
    if dispute:
        yield from of_dispute(setting, world, dispute)
    elif world.facts("claim"):
        yield from of_claims(setting, world)


def _claims(setting: Setting, world: World) -> Iterator[Move]:
    result = world.fact("result", setting.lease)
    if not result["window"]:
        return
    free = [name for name in setting.challengers if name not in world.chosen]
    for name in free[:1]:  # they are alike
        for index, commitment in _differing(setting):
            for prices in (RULES.bond_prices, 2 * RULES.bond_prices)[: len(setting.challengers)]:
                terms = {"lease": setting.lease, "header": result["header"], "root": commitment.root}
                terms |= {"bond": str(prices * PRICE), "challenger": name_of(name)}
                claim = setting.ask(name, "claim", terms)
                yield from done(setting, world, claim, chosen=world.chosen | {name: index})


def _differing(setting: Setting) -> Iterator[tuple[int, Commitment]]:
    return ((index, each) for index, each in enumerate(setting.others) if each.play)


def _helper(setting: Setting, world: World, name: str, lease: dict[str, Any]) -> Iterator[Move]:
    owner = setting.owners[lease["owner"]]
    device = setting.players[lease["device"]]
    device = owner if owner == "coordinator" else device_of(device)
    own, late = owner == "coordinator", world.late | {owner}
    named: dict[str, Any] = {"lease": name}
    match lease["state"]:
        case "offered" if lease["due"] >= TICK:
            yield from done(setting, world, setting.ask(device, "accept", named))
            yield from done(setting, world, setting.ask(device, "decline", named), late=late)
            yield passes(world, "lease", name, "due", late=late)
        case "offered":
            yield from done(setting, world, coordinated(setting, "decline", named), timer=True)
        case "held":
            yield from _results(setting, world, name, owner, device)
            if not own and lease["due"] >= TICK:
                yield from done(setting, world, setting.ask(device, "return", named), late=late)
                yield passes(world, "lease", name, "due", late=late)
            yield from done(setting, world, coordinated(setting, "miss", named | {"why": "late"}), timer=True)
        case "due":
            yield from done(setting, world, coordinated(setting, "final", named), timer=True)
        case "absent":
            yield from done(setting, world, coordinated(setting, "dismiss", named), timer=True)


def _results(setting: Setting, world: World, lease: str, owner: str, device: str) -> Iterator[Move]:
    for index, commitment in enumerate(setting.others):
        if owner != "coordinator" or commitment.right:
            asked, given = setting.result(lease, device, commitment)
            chosen = world.chosen | {lease: index}
            yield from done(setting, world, asked, given, timer=owner == "coordinator", chosen=chosen)


def _main(setting: Setting, world: World, lease: dict[str, Any]) -> Iterator[Move]:
    name = setting.lease
    named = {"lease": name}
    if lease["state"] == "received":
        secret = {"secret": setting.secrets[name]}
        yield from done(setting, world, coordinated(setting, "publish", named | secret), timer=True)
        if lease["due"] >= TICK:
            yield passes(world, "lease", name, "due")
    result = world.fact("result", name)
    if result["window"] >= TICK:
        yield passes(world, "result", name, "window")
    if result["window"] < TICK:
        yield from done(setting, world, coordinated(setting, "final", named), timer=True)
    if setting.roles.audit == "bought" and "user" not in world.chosen:
        chosen = world.chosen | {"user": 0}
        yield from done(setting, world, setting.ask("user", "challenge", named), chosen=chosen)


def _audit(setting: Setting, world: World) -> Iterator[Move]:
    name = setting.lease
    audit = world.fact("audit", name)
    lease = world.fact("lease", name)
    if audit is None:
        if lease["state"] == "received" and (setting.roles.audit == "drawn" or lease["due"] < TICK):
            listed = setting.listed(listing(Draft(world.state), name))
            yield from _lot(setting, world, name, listed, [])
        return
    if not audit["seal"]:
        listed = setting.listed(listing(Draft(world.state), name, audit["buyer"]))
        for seal in setting.bought:
            order = _order(setting, world, seal, listed)
            if not order or _is_next(setting, world, order[0]):
                content = {"lease": name, "number": 0, "seal": seal}
                yield from done(setting, world, coordinated(setting, "seal", content), timer=True)
        return
    if not audit["verifier"]:
        yield from _lot(setting, world, audit["seal"], audit["listed"], audit["lots"])
        if audit["lots"]:
            yield from _reissued(setting, world, "audit", audit["lots"][-1], audit["since"] >= TICK - LIMIT)
    strangers = set(audit["lots"]) - {name_of("coordinator")}
    given = {audit["listed"]: setting.lists[audit["listed"]]} if strangers else NOTHING
    content = {"lease": name, "secret": setting.secrets[audit["seal"]], "list": next(iter(given), None)}
    yield from done(setting, world, coordinated(setting, "reveal", content), given, timer=True)


def _lot(setting: Setting, world: World, seal: str, listed: str, drawn: list[str]) -> Iterator[Move]:
    """The next lot, as an honest coordinator draws it."""
    left = [owner for owner in _order(setting, world, seal, listed) if owner not in drawn]
    for owner in [*left[:1], name_of("coordinator")]:
        content = {"lease": setting.lease, "seal": seal, "index": len(drawn), "owner": owner}
        yield from done(setting, world, coordinated(setting, "lot", content), timer=True)


def _order(setting: Setting, world: World, seal: str, listed: str) -> list[str]:
    """In which a secret draws who is on a list."""
    weights = [(owner, int(weight)) for owner, weight in json.loads(setting.lists[listed])]
    signed = world.fact("result", setting.lease)["signed"]
    return lots(setting.secrets[seal], signed, weights, len(weights))


def _reissued(setting: Setting, world: World, kind: str, owner: str, pending: bool) -> Iterator[Move]:
    """A lease to who was drawn; or it has no slot for one work limit."""
    name = setting.owners[owner]
    device = name if name == "coordinator" else device_of(name)
    seal = setting.sealed(digest([kind, name]))
    setting.computes[seal] = name
    content = {"lease": setting.lease, "device": name_of(device), "number": 0, "seal": seal}
    yield from done(setting, world, coordinated(setting, kind, content), timer=True)
    if pending and name != "coordinator":
        record = "audit" if kind == "audit" else "deputies"
        late = world.late | {name}
        yield passes(world, record, setting.lease, "since", PASSED - LIMIT, late=late)


def _deputies(setting: Setting, world: World) -> Iterator[Move]:
    name = setting.lease
    deputies = world.fact("deputies", name)
    if deputies and not deputies["lease"] and not deputies["over"]:
        yield from _reissued(setting, world, "deputize", deputies["lots"][-1], deputies["since"] >= TICK - LIMIT)
    content = {"lease": name, "index": len(deputies["lots"]) if deputies else 0}
    if not (deputies and deputies["absent"]) and all(d["clocks"]["turn"] for d in world.facts("dispute").values()):
        return  # nobody is absent
    seen, asked = set[str](), coordinated(setting, "summon", content)
    for head in HEADS if len(setting.helpers) > 1 else HEADS[:1]:
        for move in done(setting, world, asked, head=head, timer=True):
            lot = move.after.fact("deputies", name)["lots"][-1]
            if lot not in seen and _is_next(setting, world, lot):
                seen.add(lot)
                yield move


def _is_next(setting: Setting, world: World, owner: str) -> bool:
    """Helpers are alike: of those of whom nothing is known the first is drawn."""
    name = setting.owners[owner]
    known = world.late.union(setting.computes[lease] for lease in world.chosen if lease in setting.computes)
    untouched = [each for each in setting.helpers if each not in known]
    return name not in untouched or name == untouched[0]
