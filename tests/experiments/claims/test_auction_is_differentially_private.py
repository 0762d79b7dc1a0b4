"""The criterion judges as it reads; settlements differ where they differ."""

import numpy as np
import pytest

from auction import mechanisms
from auction.allocation import Allocation
from auction.mechanisms import Settlement
from experiments.claims import auction_is_differentially_private as claim


@pytest.fixture(scope="module")
def results():
    return claim.run("tiny")


@pytest.mark.parametrize(
    "random, others, verdict", [(False, True, "refuted"), (False, False, "upheld"), (True, True, "qualified")]
)
def test_the_verdict_follows_the_printed_auction_alone(results, random, others, verdict):
    flags = {"two runs differ": random, "changes for others": others}
    assert claim.check(results | {"reactions": results["reactions"].assign(**flags)}).verdict == verdict


def test_settlements_differ_by_providers_and_payments_of_the_tasks_asked_for():
    def settled(providers, payments):
        return Settlement(Allocation.of([0, 1], providers), np.array(payments), np.zeros(3, dtype=np.int64))

    first = settled([0, 1], [5, 6])
    for other, differs in (
        (settled([0, 1], [5, 6]), ()),
        (settled([2, 1], [5, 6]), (0,)),
        (settled([0, 1], [5, 7]), (1,)),
    ):
        for task in (0, 1):
            assert claim.differ(first, other, np.arange(2) == task) is (task in differs)
        assert claim.differ(first, other, np.ones(2, dtype=bool)) is bool(differs)


def test_prices_of_the_experiment_are_those_of_the_mechanism(generate):
    market = generate("uniform", 5, 8)
    chance = claim.private.price_distribution(market, epsilon=3.0, maximum=claim.MAXIMUM)[1]
    (swept,) = claim._chances([claim._scored(market, claim.private.GRID)], 3.0)
    assert swept == pytest.approx(chance, rel=1e-9)


def test_the_silent_neighbour_never_wins_and_differs_in_one_value(generate):
    market = generate("uniform", 8, 16)
    task, silent = claim._bidder(market)
    assert np.flatnonzero(silent.value != market.value).tolist() == [task] and silent.net_bid[task] == 0
    assert not any(task in mechanisms.run(silent, "private", seed=seed).allocation.task.tolist() for seed in range(10))
