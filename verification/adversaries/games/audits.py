"""Audits that are dodged, drawn by friends, or milked."""

from dataclasses import replace
from fractions import Fraction
from functools import partial
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.adversaries.cast import COORDINATOR, PRICE, PROVIDER, RULES, STRANGERS, USER, key_of
from verification.adversaries.coordinate import settle
from verification.adversaries.end import End, ended
from verification.adversaries.scene import Scene, wrong
from verification.dispute.party import Party
from verification.economics.deterrence import gain
from verification.economics.fund import sham_order
from verification.encoding.signature import public
from verification.market.auditors import fair_audit_price
from verification.market.leases import auditor
from verification.market.records import Audit, Deputies, Lease
from verification.result import sign_result

FRIEND, PUPPET = "friend", "puppet"
CHEAP = PRICE // 100
SHARES = (Fraction(0), Fraction(1, 10), Fraction(1, 5), Fraction(3, 10))
"""Of a lot, that a coalition holds."""


def withheld_result() -> End:
    """Takes a lease and never delivers, to keep a rival's user waiting.

    It is late when its work limit is over: a tenth of its stake is burnt, the order waits again, ranked higher.
    """
    scene = Scene()
    lease = scene.lend()
    scene.parties[PROVIDER].online = False
    settle(scene)
    assert not scene.known(Lease, lease)
    return ended(scene, (PROVIDER,), "late")


def withheld_output() -> End:
    """Signs a result, and keeps the output to itself until somebody pays more.

    The output travels first: without it there is no result.
    """
    scene = Scene()
    lease = scene.lend()
    provider = scene.parties[PROVIDER]
    signed, _ = sign_result(provider.device, scene.market, lease, provider.trace)
    reason = scene.refused(PROVIDER, "result", signed.content)
    provider.online = False
    settle(scene)
    return ended(scene, (PROVIDER,), reason)


def second_result() -> End:
    """Gives a wrong result, sees that it is being audited, and gives the right one.

    The first that counts is the only one.
    """
    scene = Scene()
    provider = scene.parties[PROVIDER]
    provider.trace = wrong(scene)
    lease = scene.serve(drawn=True)
    settle(scene, lambda: scene.find(Lease, lease).state == "audited")
    signed, output = sign_result(provider.device, scene.market, lease, scene.right)
    reason = scene.refused(PROVIDER, "result", signed.content, {sha256(output).hexdigest(): output})
    settle(scene)
    return ended(scene, (PROVIDER,), reason)


def copied_result() -> End:
    """A verifier hands in the provider's result as its own, to be paid without any work.

    A header names lease and device, and until the audit is over nobody else is shown the root that it would have to
    sign. It is late then.
    """
    scene = Scene()
    lease = scene.serve(drawn=True)
    settle(scene, lambda: "held" in map(partial(_state, scene), scene.names("lease")))
    (verifier,) = (other for other in scene.names("lease") if other != lease)
    name = scene.party(scene.find(Lease, verifier).device).name
    copied, output = sign_result(scene.parties[PROVIDER].device, scene.market, lease, scene.right)
    reasons = set()
    for of in (lease, verifier):
        header = copied.content["header"] | {"lease": of}
        blobs = {sha256(output).hexdigest(): output}
        reasons.add(scene.refused(name, "result", copied.content | {"header": header}, blobs))
    (reason,) = reasons
    scene.parties[name].online = False
    settle(scene)
    return ended(scene, ("the verifier",), reason, together={"the verifier": [name]})


def _state(scene: Scene, lease: str) -> str:
    return str(scene.find(Lease, lease).state)


def owned_draw() -> End:
    """A provider and a puppet who verifies try to fix the draw, by trying wrong results until one is not drawn.

    The draw hashes a secret that neither of them knows: of forty wrong results as many are drawn as of any.
    """
    scene = Scene()
    scene.join(FRIEND).league = True
    leases = []
    for number in range(40):
        scene.add_device(PROVIDER, key_of(f"another device {number}"))
        scene.offer(PROVIDER)
        scene.parties[PROVIDER].trace = wrong(scene, number)
        leases.append(scene.serve())
    settle(scene, lambda: all(not _received(scene, lease) for lease in leases))
    taken = sum(scene.known(Lease, lease) and scene.find(Lease, lease).state == "audited" for lease in leases)
    settle(scene)
    measured = {"drawn, of 40": taken, "fallen": len(scene.verdicts)}
    return ended(scene, (PROVIDER, FRIEND), "step-wrong", measured=measured)


