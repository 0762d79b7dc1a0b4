"""Scenes are what they say; failures on purpose happen once; the criterion judges as it reads."""

import numpy as np
import pandas as pd
import pytest

from auction.allocation import Allocation
from auction.rounds import CHEATED, DONE, MISSED, NEVER
from experiments.claims import failed_task_returns as claim
from experiments.claims.failed_task_returns import round_runs
from experiments.claims.failed_task_returns.round_runs import NONE, ORDERS, PRINTED, RANKED, TENFOLD, Scene
from experiments.sweep import Draw

PRINT, BEST = claim.PRINT_ORDER, claim.BEST_ORDER


def results(ranks=20, charged=20, loses=5, gains=(0.0, 0.0), elsewhere=0):
    """Of 20 scenes so many serve all instead of none; of 100 tasks so many pay too much; gains by way of failing.

    In the best order, and under other rules, ``elsewhere`` of them do.
    """
    served = {NONE.label: 0, RANKED.label: ranks, PRINTED.label: charged, TENFOLD.label: elsewhere}
    totals = [
        {"family": "x", "arrivals": "y", "seed": seed, "order": order, "rule": rule, "soon": float(seed < count)}
        for order, counts in ((PRINT, served), (BEST, served | dict.fromkeys((RANKED.label, PRINTED.label), elsewhere)))
        for rule, count in counts.items()
        for seed in range(20)
    ]
    unscored = [totals[0] | {"seed": 99, "rule": rule, "soon": np.nan} for rule in served]  # nothing failed there
    returns = [
        {"order": order, "rule": rule.label, "after": after, "over": 0.3 * (task < count)}
        for order, rule, after, count in (
            (PRINT, PRINTED, 2.0, loses),
            (PRINT, PRINTED, np.inf, 5 * elsewhere),  # never served
            (PRINT, RANKED, 2.0, 5 * elsewhere),
            (BEST, PRINTED, 2.0, 5 * elsewhere),
        )
        for task in range(100)
    ]
    forced = [
        {"order": order, "failure": failure, "gain": float(value)}
        for failure, gain in zip(claim.FAILURES, gains, strict=True)
        for order, values in ((PRINT, gain), (BEST, 0.1 * elsewhere))
        for value in np.broadcast_to(values, 20)
    ]
    frames = {"totals": totals + unscored, "returns": returns, "on_purpose": forced}
    return {name: pd.DataFrame(rows) for name, rows in frames.items()}


def ones(count):
    """Twenty numbers; Student's interval of a mean m of ones and zeros is m +- 2.093 sqrt(m (1 - m) / 19)."""
    return np.arange(20) < count


@pytest.mark.parametrize("elsewhere", [0, 20])
@pytest.mark.parametrize(
    "how, verdict",
    [
        ({}, "upheld"),
        ({"loses": 6}, "qualified"),
        ({"gains": (0.01, 0.0)}, "qualified"),
        ({"gains": (0.0, 0.01)}, "qualified"),
        ({"gains": (-0.5, -0.5)}, "upheld"),
        ({"gains": (ones(2), 0.0)}, "upheld"),  # a mean above 0 whose interval begins at it
        ({"gains": (ones(6), 0.0)}, "qualified"),
        ({"charged": 0}, "qualified"),
        ({"ranks": 0}, "qualified"),
        ({"ranks": 6, "charged": 6}, "upheld"),
        ({"charged": 2}, "qualified"),
        ({"ranks": 2}, "qualified"),
        ({"ranks": 2, "charged": 2}, "refuted"),
        ({"ranks": 0, "charged": 0, "loses": 0}, "refuted"),
    ],
)
def test_the_criterion_judges_the_whitepaper_s_order(how, verdict, elsewhere):
    assert claim.check(results(**how, elsewhere=elsewhere)).verdict == verdict


def test_the_figure_is_how_many_more_are_served_soon():
    verdict = claim.check(results(ranks=4, charged=2, loses=7, gains=(0.25, ones(2)), elsewhere=3))
    assert verdict.figure == (
        "served within 10 rounds of failing: +10.0 points (-4.4 to +24.4) as printed, +20.0 points (+0.8 to +39.2) if "
        "v only ranks"
    )
    assert "the raise makes 7% of those served after a failure pay more than they are worth" in verdict.explanation
    assert "In the best order ranking adds +15.0 points (-2.1 to +32.1)." in verdict.explanation
    first, second = claim.FAILURES
    assert f"A failure {first} brings the user +25.0% (+25.0% to +25.0%) of the mean bid." in verdict.explanation
    assert f"A failure {second} brings the user +10.0% (-4.4% to +24.4%) of the mean bid." in verdict.explanation


def test_only_the_raise_that_is_charged_makes_anyone_pay_too_much(tiny):
    returns = tiny("failed_task_returns")["returns"]
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
