"""Scenes are what they say; failures on purpose happen once; the criterion judges as it reads."""

import numpy as np
import pandas as pd
import pytest

from auction.allocation import Allocation
from auction.rounds import CHEATED, DONE, MISSED, NEVER
from experiments.claims import failed_task_returns as claim
from experiments.claims.failed_task_returns import round_runs
from experiments.claims.failed_task_returns.round_runs import NONE, ORDERS, PRINTED, RANKED, Scene
from experiments.sweep import Draw


@pytest.fixture(scope="module")
def results():
    return claim.run("tiny")


def judged(results, ranks, charged, loses, gain):
    """The verdict on made-up differences of the share served soon, share that pays too much, and gains."""
    key = {"family": "x", "arrivals": "y", "order": claim.PRINT_ORDER}
    soon = {NONE.label: 0.5, RANKED.label: 0.5 + ranks, PRINTED.label: 0.5 + charged}
    totals = [key | {"seed": seed, "rule": rule, "soon": share} for seed in range(5) for rule, share in soon.items()]
    over = np.where(np.arange(100) < 100 * loses, 0.3, 0.0)
    returns = pd.DataFrame(
        {**key, "rule": PRINTED.label, "seed": 0, "task": 0, "after": 2.0, "soon": True, "over": over}
    )
    forced = pd.DataFrame({**key, "failure": claim.FAILURES[0], "gain": [gain] * 5})
    made_up = {"totals": pd.DataFrame(totals), "returns": returns, "on_purpose": forced}
    totals = pd.concat((made_up["totals"], made_up["totals"].assign(order=claim.BEST_ORDER)))
    return claim.check(results | made_up | {"totals": totals}).verdict


@pytest.mark.parametrize(
    "ranks, charged, loses, gain, verdict",
    [
        (0.1, 0.1, 0.05, 0.0, "upheld"),
        (0.1, 0.1, 0.06, 0.0, "qualified"),
        (0.1, 0.1, 0.0, 0.01, "qualified"),
        (0.1, 0.0, 0.0, 0.0, "qualified"),
        (0.0, 0.1, 0.0, 0.0, "qualified"),
        (0.0, -0.1, 0.0, 0.0, "refuted"),
    ],
)
def test_the_criterion_judges_as_it_reads(results, ranks, charged, loses, gain, verdict):
    assert judged(results, ranks, charged, loses, gain) == verdict


def test_only_the_raise_that_is_charged_makes_anyone_pay_too_much(results):
    returns = results["returns"]
    assert (returns.loc[returns["rule"] != PRINTED.label, "over"] == 0).all()
    assert (returns.loc[returns["rule"] == PRINTED.label, "over"] > 0).any()


@pytest.mark.parametrize("arrivals", round_runs.ARRIVALS)
def test_arrivals_fill_the_rounds(arrivals):
    arrival = Scene(Draw("uniform", 2000, 10, seed=3), arrivals, 20).arrival()
    assert arrival.shape == (2000,) and (np.diff(arrival) >= 0).all()
    assert arrival[-1] == pytest.approx(600.0, rel=0.1)
    counts = np.bincount((arrival // 30).astype(int), minlength=20)[:20]
    assert counts.min() > 0 and counts.mean() == pytest.approx(100, rel=0.1)


def test_a_failure_on_purpose_happens_once_and_to_one_task():
    allocation = Allocation.of([0, 0, 1], [4, 5, 6])
    perform = round_runs.failing_once(lambda number, pairs: np.zeros(pairs.task.size, dtype=np.int64), 0)
    assert perform(0, Allocation.of([1], [6])).tolist() == [DONE]
    assert perform(1, allocation).tolist() == [MISSED, MISSED, DONE]
    assert perform(2, allocation).tolist() == [DONE] * 3


def test_puppets_stand_after_the_providers_fail_what_they_win_and_are_removed(generate):
    market = generate("uniform", 30, 4)
    joined = round_runs.with_puppets(market, 7, 3)
    assert joined.providers == 7 and (joined.resource[4:] == market.demand[7]).all()
    assert joined.resource[:4].tolist() == market.resource.tolist() and joined.slots[4:].tolist() == [1] * 3
    everyone = Allocation.of(np.zeros(7), np.arange(7))
    alone = [round_runs.failing(4, 0)(number, Allocation.of(np.zeros(4), np.arange(4))) for number in range(50)]
    both = [round_runs.failing(4, 0, 3)(number, everyone) for number in range(50)]
    for own, shared in zip(alone, both, strict=True):
        assert shared.tolist() == [*own.tolist(), CHEATED, CHEATED, CHEATED]
    assert np.mean(alone) == pytest.approx(round_runs.MISSES, abs=0.08) and set(np.ravel(alone)) == {DONE, MISSED}
    history = round_runs.hold(joined, np.zeros(30), 10, round_runs.failing(4, 0, 3), RANKED, ORDERS[claim.BEST_ORDER])
    assert (history.removed[4:] != NEVER).any() and (history.removed[:4] == NEVER).all()
    assert not history.receipt[4:].any()


def test_raising_the_largest_value_moves_others_and_the_median_moves_itself(generate):
    rows = {
        (whose, factor): (up, swapped)
        for whose, factor, up, swapped in round_runs.climbs(generate("uniform", 200, 2), (1.0, 3.0))
    }
    for whose in ("the largest v", "the median v"):
        assert rows[whose, 1.0] == (0.0, 0.0)
    assert rows["the largest v", 3.0][1] > 0.005 and rows["the median v", 3.0][1] < 0.001
    assert rows["the median v", 3.0][0] > 0.05
