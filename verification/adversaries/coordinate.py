"""What an honest coordinator does of its own, and what parties answer it, until nothing is open.

One step of a lease at a time, in the order in which leases came; where nothing is due, time passes. A coordinator
``spares`` results that it should have audited where an adversary says so.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from verification.adversaries.cast import COORDINATOR
from verification.adversaries.scene import Scene
from verification.dispute.dispute import Dispute
from verification.dispute.party import honest
from verification.dispute.record import Proceedings
from verification.dispute.transcript import transcript
from verification.encoding.canonical import digest, parsed
from verification.errors import Refusal
from verification.market import claims, duties
from verification.market.records import Deputies, Lease, Result
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
            duties.received(scene, name)
        case "audited" if scene.known(Deputies, name) and scene.find(Deputies, name).absent:
            duties.absent(scene, name)
        case "audited":
            duties.audit(scene, name)
        case "disputed":
            _dispute(scene, lease.device)
        case "published" if scene.tick > scene.find(Result, name).window:
            scene.order_of("final", {"lease": name})
        case "due":
            scene.order_of("final", {"lease": name})


def _dispute(scene: Scene, device: str) -> None:
    """The dispute against a device goes on by a message, or the first claim of its queue begins."""
    running = next((claim for claim in scene.names(f"claims:{device}") if scene.known(Played, claim)), "")
    if not running:
        running = claims.first(scene.draft, device)
        scene.disputes[running] = begin(scene, running)
        return
    held = scene.disputes[running]
    if held.dispute.turn is None:
        duties.replace(scene, running, held)
    else:
        _answer(scene, running, held)
    if held.dispute.verdict is not None:
        scene.verdicts.append((running, held.dispute.verdict))
        scene.decided[running] = scene.disputes.pop(running)


def begin(scene: Scene, claim: str) -> Proceedings:
    """Begin the dispute over a claim."""
    return Proceedings(Dispute(scene.computation, duties.begin(scene, claim)), scene.parties[COORDINATOR].device)


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
        duties.follow(scene, claim, held, entry.record.content, entry.message)


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


def told(scene: Scene, held: Proceedings) -> dict[str, Any]:
    """The transcript of a dispute."""
    begun, genesis = held.dispute.content, parsed(next(scene.ledger.events()).raw)
    results = {digest(asked.content["header"]): asked for asked in scene.results.values()}
    verifiers = {digest(["claim", lease]): asked for lease, asked in scene.results.items()}
    claim = (scene.claims | verifiers)[begun["claim"]]
    return transcript(scene.task.plain(), genesis, held.dispute, results[begun["header"]], claim, held.entries)
