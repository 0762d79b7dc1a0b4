"""The criterion judges as it reads; settlements differ where they differ."""

import numpy as np
import pandas as pd
import pytest

from auction import mechanisms
from auction.allocation import Allocation
from auction.market import Market
from auction.mechanisms import Settlement
from experiments.claims import auction_is_differentially_private as claim


def results(changing=0, random=0, own=True, excess=-0.05):
    """Of 20 markets of one or two misreports so many change what others get, in so many two runs differ."""
    reactions = [
        (family, seed, seed < random, own, seed < changing)
        for seed in range(20)
        for family in ("x", "y")
        for _ in range(1 + seed % 2)
    ]
    outputs = (claim.PRICE_TIGHT, claim.PRICE_MARKET, claim.PRICE_BROKEN, claim.WINNER)
    audits = [
        (
            output,
            epsilon,
            {claim.WINNER: 4.5, claim.PRICE_BROKEN: epsilon + 0.1 * (epsilon > 0.5)}.get(output, epsilon + excess),
        )
        for output in outputs
        for epsilon in claim.AUDITED
    ]
    welfare = [
        (tasks, price, epsilon, 0.5 if (tasks, price, epsilon) == (40, "drawn", 1.0) else 0.9)
        for tasks in (40, 160)
        for price in ("drawn", claim.NO_NOISE)
        for epsilon in (0.1, 1.0, 3.0)
        for _ in range(2)
    ]
    return {
        "reactions": pd.DataFrame(
            reactions, columns=["family", "seed", "two runs differ", "outcome changes", "changes for others"]
        ),
        "audits": pd.DataFrame(audits, columns=["output", "stated epsilon", "bound"]),
        "welfare": pd.DataFrame(welfare, columns=["tasks", "price", "epsilon", "share of bound"]),
    }


@pytest.mark.parametrize("excess", [-0.05, 9.0])
@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize(
    "changing, random, verdict",
    [(0, 0, "upheld"), (1, 0, "refuted"), (20, 0, "refuted"), (0, 1, "qualified"), (20, 20, "qualified")],
)
def test_the_verdict_follows_the_printed_auction_alone(changing, random, verdict, own, excess):
    assert claim.check(results(changing, random, own, excess)).verdict == verdict


def test_the_figure_is_the_mean_over_markets_of_misreports_that_change_others():
    # 4 of 40 markets of either family; bootstrapped means are binomial: 1 and 8 of 40 at 2.5 % and 97.5 %.
    verdict = claim.check(results(2))
    assert verdict.figure == "10% (2% to 20%) of one task's misreports change what others get or pay"
    assert "8 of 8 audits leave its epsilon standing and 2 of 4 find a" in verdict.explanation
    assert "(epsilon is at least 4.5 there," in verdict.explanation
    assert "At epsilon 1 welfare is 50% (50% to 50%) of the certified bound; the same" in verdict.explanation
    assert "without noise keep 90% (90% to 90%)" in verdict.explanation
    assert "8 of 8" in claim.check(results(excess=0.0)).explanation
    assert "0 of 8" in claim.check(results(excess=1e-9)).explanation


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


def test_neighbours_differ_in_one_report(generate):
    """Of a task of two model types each: other values, larger demands, and no false names, which add a report."""
    market = generate("uniform", 9, 12, 2)
    kinds = set()
    for task, kind, other in claim.neighbours(market):
        kinds.add(kind)
        assert other.tasks == market.tasks
        others = np.arange(market.tasks) != task
        assert np.array_equal(other.value[others], market.value[others])
        assert np.array_equal(other.demand[others], market.demand[others])
    assert kinds == {"value", "demand"}


def test_the_silent_neighbour_never_wins_and_differs_in_one_value(generate):
    market = generate("uniform", 8, 16)
    task, silent = claim._bidder(market)
    assert np.flatnonzero(silent.value != market.value).tolist() == [task] and silent.net_bid[task] == 0
    assert not any(task in mechanisms.run(silent, "private", seed=seed).allocation.task.tolist() for seed in range(10))


def test_the_bidder_whose_bid_is_taken_away_bids_most_a_request():
    market = Market(
        demand=[[4], [1], [2]],
        value=[10_000_000, 6_000_000, 9_000_000],
        unit_work=[0.0],
        alpha=2,
        beta=1,
        resource=[[1]],
        slots=[1],
        cost=[1],
        ability=[[1.0]],
    )
    task, without = claim._bidder(market)
    assert task == 1 and without.net_bid.tolist() == [9_000_000, 0, 8_000_000]
