"""What parties have done: what they have committed to, and where they failed."""

from verification.ledger.state import Fact
from verification.model_check.commitments import Commitment
from verification.model_check.happen import Move
from verification.model_check.setting import Setting
from verification.model_check.world import View


def commitments(setting: Setting, view: View, name: str) -> list[Commitment]:
    """What a party has committed to so far."""
    if name == "asserter":
        return [setting.asserter]
    found = [view.fact("chosen", subject) for subject in setting.works[name]]
    return [setting.others[index] for index in found if index is not None]


def right(setting: Setting, view: View, name: str) -> bool:
    """Whether all that it has committed to is right."""
    return all(commitment.right for commitment in commitments(setting, view, name))


def chose(setting: Setting, subject: str, index: int) -> list[Fact]:
    """A party commits itself; nothing depends on how those failed who are not right."""
    name = next(name for name, subjects in setting.works.items() if subject in subjects)
    over: list[Fact] = [] if setting.others[index].right else [("late", name, None), ("silent", name, None)]
    return [("chosen", subject, index), *over]


def failed(setting: Setting, view: View, how: str, name: str) -> list[Fact]:
    """A party does not do what it should."""
    return [(how, name, True)] if right(setting, view, name) else []


def closed(setting: Setting, view: View, move: Move) -> list[Fact]:
    """What a party had committed to in a claim or lease that ends by a move, as far as anything depends on it still:
    its disputes are over, so it is the first of those that are as right, and as much the asserter's root, as it was."""
    facts = list[Fact]()
    for kind, name, value in move.facts:
        if kind in ("claim", "lease") and value is None and name != setting.lease:
            before = view.fact(kind, name)
            subject = name if kind == "lease" else setting.owners[before["owner"]]
            if (kind == "lease" or not before["audit"]) and (index := view.fact("chosen", subject)) is not None:
                facts.append(("chosen", subject, setting.alike[index]))
    return facts
