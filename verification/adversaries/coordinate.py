"""What an honest coordinator does of its own, and what parties answer it, until nothing is open.

One step of a lease at a time, in the order in which leases came; where nothing is due, time passes. A coordinator
``spares`` results that it should have audited where an adversary says so.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from verification.adversaries.cast import COORDINATOR, LIMIT
from verification.adversaries.scene import Scene
from verification.dispute.clocks import budgets
from verification.dispute.dispute import Dispute, identity
from verification.dispute.party import honest
from verification.dispute.record import Proceedings
from verification.dispute.state import Verdict
from verification.dispute.transcript import transcript
from verification.encoding.canonical import canonical, digest, parsed
from verification.encoding.signature import public
from verification.errors import Refusal
from verification.market import audits, claims
from verification.market import deputies as market_deputies
from verification.market.draws import drawn, lots
from verification.market.leases import ENOUGH, coordinator_could
from verification.market.records import Audit, Claim, Deputies, Lease, Result
from verification.market.records import Dispute as Played

MOST_TICKS = 10**6
"""A game that is not over by then is stuck."""


def settle(scene: Scene, until: Callable[[], bool] | None = None) -> None:
    """Everybody does what is due until no lease is open, or ``until`` says so.

    Raises:
        RuntimeError: it does not end.
    """
    end = scene.tick + MOST_TICKS
    while scene.names("lease") and not (until and until()):
        before = scene.ledger.head
        for lease in scene.names("lease"):
            if scene.known(Lease, lease):
                go_on(scene, lease)
        if scene.ledger.head == before:
            paced = any(party.pace for party in scene.parties.values())
            scene.advance(1 if paced else max(1, scene.rules.delta // 10))
        if scene.tick > end:
            raise RuntimeError(f"still open: {scene.names('lease')}")


def go_on(scene: Scene, name: str) -> None:
    """What is due of one lease."""
    lease = scene.find(Lease, name)
    party = scene.party(lease.device)
    late = scene.tick > lease.due
    match lease.state:
        case "offered" if party.online and not late:
            try:
                scene.ask(party.name, "accept", {"lease": name})
            except Refusal:
                scene.ask(party.name, "decline", {"lease": name})
        case "offered" if late:
            scene.order_of("decline", {"lease": name})
        case "held" if party.online and not late:
            scene.deliver(name)
        case "held" if late:
            scene.order_of("miss", {"lease": name, "why": "late"})
        case "received":
            _received(scene, name, lease)
        case "audited" if scene.known(Deputies, name) and scene.find(Deputies, name).absent:
            _absent(scene, name)
        case "audited":
            _audit(scene, name, scene.find(Audit, name))
        case "disputed":
            _dispute(scene, lease.device)
        case "published" if scene.tick > scene.find(Result, name).window:
            scene.order_of("final", {"lease": name})
        case "due":
            scene.order_of("final", {"lease": name})


def _received(scene: Scene, name: str, lease: Lease) -> None:
    """A result is shown where the draw has not taken it, else its first lot is drawn."""
    signed, secret = scene.find(Result, name).signed, scene.secret(lease.number)
    nobody = audits.nobody_could(scene.draft, name)
    if nobody or (scene.tick <= lease.due and not drawn(secret, signed, scene.rules.audit)):
        scene.publish(name)
    else:
        scene.lists[name] = audits.listing(scene.draft, name)
        _lot(scene, name, 0)


def _audit(scene: Scene, name: str, audit: Audit) -> None:
    """An audit's next step: seal, lot, lease to a verifier, or what it is over with."""
    if not audit.seal:
        scene.sealed[name] = number = scene.number
        scene.lists[name] = audits.listing(scene.draft, name, audit.buyer)
        scene.order_of("seal", {"lease": name, "number": number, "seal": scene.seal(number)})
    elif audit.outcome == "stands":
        reveal(scene, name)
    elif not audit.verifier and not audit.outcome:
        if audit.lots and not audit.over and _leased(scene, "audit", name, audit.lots[-1]):
            return
        strangers = [owner for owner in audit.lots if owner != scene.parties[COORDINATOR].key]
        with suppress(Refusal):  # too early for the next lot
            _lot(scene, name, len(strangers))
            return
        with suppress(Refusal):  # somebody is left
            reveal(scene, name)


