"""What must hold of everything that can happen."""

from verification.market.accounts import free
from verification.model_check.commitments import Commitment
from verification.model_check.happen import Move
from verification.model_check.parties import name_of
from verification.model_check.setting import DEPOSIT, PRICE, Setting, device_of
from verification.model_check.world import World

LOCKED = ("escrow", "fee", "stake", "bond", "pay")
ENDED = ("lease", "result", "audit", "claim", "dispute", "deputies")


def check_move(setting: Setting, before: World, move: Move) -> None:
    """That nobody has lost who must not, and that a wrong result has not become final where it must not.

    Raises:
        AssertionError: it has.
    """
    after = move.after
    for name in ("asserter", *setting.challengers, *setting.helpers):
        if not right(setting, before, name) or not _lost(before, after, name):
            continue
        assert _failed(after, name), f"{name} was right, answered in time, and has lost"
        bonded = name in setting.challengers or name in after.late
        assert bonded or not _deputy(setting, before, name), f"{name} was right and silent, a deputy was honest: lost"
    _check_paid(setting, before, after)
    if before.fact("lease", setting.lease) and not after.fact("lease", setting.lease):
        if move.what.startswith("final"):
            _check_final(setting, before)
        elif move.what.startswith("verdict"):
            _check_fallen(setting, before, after)


def check_end(setting: Setting, world: World) -> None:
    """That nothing is open and nothing locked where nothing can happen any more.

    Raises:
        AssertionError: something is.
    """
    open_ones = [kind for kind in ENDED if world.facts(kind)]
    assert not open_ones, f"{', '.join(open_ones)}: still open, and nothing can happen"
    waits = any(order["waiting"] for order in world.facts("order").values())
    locked = [name for name in world.state.balances if name.partition(":")[0] in LOCKED]
    assert len(locked) == waits, f"{locked}: locked, with nothing open"
    assert not world.facts("fund").get("owed"), "the fund owes, with nothing open"
    for device in world.facts("device").values():
        assert not device["busy"] and not device["disputed"], "a device is taken, with nothing open"


def commitments(setting: Setting, world: World, name: str) -> list[Commitment]:
    """What a party has committed to so far."""
    if name == "asserter":
        return [setting.asserter]
    return [setting.others[index] for by, index in world.chosen.items() if setting.computes.get(by, by) == name]


def right(setting: Setting, world: World, name: str) -> bool:
    """Whether all that it has committed to is right."""
    return all(commitment.right for commitment in commitments(setting, world, name))


def _failed(world: World, name: str) -> bool:
    return name in world.late or name in world.silent


def _lost(before: World, after: World, name: str) -> bool:
    """Whether it has less, free and locked, or its key is removed."""
    device = name_of(device_of(name))
    removed = [bool(world.facts("device").get(device, {}).get("removed")) for world in (before, after)]
    return _total(after, name) < _total(before, name) or removed[0] < removed[1]


def _total(world: World, name: str) -> int:
    return world.state.totals.get(name_of(name), 0)


def _deputy(setting: Setting, world: World, name: str) -> bool:
    """Whether somebody else who is right, and has not failed, could stand in: has computed it, or would."""
    if setting.roles.coordinator:
        return True
    two = any(dispute["published"] >= 2 for dispute in world.facts("dispute").values())
    others = [other for other in setting.helpers if other != name and not _failed(world, other)]
    return any(right(setting, world, other) and (commitments(setting, world, other) or not two) for other in others)


def _check_paid(setting: Setting, before: World, after: World) -> None:
    """Who has computed a result, and was right and in time, gets its stake and its price when its lease ends."""
    for name, lease in before.facts("lease").items():
        owner = setting.owners[lease["owner"]]
        ended = after.fact("lease", name) is None and before.fact("result", name) is not None
        if not ended or owner == "coordinator" or _failed(after, owner) or not right(setting, before, owner):
            continue
        if owner == "asserter" and after.facts("order"):
            continue  # annulled: its order waits again
        stake = before.state.balances.get(f"stake:{lease['owner']}:{name}", 0)
        gained = after.state.balances.get(free(lease["owner"]), 0) - DEPOSIT
        assert gained >= stake + PRICE, f"{owner} was right and in time, and gets {gained - stake} of {PRICE}"


def _check_final(setting: Setting, world: World) -> None:
    """No wrong result is final if somebody who is right acted, or if the draw took it."""
    if setting.asserter.right_root:
        return
    for name in (*setting.challengers, *setting.helpers):
        acted = commitments(setting, world, name) and right(setting, world, name) and name not in world.late
        defended = name in setting.helpers and _deputy(setting, world, name)
        assert not acted or (name in world.silent and not defended), f"a wrong result is final, against {name}"
    asked = setting.roles.audit == "drawn" or "user" in world.chosen
    if asked and not any(_same_root(setting, world, name) for name in setting.helpers):
        assert not setting.roles.coordinator, "a wrong result was drawn, and is final"
        able = [name for name in setting.helpers if not (_failed(world, name) or commitments(setting, world, name))]
        assert not able, f"a wrong result was drawn, and is final; {able} were not asked"


def _same_root(setting: Setting, world: World, name: str) -> bool:
    """Whether a friend of the asserter confirmed its root."""
    return any(not commitment.play for commitment in commitments(setting, world, name))


def _check_fallen(setting: Setting, before: World, after: World) -> None:
    """Who asserted falls, and so does whoever confirmed the same root: most of the stake, also where the same owner
    claimed otherwise beside it."""
    result = before.fact("result", setting.lease)
    for lease in (setting.lease, *result["confirmed"]):
        fallen = before.fact("lease", lease)
        owner, held = fallen["owner"], before.state.balances.get(f"stake:{fallen['owner']}:{lease}", 0)
        lost = before.state.totals.get(owner, 0) - after.state.totals.get(owner, 0)
        removed = after.fact("device", fallen["device"])["removed"] or setting.owners[owner] == "coordinator"
        assert removed and 2 * lost >= held, f"{setting.owners[owner]} lost {lost} of a stake of {held}"
