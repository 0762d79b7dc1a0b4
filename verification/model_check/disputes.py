"""What can happen in a dispute: messages, silence, deputies, a verdict, a referee that fails."""

from functools import lru_cache
from hashlib import sha256

from verification.dispute.clocks import Clocks, other, passed, stopped, taken_up
from verification.dispute.clocks import budgets as budgets_of
from verification.encoding.request import Request, request
from verification.ledger.state import Fact
from verification.model_check.happen import Moves, coordinated, done, passes
from verification.model_check.parties import key_of
from verification.model_check.plays import Place, Play
from verification.model_check.setting import COMPUTATION, HEADS, LIMIT, RULES, TICK, Setting, device_of
from verification.model_check.sides import failed
from verification.model_check.world import View

DECIDED = "e" * 64


def _at(place: int | None) -> list[Fact]:
    return [("place", "", place)]


def began(setting: Setting, view: View, name: str) -> Moves:
    """The dispute over a claim begins."""
    claim, main, result = (
        view.fact(*of) for of in (("claim", name), ("lease", setting.lease), ("result", setting.lease))
    )
    content = {
        "claim": name,
        "header": result["header"],
        "computation": COMPUTATION,
        "asserter": main["device"],
        "challenger": claim["challenger"],
        "roots": {"asserter": result["root"], "challenger": claim["root"]},
        "rules": {"delta": RULES.delta, "levels": RULES.levels, "message_limit": RULES.message_limit},
        "budgets": budgets_of(RULES.delta, LIMIT),
        "tick": TICK,
        "head": {"number": 0, "digest": HEADS[0]},
    }
    yield from done(setting, view, coordinated(setting, "begin", content), own=_at(0), timer=True)


def voided(setting: Setting, view: View, name: str) -> Moves:
    """The referee's code fails."""
    if setting.roles.voids:
        content = {"claim": name, "record": DECIDED}
        yield from done(setting, view, coordinated(setting, "void", content), own=_at(None))


def played(setting: Setting, view: View, name: str) -> Moves:
    """A dispute goes on by a message, or a budget is spent."""
    clocks, place = Clocks(**view.fact("dispute", name)["clocks"]), _place(setting, view, name)
    if place.winner is None and clocks.turn is not None and getattr(clocks, clocks.turn) >= 0:
        yield from _turn(setting, view, name, clocks)
    elif clocks.turn == "asserter":
        content = {"claim": name, "clocks": stopped(clocks, TICK).plain()}
        yield from done(setting, view, coordinated(setting, "timeout", content), timer=True)


def ended(setting: Setting, view: View, name: str) -> Moves:
    """A dispute is over, or somebody plays on for the asserter."""
    clocks, place = Clocks(**view.fact("dispute", name)["clocks"]), _place(setting, view, name)
    if place.winner is None and clocks.turn is not None and getattr(clocks, clocks.turn) >= 0:
        return
    if clocks.turn is None:
        yield from _awaited(setting, view, name, place, clocks)
    winner, reason = place.winner or ("asserter" if clocks.turn else "challenger"), place.reason or "silent"
    content = {"claim": name, "record": DECIDED, "winner": winner, "reason": reason}
    yield from done(setting, view, coordinated(setting, "verdict", content), own=_at(None), timer=True)


def _play(setting: Setting, view: View, name: str) -> Play:
    """The dispute over a claim, as all that can happen in it."""
    claim = view.fact("claim", name)
    return setting.others[view.fact("chosen", claim["audit"] or setting.owners[claim["owner"]])].play


def _place(setting: Setting, view: View, name: str) -> Place:
    return _play(setting, view, name)[view.fact("place", "")]


def _turn(setting: Setting, view: View, name: str, clocks: Clocks) -> Moves:
    dispute, play = view.fact("dispute", name), _play(setting, view, name)
    place = _place(setting, view, name)
    assert clocks.turn is not None and clocks.turn == place.turn
    player = setting.players[dispute[clocks.turn]]
    after, following = passed(clocks, other(clocks.turn), TICK), play[place.said]
    if following.turn is None and following.winner is None:
        after = stopped(after, TICK)
    signer = player if dispute[clocks.turn] in setting.owners else device_of(player)
    message = _message(signer, place.kind, setting.market, dispute["index"], dispute["last"])
    digested = sha256(message.raw).hexdigest()
    content, given = {"claim": name, "message": digested, "clocks": after.plain()}, {digested: message.raw}
    timer = player == "coordinator"
    yield from done(setting, view, coordinated(setting, "play", content), given, own=_at(place.said), timer=timer)
    if player != "coordinator":
        changed, silent = dispute["clocks"] | {clocks.turn: -1}, failed(setting, view, "silent", player)
        yield passes(view, "dispute", name, "clocks", changed, own=silent)


def _awaited(setting: Setting, view: View, name: str, place: Place, clocks: Clocks) -> Moves:
    after = taken_up(clocks, budgets_of(RULES.delta, LIMIT)["asserter"], TICK)
    for lease in view.fact("result", setting.lease)["confirmed"]:
        commitment = setting.others[view.fact("chosen", lease)]
        content = {"claim": name, "lease": lease, "clocks": after.plain()}
        following = _at(place.replaced[commitment.steps_wrong])
        yield from done(setting, view, coordinated(setting, "take_up", content), own=following, timer=True)


@lru_cache(maxsize=100_000)
def _message(signer: str, kind: str, market: str, index: int, previous: str) -> Request:
    """A message of a dispute, of which the ledger looks at what chains it alone."""
    return request(key_of(signer), kind, market, {"index": index, "previous": previous})