def _lot(scene: Scene, name: str, drawn_before: int) -> None:
    owner, weights = scene.parties[COORDINATOR].key, [(key, int(weight)) for key, weight in scene.lists[name]]
    models = audits.models_of(scene.draft, scene.find(Lease, name))
    many = len(weights) >= ENOUGH or not coordinator_could(scene.draft, models)
    if drawn_before < len(weights) and many:
        signed = scene.find(Result, name).signed
        owner = lots(_lots_secret(scene, name), signed, weights, drawn_before + 1)[drawn_before]
    audit = scene.find(Audit, name) if scene.known(Audit, name) else Audit(seal=name)
    scene.order_of("lot", {"lease": name, "seal": audit.seal, "index": len(audit.lots), "owner": owner})


def _lots_secret(scene: Scene, name: str) -> str:
    return scene.secret(scene.sealed.get(name, scene.find(Lease, name).number))


def reveal(scene: Scene, name: str) -> None:
    """Show what drew an audit's lots, and the list."""
    content: dict[str, Any] = {"lease": name, "secret": _lots_secret(scene, name), "list": None}
    if set(scene.find(Audit, name).lots) <= {scene.parties[COORDINATOR].key}:
        scene.order_of("reveal", content)
    else:
        listed = digest(scene.lists[name])
        scene.order_of("reveal", content | {"list": listed}, {listed: canonical(scene.lists[name])})
    scene.sealed.pop(name, None)


def _leased(scene: Scene, kind: str, name: str, owner: str) -> bool:
    """Lease the same requests to the device of an owner that was drawn, if it can take them now."""
    number, device = scene.number, public(scene.party(owner).device)
    content = {"lease": name, "device": device, "number": number, "seal": scene.seal(number)}
    with suppress(Refusal):
        scene.order_of(kind, content)
        return True
    return False


def _absent(scene: Scene, name: str) -> None:
    """Deputies for verifiers that did not play; where none is left, those have lost."""
    if not deputize(scene, name):
        with suppress(Refusal):  # too early
            scene.order_of("dismiss", {"lease": scene.find(Deputies, name).absent[0]})


def deputize(scene: Scene, name: str) -> bool:
    """A deputy's next step: a lot, or a lease to the one whose lot it is."""
    found = scene.find(Deputies, name) if scene.known(Deputies, name) else Deputies()
    if found.lease or (not found.over and _leased(scene, "deputize", name, found.lots[-1])):
        return True
    with suppress(Refusal):  # too early, or nobody is left
        scene.order_of("summon", {"lease": name, "index": len(found.lots)})
        return True
    return False


def _dispute(scene: Scene, device: str) -> None:
    """The dispute against a device goes on by a message, or the first claim of its queue begins."""
    running = next((claim for claim in scene.names(f"claims:{device}") if scene.known(Played, claim)), "")
    if not running:
        running = claims.first(scene.draft, device)
        scene.disputes[running] = begin(scene, running)
        return
    held = scene.disputes[running]
    if held.dispute.turn is None:
        _replace(scene, running, held)
    else:
        _answer(scene, running, held)
    if held.dispute.verdict is not None:
        scene.verdicts.append((running, held.dispute.verdict))
        scene.decided[running] = scene.disputes.pop(running)


def begin(scene: Scene, claim: str) -> Proceedings:
    """Begin the dispute over a claim."""
    found = scene.find(Claim, claim)
    result, lease = scene.find(Result, found.lease), scene.find(Lease, found.lease)
    number, head = scene.ledger.head
    rules = {name: getattr(scene.rules, name) for name in ("delta", "levels", "message_limit")}
    content = {"claim": claim, "header": result.header, "computation": identity(scene.computation)}
    content |= {"asserter": lease.device, "challenger": found.challenger, "rules": rules, "tick": scene.tick}
    content |= {"roots": {"asserter": result.root, "challenger": found.root}}
    content |= {"budgets": budgets(scene.rules.delta, LIMIT), "head": {"number": number, "digest": head}}
    begun = scene.order_of("begin", content)
    return Proceedings(Dispute(scene.computation, begun), scene.parties[COORDINATOR].device)