def _received(scene: Scene, lease: str) -> bool:
    return scene.known(Lease, lease) and _state(scene, lease) == "received"


def barred_strangers() -> End:
    """Claims falsely against each stranger's cheapest result, so that all who are barred leave the lots to friends.

    A bar is of orders alone: strangers who are barred are on the lists, and audit.
    """
    scene = Scene()
    for number in range(3):
        scene.join(f"{FRIEND} {number}", deposit=100 * PRICE).league = True
    scene.join(PUPPET, serves=False).pace = 10**6
    for name in STRANGERS:
        scene.offer(name, cost=CHEAP)
        lease = scene.serve(name, drawn=False, price=CHEAP)
        scene.publish(lease)
        scene.claim(PUPPET, lease, wrong(scene, 1))
    scene.parties[PROVIDER].trace = wrong(scene)
    for _ in range(10):
        scene.serve(drawn=True)
    settle(scene)
    fallen = sum(verdict.winner == "challenger" for _, verdict in scene.verdicts)
    names = (PROVIDER, PUPPET, *(f"{FRIEND} {number}" for number in range(3)))
    return ended(scene, names, "step-wrong", measured={"fallen, of 10": fallen})


def verifier_in_league() -> End:
    """A cheat's friends hold a part of every lot, and confirm its wrong results.

    Every case is played: not drawn, drawn and a friend verifies, drawn and a stranger does. What a cheat gains beyond
    honest work, in prices, is their mean by the chances of the rules: the closed form, exactly, where no friend claims
    first, which before the audit is over nobody can.
    """
    rules, money, ends = RULES, dict[str, int](), list[End]()
    for case in ("missed", "friend", "stranger"):
        for cheats in (True, False):
            scene, names = _league(case, cheats)
            ends.append(ended(scene, names))
            money[case] = money.get(case, 0) + (1 if cheats else -1) * scene.gain(*names)
    p, measured = rules.audit, dict[str, float | str]()
    for q in SHARES:
        chances = {"missed": 1 - p, "friend": p * q, "stranger": p * (1 - q)}
        work = 1 + p * q  # that neither the cheat nor its friend does
        found = sum(chance * money[case] for case, chance in chances.items()) / PRICE + work
        assert found == gain(p, q, rules.sigma, Fraction(0))
        measured[f"gain at {q} of the lot, in prices"] = f"{float(found):.3f}"
    return replace(ends[4], measured=measured)


def cheap_lots() -> End:
    """Asks next to nothing, as three friends do, so that nobody else could audit its cheap leases for their price.

    Audits, fee and stake are reckoned on an audit price, for which owners with two thirds of the deposits would work:
    sooner or later one of them is drawn.
    """
    strangers = [f"stranger {number}" for number in range(1, 10)]
    scene, names = Scene(strangers=strangers), [f"{FRIEND} {number}" for number in range(3)]
    for name in names:
        scene.join(name, cost=CHEAP).league = True
    scene.offer(PROVIDER, cost=CHEAP)
    scene.parties[PROVIDER].trace = wrong(scene)
    models, owner = [scene.computation.digests["model"]], scene.parties[PROVIDER].key
    fair = fair_audit_price(scene.draft, models, owner, CHEAP)
    listed = {
        f"owners who could for {price}": len(
            {auditor(scene.draft, key, models, owner, price) for key in scene.keys} - {""}
        )
        for price in (CHEAP, fair)
    }
    while not scene.verdicts:
        scene.deliver(scene.lend(price=CHEAP, audit_price=fair, drawn=True))
        settle(scene)
    return ended(scene, (PROVIDER, *names), measured=listed)


def _league(case: str, cheats: bool) -> tuple[Scene, list[str]]:
    """A result of a provider with three friends; its verifier, if it is drawn, is one of them, or a stranger."""
    friends = [f"{FRIEND} {number}" for number in range(3)]
    scene = Scene(strangers=STRANGERS if case == "stranger" else (), own=False)
    for name in friends if case != "stranger" else ():
        scene.join(name).league = True
    if cheats:
        scene.parties[PROVIDER].trace = wrong(scene)
    scene.serve(drawn=case != "missed")
    settle(scene)
    return scene, [name for name in scene.parties if name == PROVIDER or name in friends]


