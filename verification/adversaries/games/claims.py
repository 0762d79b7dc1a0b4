"""Claims against right results, claims that are thrown, and parties that are silent."""

from verification.adversaries.break_dispute import silent_at
from verification.adversaries.cast import PROVIDER, STRANGERS
from verification.adversaries.coordinate import settle
from verification.adversaries.end import End, ended
from verification.adversaries.scene import Scene, wrong
from verification.encoding.canonical import digest
from verification.ledger.operations import event_of
from verification.market.auditors import listing
from verification.market.draws import lots
from verification.market.operations import OPERATIONS
from verification.market.records import Deputies, Dispute, Lease, Result

PUPPETS = ("puppet 1", "puppet 2", "puppet 3", "puppet 4")
EARLIER = 1
"""Seed of a trace whose fault comes before that of seed 0: against it the step that decides is right there."""


def _shown(scene: Scene, *, cheats: bool = False) -> str:
    """A result of the provider's that the draw did not take, open to claims."""
    if cheats:
        scene.parties[PROVIDER].trace = wrong(scene)
    lease = scene.serve(drawn=False)
    scene.publish(lease)
    return lease


def _terms(scene: Scene, lease: str, name: str, root: str) -> dict[str, str]:
    header = digest(scene.results[lease].content["header"])
    return {"lease": lease, "header": header, "root": root, "bond": "4000", "challenger": scene.parties[name].key}


def wrong_challenger() -> End:
    """Claims that a right result is wrong.

    It loses its bond, of which the provider has half for answering: no worse off if that covers what answering cost it.
    """
    scene = Scene()
    scene.join(PUPPETS[0])
    lease = _shown(scene)
    scene.claim(PUPPETS[0], lease, wrong(scene))
    settle(scene)
    return ended(scene, PUPPETS[:1])


def repeating_challenger() -> End:
    """Claims again and again that a right result is wrong, under its own key and under three others.

    A second claim of one owner is refused. Each other key costs a bond, and delays payment by one dispute.
    """
    scene = Scene()
    lease = _shown(scene)
    for seed, name in enumerate(PUPPETS):
        scene.join(name)
        scene.claim(name, lease, wrong(scene, seed))
    again = _terms(scene, lease, PUPPETS[0], wrong(scene, 9).tree.root.hex())
    reason = scene.refused(PUPPETS[0], "claim", again)
    settle(scene)
    return ended(scene, PUPPETS, reason, measured={"disputes": len(scene.verdicts)})


def equal_claim() -> End:
    """Claims the root that the result has, so that a dispute would have no difference."""
    scene = Scene()
    scene.join(PUPPETS[0])
    lease = _shown(scene)
    reason = scene.refused(PUPPETS[0], "claim", _terms(scene, lease, PUPPETS[0], scene.right.tree.root.hex()))
    settle(scene)
    return ended(scene, PUPPETS[:1], reason)


def thrown_dispute() -> End:
    """A cheat's sock-puppet claims the right root first and throws the dispute, to shield the wrong result.

    It shields nothing: whoever is honest claims the same root at any tick of the window, is next and wins. The puppet's
    bond is lost too.
    """
    scene = Scene()
    scene.join(PUPPETS[0])
    lease = _shown(scene, cheats=True)
    scene.claim(PUPPETS[0], lease, scene.right)
    scene.parties[PUPPETS[0]].wrap = silent_at("descend-nodes")
    window = scene.find(Result, lease).window
    settle(scene, lambda: scene.tick == window)
    scene.claim(STRANGERS[0], lease, scene.right)
    settle(scene)
    return ended(scene, (PROVIDER, PUPPETS[0]))