def _answer(scene: Scene, claim: str, held: Proceedings) -> None:
    """Whose turn it is answers by the trace it stands by, once a message; its budget may be spent."""
    dispute, tick = held.dispute, scene.tick
    assert dispute.turn is not None and dispute.clocks.due is not None
    party, place = scene.party(dispute.key(dispute.turn)), (claim, dispute.state.index, dispute.state.asserter)
    before = len(held.entries)
    if tick > dispute.clocks.due:
        held.tick(tick)
    elif (
        party.online and place not in scene.sent and tick >= min(dispute.clocks.since + party.pace, dispute.clocks.due)
    ):
        scene.sent.add(place)
        raw = message(scene, claim, dispute)
        with suppress(Refusal):
            if raw is not None:
                held.receive(raw, tick)
    for entry in held.entries[before:]:
        follow(scene, claim, held, entry.record.content, entry.message)


def message(scene: Scene, claim: str, dispute: Dispute) -> bytes | None:
    """What whose turn it is sends, by the trace it stands by; None: nothing."""
    assert dispute.turn is not None
    key, root = dispute.key(dispute.turn), dispute.content["roots"][dispute.turn]
    if root not in scene.traces:
        return None
    if (claim, key) not in scene.playing:
        signing, wrap = scene.signing[key], scene.party(key).wrap
        play = honest(signing, scene.traces[root])
        scene.playing[claim, key] = wrap(signing, play) if wrap else play
    return scene.playing[claim, key](dispute)


def _replace(scene: Scene, claim: str, held: Proceedings) -> None:
    """Somebody takes the place of an absent asserter: who confirmed its result, then deputies; or none is left."""
    name, played = scene.find(Claim, claim).lease, scene.find(Played, claim).played
    left = [lease for lease in scene.find(Result, name).confirmed if lease not in played]
    if left:
        held.replace_asserter(scene.find(Lease, left[0]).device, scene.tick)
        content = {"claim": claim, "lease": left[0], "clocks": held.entries[-1].record.content["clocks"]}
        scene.order_of("take_up", content)
    elif not deputize(scene, name) and market_deputies.forfeited(scene.draft, claim):
        held.forfeit(scene.tick)
        follow(scene, claim, held, held.entries[-1].record.content, None)


def follow(scene: Scene, claim: str, held: Proceedings, told: dict[str, Any], raw: bytes | None) -> None:
    """Enter what a record says in the ledger."""
    if told["event"] == "message" and raw is not None:
        content = {"claim": claim, "message": told["message"], "clocks": told["clocks"]}
        scene.order_of("play", content, {told["message"]: raw})
    elif told["event"] == "clock" and told["verdict"] is None:
        scene.order_of("timeout", {"claim": claim, "clocks": told["clocks"]})
    if told["verdict"] is not None:
        conclude(scene, claim, Verdict(**told["verdict"]), held.entries[-1].record.name)


def conclude(scene: Scene, claim: str, verdict: Verdict, record: str) -> None:
    """Enter a verdict, or that there is none."""
    if verdict.winner is None:
        scene.order_of("void", {"claim": claim, "record": record})
    else:
        content = {"claim": claim, "winner": verdict.winner, "reason": verdict.reason, "record": record}
        scene.order_of("verdict", content)


def told(scene: Scene, held: Proceedings) -> dict[str, Any]:
    """The transcript of a dispute."""
    begun, genesis = held.dispute.content, parsed(next(scene.ledger.events()).raw)
    results = {digest(asked.content["header"]): asked for asked in scene.results.values()}
    verifiers = {digest(["claim", lease]): asked for lease, asked in scene.results.items()}
    claim = (scene.claims | verifiers)[begun["claim"]]
    return transcript(scene.task.plain(), genesis, held.dispute, results[begun["header"]], claim, held.entries)
