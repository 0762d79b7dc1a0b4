"""What parties can commit to, and how each would fare against what the asserter committed to."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from verification.dispute.clocks import Role
from verification.model_check.chain import Chain, Wrong, traced
from verification.model_check.plays import Play, played, shortest
from verification.trace import Trace

DEPUTIES = ("deputy of right steps", "deputy of wrong steps")


@dataclass(frozen=True, slots=True)
class Commitment:
    """A trace that a party may commit to."""

    right: bool
    """The right trace, and right steps."""
    right_root: bool
    steps_wrong: bool
    play: Play
    """If it claims that the asserter's is wrong; empty: it has the same root."""


@dataclass(slots=True)
class Scene:
    """An asserter's commitment, and what others can commit to, over all computations: those that play alike are one."""

    asserter: Commitment
    others: dict[tuple[object, ...], Commitment] = field(default_factory=dict)

    def add(self, other: Commitment, longest: bool) -> None:
        """One that plays like another one before is left out, but for what is right."""
        ends = frozenset(place.winner for place in other.play) if longest else frozenset()
        play: object = (_winner(other.play), ends) if longest else other.play
        alike = (other.right_root, other.steps_wrong and not other.play, play)
        before = self.others.setdefault(alike, other)
        if (other.right, len(other.play)) > (before.right, len(before.play)):
            self.others[alike] = other


def scenes(nodes: int, deputies: bool) -> tuple[list[Scene], int]:
    """Of every choice of masks, traces and steps: one scene for asserters with the right trace and right steps, one for
    those with the right trace and wrong steps, one for those with a wrong trace; and how many disputes were played.

    Where there are deputies, a commitment whose disputes have the same possible ends as another's and are shorter is
    left out.

    Raises:
        AssertionError: who is right loses a dispute.
    """
    found, disputes = dict[tuple[bool, bool], Scene](), 0
    for masks in itertools.product((False, True), repeat=nodes - 1):
        chain = Chain((True, *masks))
        steps = (False,) if nodes == 1 else (False, True)
        choices = list(itertools.product(itertools.product((0, 1), repeat=nodes), steps))
        traces = {choice: traced(chain, *choice) for choice in choices}
        for mine, theirs in itertools.product(choices, repeat=2):
            own = _commitment(chain, traces, mine, mine, deputies)
            scene = found.setdefault((own.right, own.right_root), Scene(own))
            other = _commitment(chain, traces, mine, theirs, deputies)
            disputes += bool(other.play)
            scene.add(other, deputies)
    return list(found.values()), disputes


def _winner(play: Play) -> Role | None:
    """Who wins if nobody is silent and nobody else asserts."""
    if not play:
        return None
    place = play[0]
    while place.said >= 0:
        place = play[place.said]
    return place.winner or "challenger"


def _commitment(
    chain: Chain,
    traces: Mapping[tuple[Wrong, bool], Trace],
    mine: tuple[Wrong, bool],
    theirs: tuple[Wrong, bool],
    deputies: bool,
) -> Commitment:
    play: Play = ()
    if theirs[0] != mine[0]:
        standing_in = {
            name: traces.get((mine[0], steps), traces[mine])
            for name, steps in zip(DEPUTIES, (False, True), strict=True)
        }
        play = shortest(played(chain, traces[mine], traces[theirs], standing_in if deputies else {}))
        _check(play, not any(mine[0]) and not mine[1], not any(theirs[0]) and not theirs[1])
    return Commitment(
        right=not any(theirs[0]) and not theirs[1],
        right_root=not any(theirs[0]),
        steps_wrong=theirs[1],
        play=play,
    )


def _check(play: Play, asserter: bool, challenger: bool) -> None:
    """Who is right and answers wins against all that a trace can say."""
    winner = _winner(play)
    assert not asserter or winner == "asserter", "an asserter that was right lost"
    assert not challenger or winner == "challenger", "a challenger that was right lost"
    winners: Sequence[object] = [place.winner for place in play]
    assert not challenger or "asserter" not in winners, "a challenger that was right lost to a deputy"
