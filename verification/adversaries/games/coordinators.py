"""A coordinator that does not do what it should: what it cannot do, and what it can, alone or with a party."""

from verification.adversaries.cast import COORDINATOR, LIMIT, PROVIDER, RULES, STRANGERS, USER
from verification.adversaries.coordinate import begin, message, settle, told
from verification.adversaries.end import End, ended
from verification.adversaries.scene import Scene, wrong
from verification.dispute.record import Entry, Proceedings
from verification.dispute.state import Verdict
from verification.dispute.transcript import replay
from verification.encoding.request import request
from verification.errors import Refusal
from verification.market.auditors import listing
from verification.market.duties import conclude, reveal
from verification.market.records import Audit, Lease

FRIEND = "friend"


def hidden_draw() -> End:
    """The coordinator alone shows a result that the draw has taken, to spare its device the audit.

    The secret that it has to show for that draws the audit; and a result not shown within delta is audited.
    """
    scene = Scene()
    scene.parties[PROVIDER].trace = wrong(scene)
    lease = scene.serve(drawn=True)
    secret = scene.secret(scene.find(Lease, lease).number)
    reason = scene.refused(COORDINATOR, "publish", {"lease": lease, "secret": secret})
    scene.advance(RULES.delta + 1)
    assert scene.refused(COORDINATOR, "publish", {"lease": lease, "secret": secret}) == "late"
    settle(scene)
    return ended(scene, (PROVIDER,), reason)


def chosen_lot() -> End:
    """The coordinator names a friend of the cheat as the verifier that was drawn, and the friend confirms.

    The secret that ends the audit draws somebody else: it can never be shown, and neither the cheat nor its friend is
    ever paid. When its time is over the user has the lease annulled, and another device serves the order.
    """
    scene = Scene()
    scene.join(FRIEND, deposit=8_000).league = True
    scene.parties[PROVIDER].trace = wrong(scene)
    lease = scene.serve(drawn=True)
    scene.lists[lease] = listing(scene.draft, lease)
    terms = {"lease": lease, "seal": lease, "index": 0, "owner": scene.parties[FRIEND].key}
    scene.order_of("lot", terms)
    settle(scene, lambda: scene.find(Audit, lease).outcome == "stands")
    try:
        reveal(scene, lease)
        raise AssertionError("the friend was drawn by chance")
    except Refusal as refusal:
        reason = refusal.reason
    scene.advance(LIMIT + RULES.delta + 1)
    scene.ask(USER, "annul", {"lease": lease})
    return ended(scene, (PROVIDER, FRIEND), reason)


def spared_friend() -> End:
    """The coordinator and a provider together: it seals a secret that will not draw the wrong result they agreed on.

    Nothing prevents this, nor shows it: the draw is right. What remains is that anyone may claim in the window.
    """
    scene = Scene()
    scene.parties[PROVIDER].trace = wrong(scene)
    leases = [scene.serve(drawn=False) for _ in range(20)]
    settle(scene)
    measured = {"escaped, of 20": sum(not scene.known(Lease, lease) for lease in leases)}
    return ended(scene, (PROVIDER,), paid=(), prevented=False, measured=measured)


def spared_friend_challenged() -> End:
    """The same, where a stranger who computed it claims in the window.

    What the coordinator spares only a challenge finds; the challenger's share pays it.
    """
    scene = Scene()
    scene.parties[PROVIDER].trace = wrong(scene)
    lease = scene.serve(drawn=False)
    scene.publish(lease)
    scene.claim(STRANGERS[0], lease, scene.right)
    settle(scene)
    return ended(scene, (PROVIDER,))


def bought_verdict() -> End:
    """The coordinator and a challenger together: it enters that a right result is wrong.

    The ledger has no model and obeys; the record that the verdict names does not follow from the messages, which
    whoever replays the transcript sees. Restitution is outside the protocol.
    """
    scene = Scene()
    scene.join(FRIEND)
    lease = _shown(scene)
    claim = scene.claim(FRIEND, lease, wrong(scene))
    measured = _sold(scene, claim, "challenger", "step-wrong")
    settle(scene)
    return ended(scene, (FRIEND,), "step-wrong", prevented=False, measured=measured)


def bought_acquittal() -> End:
    """The coordinator and a cheat together: it enters that a wrong result is right.

    The honest claim loses its bond; as before only a replay shows it.
    """
    scene = Scene()
    scene.parties[PROVIDER].trace = wrong(scene)
    lease = _shown(scene)
    claim = scene.claim(STRANGERS[0], lease, scene.right)
    measured = _sold(scene, claim, "asserter", "step-right")
    settle(scene)
    return ended(scene, (PROVIDER,), "step-right", paid=(), prevented=False, measured=measured)


def early_verdict() -> End:
    """The coordinator enters a verdict before any message decides, and before anybody's time is over."""
    scene = Scene()
    scene.join(FRIEND)
    claim = scene.claim(FRIEND, _shown(scene), wrong(scene))
    scene.disputes[claim] = begin(scene, claim)
    terms = {"claim": claim, "winner": "challenger", "reason": "silent", "record": "0" * 64}
    reason = scene.refused(COORDINATOR, "verdict", terms)
    settle(scene)
    return ended(scene, (FRIEND,), reason)


def late_on_purpose() -> End:
    """The coordinator calls a device vanished that is not, and takes its lease back.

    Nothing prevents it: it is its word that nothing came. It costs the device a tenth of a stake, burnt, so that nobody
    gains by it.
    """
    scene = Scene()
    lease = scene.lend()
    scene.advance(3 * RULES.heart + 1)
    scene.order_of("miss", {"lease": lease, "why": "vanished"})
    settle(scene)
    return ended(scene, (COORDINATOR,), "vanished", prevented=False)


def _shown(scene: Scene) -> str:
    lease = scene.serve(drawn=False)
    scene.publish(lease)
    return lease


def _sold(scene: Scene, claim: str, winner: str, reason: str) -> dict[str, float | str]:
    """Both parties play to the last message; the verdict entered is another than follows. Whether a replay objects to
    the record with it, and to the true one."""
    held = begin(scene, claim)
    dispute = held.dispute
    while dispute.verdict is None:
        raw = message(scene, claim, dispute)
        assert raw is not None
        held.receive(raw, scene.tick)
        said = held.entries[-1].record.content
        content = {"claim": claim, "message": said["message"], "clocks": said["clocks"]}
        scene.order_of("play", content, {said["message"]: raw})
    true, last = dispute.verdict, held.entries[-1]
    false = last.record.content["verdict"] | {"winner": winner, "reason": reason}
    record = request(held.key, "record", scene.market, last.record.content | {"verdict": false})
    conclude(scene, claim, Verdict(**false), record.name)
    scene.verdicts.append((claim, true))
    sold = [*held.entries[:-1], Entry(record, last.message)]
    measured: dict[str, float | str] = {}
    for name, entries in (("the sold verdict", sold), ("the true one", held.entries)):
        content = told(scene, Proceedings(dispute, held.key, entries))
        objection = replay(content, scene.computation, dispute.begin.party, scene.rules)
        measured[name] = "does not follow" if objection else "follows"
    return measured
