"""A play is made shorter where the same can happen in what is left."""

import itertools
from functools import cache

import pytest

from verification.model_check.chain import Chain, traced
from verification.model_check.commitments import DEPUTIES
from verification.model_check.plays import played, shortest


def runs(play, silences=3):
    """What can happen, messages apart: who is silent, who plays on, how it ends; with so many silences."""

    @cache
    def after(at, left):
        place = play[at]
        if place.winner:
            return frozenset({(place.winner, place.reason)})
        found = set(after(place.said, left)) if place.said >= 0 else set()
        if place.turn == "challenger":
            return frozenset({*found, ("challenger silent",)})
        found.add((f"nobody left after silence: {place.turn == 'asserter'}",))
        for which, following in enumerate(place.replaced if left else ()):
            found |= {(which, *run) for run in after(following, left - 1)}
        return frozenset(found)

    return after(0, silences)


@pytest.mark.parametrize("masks", [(True, False), (True, True)])
@pytest.mark.parametrize("deputies", [True, False])
def test_the_same_can_happen_in_a_shorter_play(masks, deputies):
    chain = Chain(masks)
    choices = [*itertools.product([(0, 0), (0, 1), (1, 1)], [False, True])]
    traces = {choice: traced(chain, *choice) for choice in choices}
    for mine, theirs in itertools.permutations(choices, 2):
        if mine[0] == theirs[0]:
            continue
        named = {name: traces[mine[0], wrong] for name, wrong in zip(DEPUTIES, (False, True), strict=True)}
        play = played(chain, traces[mine], traces[theirs], named if deputies else {})
        short = shortest(play)
        assert runs(short) == runs(play)
        assert len(short) < len(play) and len(short) <= 8
