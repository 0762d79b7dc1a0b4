"""The chance to be confirmed by who is drawn, by hand: friends, strangers who cheat alike, and weights of the lot."""

from types import SimpleNamespace

import pytest

from experiments.marketplace.simulation.likeness import alike
from experiments.marketplace.simulation.recorded import OLDER_WEIGHTS, VARIANTS
from experiments.marketplace.simulation.strategies import HONEST, Strategy

OLDER = Strategy(name="older", part=0.0, wrong=1.0, ways=(OLDER_WEIGHTS,))
BOTH = Strategy(name="both", part=0.0, wrong=0.6, ways=(OLDER_WEIGHTS, "wrong-node"))
LEAGUE = Strategy(name="league", part=0.0, wrong=0.5, ways=("wrong-node",), league=True)


def plan(strategy, coalition=-1):
    return SimpleNamespace(strategy=strategy, coalition=coalition)


FLEETS = {
    "honest": [plan(HONEST)] * 3,
    "older": [plan(OLDER)],
    "both": [plan(BOTH)],
    "league": [plan(LEAGUE, 0), plan(LEAGUE, 1)],
}


@pytest.mark.parametrize(
    ("cheat", "way", "chances"),
    [
        (plan(OLDER), OLDER_WEIGHTS, {"older": 1.0, "both": 0.3}),
        (plan(BOTH), "wrong-node", {"both": 0.3 / VARIANTS, "league": 0.5 / VARIANTS}),
        (plan(LEAGUE, 0), "wrong-node", {"both": 0.3 / VARIANTS, "league": (1 + 0.5 / VARIANTS) / 2}),
        (plan(OLDER), "flipped-bit", {}),
    ],
)
def test_each_owner_counts_by_its_weight_and_its_chance(cheat, way, chances):
    weights = {"honest": 5, "older": 1, "both": 2, "league": 4}
    expected = sum(weights[owner] * chance for owner, chance in chances.items()) / 12
    listed = [[owner, str(weight)] for owner, weight in weights.items()]
    assert alike(cheat, way, listed, FLEETS) == pytest.approx(expected)


def test_with_too_few_on_the_list_the_coordinator_audits_and_is_right():
    cheat = plan(OLDER)
    assert alike(cheat, OLDER_WEIGHTS, [["older", "1"], ["both", "1"]], FLEETS) == 0
    assert alike(cheat, OLDER_WEIGHTS, [["older", "1"], ["both", "1"], ["honest", "1"]], FLEETS) > 0
