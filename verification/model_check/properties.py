"""What must hold of everything that can happen."""

from verification.market.accounts import free
from verification.model_check.happen import Move
from verification.model_check.parties import name_of
from verification.model_check.setting import PRICE, Setting, device_of
from verification.model_check.sides import commitments, right
from verification.model_check.world import View

ENDED = ("lease", "result", "audit", "claim", "dispute", "deputies")


def check_move(setting: Setting, before: View, move: Move) -> None:
    """That nobody has lost who must not, and that a wrong result has not become final where it must not.

    Raises:
        AssertionError: it has.
    """
    for name in ("asserter", *setting.challengers, *setting.helpers):
        if not _lost(before, move, name) or not right(setting, before, name):
            continue
        late, silent = (move.fact(before, how, name) for how in ("late", "silent"))
        assert late or silent, f"{name} was right, answered in time, and has lost"
        bonded = name in setting.challengers or late
        assert bonded or not _deputy(setting, before, name), f"{name} was right and silent, a deputy was honest: lost"
    _check_paid(setting, before, move)
    if before.fact("lease", setting.lease) and not move.fact(before, "lease", setting.lease):
        if move.what.startswith("final"):
            _check_final(setting, before)
        elif move.what.startswith("verdict"):
            _check_fallen(setting, before, move)


def check_end(setting: Setting, view: View) -> None:
    """That nothing is open and nothing locked where nothing can happen any more.

    Raises:
        AssertionError: something is.
    """
    open_ones = [kind for kind in ENDED if view.subjects(kind)]
    assert not open_ones, f"{', '.join(open_ones)}: still open, and nothing can happen"
    waits = any(order["waiting"] for order in view.facts("order").values())
    locked = [subject for kind, subject in view.world if kind == "balance" and subject]
    assert len(locked) == waits, f"{locked}: locked, with nothing open"
    assert not view.fact("fund", "owed"), "the fund owes, with nothing open"
    for device in view.facts("device").values():
        assert not device["busy"] and not device["disputed"], "a device is taken, with nothing open"


def _failed(view: View, name: str) -> bool:
    return bool(view.fact("late", name) or view.fact("silent", name))


def _lost(before: View, move: Move, name: str) -> bool:
    """Whether it has less, free and locked, or its key is removed."""
    device = name_of(device_of(name))
    changed = next((value for kind, subject, value in move.facts if (kind, subject) == ("device", device)), None)
    removed = bool(changed and changed["removed"]) and not before.fact("device", device)["removed"]
    return removed or move.owner_gained(name_of(name)) < 0


def _deputy(setting: Setting, view: View, name: str) -> bool:
    """Whether somebody else who is right, and has not failed, could stand in: has computed it, or would."""
    if setting.roles.coordinator:
        return True
    two = any(dispute["published"] >= 2 for dispute in view.facts("dispute").values())
    others = [other for other in setting.helpers if other != name and not _failed(view, other)]
    return any(right(setting, view, other) and (commitments(setting, view, other) or not two) for other in others)


def _check_paid(setting: Setting, before: View, move: Move) -> None:
    """Who has computed a result, and was right and in time, gets its stake and its price when its lease ends."""
    for name in [subject for kind, subject, value in move.facts if kind == "lease" and value is None]:
        lease = before.fact("lease", name)
        owner = setting.owners[lease["owner"]]
        if before.fact("result", name) is None or owner == "coordinator" or not right(setting, before, owner):
            continue
        if move.fact(before, "late", owner) or move.fact(before, "silent", owner):
            continue
        if owner == "asserter" and any(move.fact(before, "order", order) for order in before.subjects("order")):
            continue  # annulled: its order waits again
        stake = before.fact("balance", f"stake:{lease['owner']}:{name}") or 0
        gained = move.gained(free(lease["owner"])) - stake
        price = 0 if _unpaid(setting, before, move, name) else PRICE
        assert gained >= price, f"{owner} was right and in time, and gets {gained} of {price}"


def _unpaid(setting: Setting, before: View, move: Move, name: str) -> bool:
    """Whether nobody pays who was right: a result is annulled, since the referee failed; or a deputy's root is neither
    the one that fell nor the one that stands instead: as nobody was there to play for it, the ledger cannot know."""
    disputes, lease = before.subjects("dispute"), before.fact("lease", name)
    if not (lease["audits"] and disputes and move.fact(before, "lease", setting.lease) is None):
        return False
    neither = before.fact("claim", disputes[0])["root"] != before.fact("result", name)["root"]
    return move.what.startswith("void") or (not lease["payer"] and neither)


def _check_final(setting: Setting, view: View) -> None:
    """No wrong result is final if somebody who is right acted, or if the draw took it."""
    if setting.asserter.right_root:
        return
    for name in (*setting.challengers, *setting.helpers):
        acted = commitments(setting, view, name) and right(setting, view, name) and not view.fact("late", name)
        defended = name in setting.helpers and _deputy(setting, view, name)
        assert not acted or (view.fact("silent", name) and not defended), f"a wrong result is final, against {name}"
    asked = setting.roles.audit == "drawn" or view.fact("chosen", "user") is not None
    if asked and not any(_same_root(setting, view, name) for name in setting.helpers):
        assert not setting.roles.coordinator, "a wrong result was drawn, and is final"
        able = [name for name in setting.helpers if not (_failed(view, name) or commitments(setting, view, name))]
        assert not able, f"a wrong result was drawn, and is final; {able} were not asked"


def _same_root(setting: Setting, view: View, name: str) -> bool:
    """Whether a friend of the asserter confirmed its root."""
    return any(not commitment.play for commitment in commitments(setting, view, name))


def _check_fallen(setting: Setting, before: View, move: Move) -> None:
    """Who asserted falls, and so does whoever confirmed the same root: most of the stake, also where the same owner
    claimed otherwise beside it."""
    result = before.fact("result", setting.lease)
    for lease in (setting.lease, *result["confirmed"]):
        fallen = before.fact("lease", lease)
        owner, held = fallen["owner"], before.fact("balance", f"stake:{fallen['owner']}:{lease}") or 0
        lost = -move.owner_gained(owner)
        removed = move.fact(before, "device", fallen["device"])["removed"] or setting.owners[owner] == "coordinator"
        assert removed and 2 * lost >= held, f"{setting.owners[owner]} lost {lost} of a stake of {held}"