def lost_audit() -> End:
    """A cheat's friends are drawn to verify, give a third root and lose on purpose, so that the audit finds nothing.

    Of the result a lost dispute says nothing: the next lot is drawn, until somebody confirms it or finds the cheat.
    Each friend has lost a stake, of which an eighth is all that comes back to the provider.
    """
    scene = Scene()
    for name in PUPPETS[:2]:
        scene.join(name, deposit=10**9).trace = wrong(scene, EARLIER)
    scene.parties[PROVIDER].trace = wrong(scene)
    scene.serve(drawn=True)
    settle(scene)
    winners = [verdict.winner for _, verdict in scene.verdicts]
    return ended(scene, (PROVIDER, *PUPPETS[:2]), measured={"lost on purpose": winners.count("asserter")})


def blocking_claims() -> End:
    """A cheat's puppets claim nonsense first, so that an honest claim waits behind theirs until the window is over.

    The highest bond is played first, who is right risks nothing by a high one, and a claim made in the window stays
    good in the queue: the honest one wins, and the puppets' bonds return unplayed.
    """
    scene = Scene()
    lease = _shown(scene, cheats=True)
    for seed, name in enumerate(PUPPETS, start=1):
        scene.join(name)
        scene.parties[name].pace = 10**6  # until the last tick that it has
        scene.claim(name, lease, wrong(scene, seed))
    window = scene.find(Result, lease).window
    settle(scene, lambda: scene.tick == window)
    scene.claim(STRANGERS[0], lease, scene.right, bond=8_000)
    settle(scene)
    measured = {"disputes": len(scene.verdicts), "ticks after the window": scene.tick - window}
    return ended(scene, (PROVIDER, *PUPPETS), measured=measured)


def drained_clock() -> End:
    """Four sock-puppets dispute a right result and take all the time they have, to use up the asserter's.

    Only one's own turns take of one's own clock, and each dispute brings the asserter a new one.
    """
    scene = Scene()
    lease = _shown(scene)
    for seed, name in enumerate(PUPPETS):
        scene.join(name)
        scene.parties[name].pace = 10**6
        scene.claim(name, lease, wrong(scene, seed))
    until = scene.tick
    settle(scene)
    measured = {"disputes": len(scene.verdicts), "ticks to the last verdict": scene.tick - until}
    return ended(scene, PUPPETS, measured=measured)


def offline_asserter() -> End:
    """Claims that a right result is wrong when its device is offline, and cannot answer.

    Deputies by lot compute it again, one of them plays, and is paid from the claim's bond.
    """
    scene = Scene()
    scene.join(PUPPETS[0])
    lease = _shown(scene)
    scene.parties[PROVIDER].online = False
    scene.claim(PUPPETS[0], lease, wrong(scene))
    settle(scene)
    return ended(scene, PUPPETS[:1], measured=_deputies(scene))


def false_deputies() -> End:
    """The same, and every deputy by lot is a friend of the challenger's and finds its root.

    After two the coordinator computes the result itself: the claim is lost, and the friends fall for their own roots.
    """
    return _false_deputies(own=True)


def only_false_deputies() -> End:
    """The same, where the coordinator cannot run the model: who is right and absent loses, since every deputy is false.

    The protocol does not resist this: no honest party has computed the result and answers.
    """
    return _false_deputies(own=False)


def foretold_deputies() -> End:
    """The same, where friends hold a tenth of the lots, and before each lot write the event that draws one of them.

    A lot is drawn by the last event and by the coordinator's signature, which nobody else knows before.
    """
    scene = Scene(own=False)
    false = wrong(scene)
    for name in PUPPETS:
        scene.join(name, deposit=100_000).trace = false
    lease = _shown(scene)
    scene.parties[PROVIDER].online = False
    scene.claim(PUPPETS[0], lease, false)
    settle(scene, lambda: _foretell(scene, lease))
    return ended(scene, PUPPETS, measured=_deputies(scene))


