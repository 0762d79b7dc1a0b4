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
