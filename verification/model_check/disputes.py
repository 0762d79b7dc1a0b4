"""What can happen in a dispute: messages, silence, deputies, a verdict, a referee that fails."""

from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from typing import Any

from verification.dispute.clocks import Clocks, other, passed, stopped, taken_up
from verification.dispute.clocks import budgets as budgets_of
from verification.encoding.request import Request, request
from verification.model_check.happen import Move, coordinated, done, passes
from verification.model_check.parties import key_of
from verification.model_check.plays import Place
from verification.model_check.setting import COMPUTATION, HEADS, LIMIT, RULES, TICK, Setting, device_of
from verification.model_check.world import World

DECIDED = "e" * 64


def of_claims(setting: Setting, world: World) -> Iterator[Move]:
    claims, main = world.facts("claim"), world.fact("lease", setting.lease)
    result = world.fact("result", setting.lease)
    for name, claim in claims.items():
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
            "head": {"number": world.state.number, "digest": HEADS[0]},
        }
        yield from done(setting, world, coordinated(setting, "begin", content), place=0, timer=True)


def of_dispute(setting: Setting, world: World, name: str) -> Iterator[Move]:
    dispute, claim = world.fact("dispute", name), world.fact("claim", name)
    chosen = world.chosen[claim["audit"] or setting.owners[claim["owner"]]]
    play = setting.others[chosen].play
    place = play[world.place]
    clocks = Clocks(**dispute["clocks"])
    record: dict[str, Any] = {"claim": name, "record": DECIDED}
    if setting.roles.voids:
        yield from done(setting, world, coordinated(setting, "void", record), place=-1)
    spent = clocks.turn is not None and getattr(clocks, clocks.turn) < 0
    if place.winner is not None:
        content: dict[str, Any] = record | {"winner": place.winner, "reason": place.reason}
        yield from done(setting, world, coordinated(setting, "verdict", content), place=-1, timer=True)
    elif clocks.turn is None:
        yield from _awaited(setting, world, name, place, clocks)
        content = record | {"winner": "challenger", "reason": "silent"}
        yield from done(setting, world, coordinated(setting, "verdict", content), place=-1, timer=True)
    elif spent:
        content = {"claim": name, "clocks": stopped(clocks, TICK).plain()}
        yield from done(setting, world, coordinated(setting, "timeout", content), timer=True)
        content = record | {"winner": "asserter", "reason": "silent"}
        yield from done(setting, world, coordinated(setting, "verdict", content), place=-1, timer=True)
    else:
        yield from _turn(setting, world, name, dispute, play, clocks)


def _turn(
    setting: Setting, world: World, name: str, dispute: dict[str, Any], play: tuple[Place, ...], clocks: Clocks
) -> Iterator[Move]:
    assert clocks.turn is not None
    place = play[world.place]
    assert clocks.turn == place.turn
    player = setting.players[dispute[clocks.turn]]
    after = passed(clocks, other(clocks.turn), TICK)
    if play[place.said].turn is None and play[place.said].winner is None:
        after = stopped(after, TICK)
    signer = player if dispute[clocks.turn] in setting.owners else device_of(player)
    message = _message(signer, place.kind, setting.market, dispute["index"], dispute["last"])
    digested = sha256(message.raw).hexdigest()
    content, given = {"claim": name, "message": digested, "clocks": after.plain()}, {digested: message.raw}
    timer = player == "coordinator"
    yield from done(setting, world, coordinated(setting, "play", content), given, place=place.said, timer=timer)
    if player != "coordinator":
        changed = dispute["clocks"] | {clocks.turn: -1}
        yield passes(world, "dispute", name, "clocks", changed, silent=world.silent | {player})


def _awaited(setting: Setting, world: World, name: str, place: Place, clocks: Clocks) -> Iterator[Move]:
    after = taken_up(clocks, budgets_of(RULES.delta, LIMIT)["asserter"], TICK)
    for lease in world.fact("result", setting.lease)["confirmed"]:
        commitment = setting.others[world.chosen[lease]]
        content = {"claim": name, "lease": lease, "clocks": after.plain()}
        following = place.replaced[commitment.steps_wrong]
        yield from done(setting, world, coordinated(setting, "take_up", content), place=following, timer=True)


@lru_cache(maxsize=100_000)
def _message(signer: str, kind: str, market: str, index: int, previous: str) -> Request:
    """A message of a dispute, of which the ledger looks at what chains it alone."""
    return request(key_of(signer), kind, market, {"index": index, "previous": previous})