def sham_orders() -> End:
    """Orders from itself, with a kept answer, so that a friend among the verifiers is paid by the fund for nothing.

    Every order loses its fee, of which an audit by a friend brings back less than it cost.
    """
    scene = Scene()
    scene.join(FRIEND)
    scene.join("own user", serves=False)
    for _ in range(50):
        scene.serve(user="own user")
    settle(scene)
    rules = scene.rules
    mean = 50 * sham_order(rules.audit, Fraction(1, 4), rules.fee, Fraction(1)) * PRICE
    measured: dict[str, float | str] = {"orders": 50, "on the average, at a quarter of the lot": f"{float(mean):+,.0f}"}
    return ended(scene, (PROVIDER, FRIEND, "own user"), "fees", paid=(), measured=measured)


def fresh_keys() -> End:
    """Fifty newcomers, each with a fresh key and one order to itself, to milk the fund and leave.

    A newcomer is audited as all are, at the same chance and from the same fees.
    """
    scene = Scene()
    scene.join("own user", serves=False)
    for number in range(50):
        scene.join(f"newcomer {number}", deposit=8 * PRICE)
        scene.serve(f"newcomer {number}", user="own user")
    settle(scene)
    together = {"fifty newcomers": [name for name in scene.parties if name.startswith("newcomer")]}
    return ended(scene, ("fifty newcomers", "own user"), "fees", paid=(), together=together)


def dear_verifier() -> End:
    """States a cost of many prices, so that the fund pays it dearly whenever the lot falls on it.

    Who costs more than an audit price, on which the fee is reckoned, is on no list.
    """
    scene = Scene()
    scene.join(FRIEND, deposit=100_000_000, cost=100 * PRICE)
    lease = scene.serve(drawn=True)
    settle(scene, lambda: scene.known(Audit, lease))
    listed = [owner for owner, _ in scene.lists[lease]]
    number, device = scene.number, public(scene.parties[FRIEND].device)
    verifier = {"lease": lease, "device": device, "number": number, "seal": scene.seal(number)}
    reason = scene.refused(COORDINATOR, "audit", verifier)
    settle(scene)
    return ended(scene, (FRIEND,), reason, measured={"listed": int(scene.parties[FRIEND].key in listed)})


def copied_shown_result() -> End:
    """A verifier of a bought audit hands in the root, output and path that all may see, and computes nothing.

    Nothing shows it: a root says no more of who computed it. What it risks is its stake, if somebody else claims in the
    window. So a drawn result is not shown before its audit is over; of a shown one only who computes it can be sure.
    """
    scene = Scene()
    scene.parties[PROVIDER].trace = wrong(scene)
    lease = scene.serve(drawn=False)
    scene.publish(lease)
    for name in STRANGERS:
        scene.parties[name].league = True
    scene.ask(USER, "challenge", {"lease": lease})
    settle(scene)
    together = {"the verifier": STRANGERS}
    return ended(scene, (PROVIDER, "the verifier"), together=together, paid=(), prevented=False)


def silent_deputies() -> End:
    """Has its own deputies find its own result wrong, one after another, and be silent, for the fund to pay them all.

    Nobody else runs the model, and the last one plays. A result that falls pays its deputies as far as its stake goes:
    no fee was for them.
    """
    scene = Scene(strangers=())
    names = [f"{FRIEND} {number}" for number in range(12)]
    spoken = {"lots": 0}

    def last_alone(key: Ed25519PrivateKey, honest: Party) -> Party:
        return lambda dispute: honest(dispute) if spoken["lots"] == len(names) - 1 else None

    for name in names:
        scene.join(name, deposit=10 * PRICE).wrap = last_alone
    scene.join("own user", serves=False)
    scene.parties[PROVIDER].trace = wrong(scene)
    lease = scene.serve(user="own user", drawn=True)

    def count() -> bool:
        if scene.known(Deputies, lease):
            spoken["lots"] = len(scene.find(Deputies, lease).lots)
        return False

    settle(scene, count)
    measured = {"disputes": len(scene.verdicts)}
    return ended(scene, (PROVIDER, "deputies", "own user"), measured=measured, together={"deputies": names})


def bought_audit() -> End:
    """Buys audits of right results, to have others compute for nothing.

    A challenge costs two prices: one to the verifier, half of one to who was right, the rest burnt.
    """
    scene = Scene()
    scene.join(FRIEND)
    lease = scene.serve(drawn=False)
    scene.publish(lease)
    scene.ask(FRIEND, "challenge", {"lease": lease})
    settle(scene)
    return ended(scene, (FRIEND,), "stands")