def _foretell(scene: Scene, lease: str) -> bool:
    """A puppet offers anew, by a nonce for which the event's digest alone would draw a puppet; whether all is over."""
    disputes = scene.names("dispute")
    if disputes and scene.find(Dispute, disputes[0]).clocks["turn"] is None:
        result, lotted = scene.find(Result, lease), scene.find(Deputies, lease).lots if scene.names("deputies") else []
        out, keys = {*result.claimants, *lotted}, {scene.parties[name].key for name in PUPPETS}
        listed = [(owner, int(weight)) for owner, weight in listing(scene.draft, lease) if owner not in out]
        terms = {"models": [], "slots": 1, "cost": "1", "expiry": 1, "nonce": scene.nonce()}
        device = scene.parties[PUPPETS[0]].device
        while True:
            asked = scene.signed(device, "offer", terms | {"nonce": scene.nonce()})
            head = event_of(scene.state, asked, OPERATIONS, {}, scene.ledger.blob).digest
            if lots(head, result.signed, listed, 1)[0] in keys:
                scene.perform(asked)
                break
    return not scene.names("lease")


def _false_deputies(own: bool) -> End:
    scene = Scene(own=own)
    scene.join(PUPPETS[0])
    lease = _shown(scene)
    scene.parties[PROVIDER].online = False
    scene.claim(PUPPETS[0], lease, false := wrong(scene))
    for name in STRANGERS:
        scene.parties[name].trace = false
    settle(scene)
    together = {"deputies": STRANGERS}
    return ended(scene, (PUPPETS[0], "deputies"), together=together, prevented=own, measured=_deputies(scene))


def _deputies(scene: Scene) -> dict[str, float | str]:
    """How many took the place of who was absent."""
    return {"deputies": sum(event.request.kind == "take_up" for event in scene.ledger.events())}


def vanished_challenger() -> End:
    """Claims that a right result is wrong, and never answers: to hold payment up for nothing."""
    scene = Scene()
    scene.join(PUPPETS[0])
    lease = _shown(scene)
    scene.claim(PUPPETS[0], lease, wrong(scene))
    scene.parties[PUPPETS[0]].online = False
    settle(scene)
    return ended(scene, PUPPETS[:1])


def silent_cheat() -> End:
    """Gives a wrong result, is audited, and says nothing: where there is no answer there would be no verdict.

    Deputies compute the result again; none has its root, so it falls, and who computed the right one is paid.
    """
    scene = Scene()
    scene.parties[PROVIDER].trace = wrong(scene)
    scene.serve(drawn=True)
    scene.parties[PROVIDER].online = False
    settle(scene)
    return ended(scene, (PROVIDER,))


def puppet_wins() -> End:
    """A cheat about to be caught has its own sock-puppet claim first and win: the challenger's share comes back to it.

    Hence most of a stake goes to the fund and the fire: ``lost`` of it, in prices, is what deters.
    """
    scene = Scene()
    scene.join(PUPPETS[0])
    lease = _shown(scene, cheats=True)
    stake, price = scene.find(Lease, lease).stake, scene.find(Lease, lease).price
    scene.claim(PUPPETS[0], lease, scene.right)
    settle(scene)
    measured = {"stake": stake // price, "lost": -scene.gain(PROVIDER, PUPPETS[0]) / price}
    return ended(scene, (PROVIDER, PUPPETS[0]), measured=measured)


def fifty_leases() -> End:
    """Cheats on fifty leases at once, one of which is drawn: its stake is lost, its key removed.

    The others keep their stakes and windows: whoever looks at a removed key's results claims and is paid for each.
    """
    scene = Scene()
    scene.parties[PROVIDER].trace = wrong(scene)
    leases = [scene.serve(drawn=number == 7) for number in range(50)]
    for lease in leases:
        if lease != leases[7]:
            scene.publish(lease)
    settle(scene, lambda: bool(scene.verdicts))
    caught = -scene.gain(PROVIDER)
    for lease in leases:
        if scene.known(Lease, lease):
            scene.claim(STRANGERS[0], lease, scene.right)
    settle(scene)
    return ended(scene, (PROVIDER,), measured={"lost by the one": caught, "fallen": len(scene.verdicts)})
