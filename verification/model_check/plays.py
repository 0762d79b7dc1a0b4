"""A dispute between two traces as all that can happen in it: played by the real ``Dispute``, compressed to places.

At every place the referee crashes: the dispute is stored, and taken up again from what was stored.
"""

import json
from collections.abc import Mapping
from copy import copy
from dataclasses import astuple, dataclass
from typing import Any

from verification.dispute.clocks import Role, budgets
from verification.dispute.dispute import Dispute, identity
from verification.dispute.party import honest
from verification.encoding.request import request
from verification.encoding.signature import public
from verification.model_check.chain import Chain
from verification.model_check.parties import key_of
from verification.trace import Trace

MARKET = "ab" * 32
LEVELS = 1
"""Of a tree that a message descends: one, so that even small trees take rounds."""


@dataclass(frozen=True, slots=True)
class Place:
    """A point of a dispute, and the places that follow, by index."""

    turn: Role | None
    """Whose message is due; None: a deputy is awaited, or the dispute is over."""
    kind: str
    """Of that message."""
    said: int = -1
    """After it."""
    replaced: tuple[int, ...] = ()
    """If the asserter's budget is spent here: after a deputy with its root took its place; with right steps, and with
    wrong ones, if there are any deputies."""
    winner: Role | None = None
    reason: str = ""


Play = tuple[Place, ...]
"""From the beginning, place 0, on."""


def played(chain: Chain, mine: Trace, theirs: Trace, deputies: Mapping[str, Trace]) -> Play:
    """All that can happen between an asserter and a challenger that answer by their traces, or are silent.

    Args:
        deputies: with the asserter's root, by name.
    """
    sides = {"asserter": mine, "challenger": theirs, **deputies}
    parties = {name: honest(key_of(name), trace) for name, trace in sides.items()}
    names = {public(key_of(name)): name for name in sides}
    found, indices = list[Dispute](), dict[str, int]()

    def at(dispute: Dispute) -> int:
        dispute = Dispute.restored(chain, json.loads(json.dumps(dispute.stored())))
        state = dispute.state
        where = [state.stage, names[state.asserter], state.span, state.digests, state.said, state.leaf_digests]
        where += [state.step_roots, state.clocks.turn, state.verdict and astuple(state.verdict)]
        index = indices.setdefault(repr(where), len(found))
        if index == len(found):
            found.append(dispute)
        return index

    at(begun(chain, mine, theirs))
    places: list[Place] = []
    while len(places) < len(found):
        dispute = found[len(places)]
        verdict, turn = dispute.verdict, dispute.turn
        if verdict is not None:
            places.append(Place(None, "", winner=verdict.winner, reason=verdict.reason))
            continue
        replaced: list[int] = []
        if turn != "challenger":
            replaced = [at(_replaced(dispute, name)) for name in deputies]
        said = -1
        if turn is not None:
            after = copy(dispute)
            player = names[dispute.key(turn)]
            after.receive(parties[player](dispute) or b"", dispute.clocks.since)
            said = at(after)
        places.append(Place(turn, dispute.expects, said, tuple(replaced)))
    return tuple(places)


def _replaced(dispute: Dispute, name: str) -> Dispute:
    """The dispute after its asserter was silent and a deputy took its place."""
    later = copy(dispute)
    if later.clocks.due is not None:
        later.tick(later.clocks.due + 1)
    later.replace_asserter(public(key_of(name)), later.clocks.since)
    return later


def begun(chain: Chain, mine: Trace, theirs: Trace) -> Dispute:
    """The dispute as the referee begins it."""
    content: dict[str, Any] = {
        "claim": "1" * 64,
        "header": "2" * 64,
        "computation": identity(chain),
        "asserter": public(key_of("asserter")),
        "challenger": public(key_of("challenger")),
        "roots": {"asserter": mine.tree.root.hex(), "challenger": theirs.tree.root.hex()},
        "rules": {"delta": 1, "levels": LEVELS, "message_limit": 96_000},
        "budgets": budgets(1, 1),
        "tick": 0,
        "head": {"number": 0, "digest": "3" * 64},
    }
    return Dispute(chain, request(key_of("coordinator"), "begin", MARKET, content))


def shortest(play: Play) -> Play:
    """A play in which the same can happen: who can be silent and what follows then, who can win, and how.

    The market's operations treat all messages alike but the last, and what else happens in a market neither depends on
    how many there have been nor bears on them. So where an exchange, asserter and challenger, is followed by another
    one, and silence in either leads to the same, the first is left out: whoever is silent in it, or whatever happens
    meanwhile, could as well be silent, or happen, in the second. Places that lead to the same are one.
    """
    labels = [(place.turn, place.winner, place.reason) for place in play]
    classes, many = _numbered(labels), 0
    while many < (many := len(set(classes))):
        ahead = [_ahead(play, classes, at) for at in range(len(play))]
        following = [[to for to in (play[at].said, *play[at].replaced) if to >= 0] for at in ahead]
        pairs = zip(classes, following, strict=True)
        classes = _numbered([(own, *(classes[to] for to in others)) for own, others in pairs])
    found, places = [classes[0]], list[Place]()
    for number in found:
        place = play[_ahead(play, classes, classes.index(number))]
        said, *replaced = (classes[to] if to >= 0 else -1 for to in (place.said, *place.replaced))
        found += [to for to in dict.fromkeys((said, *replaced)) if to >= 0 and to not in found]
        last = said >= 0 and play[place.said].turn is None
        kind = place.kind if last else "descend"
        at = [found.index(to) if to >= 0 else -1 for to in (said, *replaced)]
        places.append(Place(place.turn, kind, at[0], tuple(at[1:]), place.winner, place.reason))
    return tuple(places)


def _ahead(play: Play, classes: list[int], at: int) -> int:
    """Where an asserter's place is followed by an exchange in which the same can happen, the last of such."""
    while play[at].turn == "asserter" and play[answer := play[at].said].turn == "challenger":
        after = play[answer].said
        if play[after].turn != "asserter" or play[play[after].said].turn != "challenger":
            break
        if [classes[to] for to in play[at].replaced] != [classes[to] for to in play[after].replaced]:
            break
        at = after
    return at


def _numbered(labels: list[Any]) -> list[int]:
    """Equal labels by the same number."""
    numbers = {label: number for number, label in enumerate(dict.fromkeys(labels))}
    return [numbers[label] for label in labels]
