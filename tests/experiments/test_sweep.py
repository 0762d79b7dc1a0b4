"""Runs against the best that is known of each market."""

import numpy as np
import pandas as pd
import pytest

from auction import solve
from experiments import sweep
from experiments.sweep import BACKFILL, BEST_VARIANT, GREEDY, PRINTED, VARIANTS, Draw, Plan


@pytest.fixture(scope="module")
def runs():
    draws = [Draw("uniform", 6, 10, seed) for seed in range(3)]
    plans = [*VARIANTS, *GREEDY, *sweep.exact(20.0, ["ilp_cpsat"])]
    return sweep.with_best_variant(sweep.run(draws, plans, "bundle", "test"))


def test_labels_are_distinct_and_the_first_is_as_printed():
    assert len({plan.label for plan in VARIANTS}) == len(VARIANTS) == 8
    assert VARIANTS[0] == PRINTED


def test_gaps_are_those_computed_by_hand():
    rows = [
        # market, reading, solver, welfare, bound; gap to the best, 80 on the first; to the least bound, 100 there
        ("a", "bundle", "x", 60, None, 0.25, 0.4),
        ("a", "bundle", "y", 80, 125, 0.0, 0.2),
        ("a", "bundle", "z", 20, 100, 0.75, 0.8),
        ("a", "whole", "x", 45, None, 0.5, 0.5),
        ("a", "whole", "y", 90, 90, 0.0, 0.0),
        ("b", "bundle", "x", 0, None, 0.0, 1.0),  # nothing was won, which is not proven
        ("b", "bundle", "y", 0, 7, 0.0, 1.0),
        ("c", "bundle", "x", 0, 0, 0.0, 0.0),  # nothing can be won
        ("d", "bundle", "x", 25, None, 0.5, 0.875),
        ("d", "bundle", "y", 50, 200, 0.0, 0.75),
        ("e", "bundle", "x", 40, None, 0.0, np.nan),  # no bound is known
    ]
    frame = pd.DataFrame(rows, columns=["market", "reading", "solver", "welfare", "bound", "expected", "against bound"])
    found = sweep.against_best(frame.astype({"bound": "Int64"}))
    assert found["gap"].tolist() == pytest.approx(frame["expected"].tolist(), abs=1e-15)
    assert found["gap_bound"].tolist() == pytest.approx(frame["against bound"].tolist(), abs=1e-15, nan_ok=True)
    assert found["best"].tolist() == [80, 80, 80, 90, 90, 0, 0, 0, 50, 50, 40]
    assert found["upper"].tolist()[:-1] == [100, 100, 100, 90, 90, 7, 7, 0, 200, 200]


def test_the_best_variant_is_chosen_by_market_and_reading_among_the_auction_s_own():
    rows = [("a", "bundle", 3, 5, 9), ("a", "whole", 6, 4, 9), ("b", "bundle", 1, 2, 9)]
    rows = [
        (market, reading, solver, welfare)
        for market, reading, *each in rows
        for solver, welfare in zip((PRINTED.label, BACKFILL.label, GREEDY[0].label), each, strict=True)
    ]
    runs = pd.DataFrame(rows, columns=["market", "reading", "solver", "welfare"])
    found = sweep.with_best_variant(runs)
    assert found[found["solver"] != BEST_VARIANT].equals(runs)
    assert found[found["solver"] == BEST_VARIANT][["market", "reading", "welfare"]].to_numpy().tolist() == [
        ["a", "bundle", 5],
        ["a", "whole", 6],
        ["b", "bundle", 2],
    ]


def test_a_row_says_where_it_is_from_and_what_came_of_it():
    draw = Draw("classes", 5, 7, seed=3, types=2, options={"largest": 4})
    plan = Plan("mine", "bid_density", {"backfill": True})
    (row,) = sweep.run([draw], [plan], "bundle", "test").to_dict("records")
    outcome = solve(draw.market(), "bid_density", seed=0, options=plan.options)
    wanted = {"family": "classes", "tasks": 5, "providers": 7, "types": 2, "seed": 3, "reading": "bundle"}
    wanted |= {"solver": "mine", "welfare": outcome.welfare, "market": outcome.market_digest, "option_largest": 4}
    assert row.items() >= wanted.items()


def test_the_exact_solver_has_no_gap_and_nobody_a_negative_one(runs):
    assert (runs[runs["solver"] == "CP-SAT"]["gap"] == 0).all()
    assert ((runs["gap"] >= 0) & (runs["gap"] <= runs["gap_bound"] + 1e-12) & (runs["gap_bound"] <= 1)).all()


def test_the_best_variant_is_the_best_of_the_variants(runs):
    own = runs[runs["solver"].isin([plan.label for plan in VARIANTS])].groupby("market")["welfare"].max()
    best = runs[runs["solver"] == BEST_VARIANT].set_index("market")["welfare"]
    pd.testing.assert_series_equal(own.sort_index(), best.sort_index())


def test_gaps_of_a_market_where_nothing_can_be_won_are_zero():
    runs = sweep.run([Draw("uniform", 3, 0, 0)], [PRINTED, *sweep.exact(5.0, ["ilp_cpsat"])], "bundle", "test")
    assert (runs["gap"] == 0).all()
    assert (runs["gap_bound"] == 0).all()


def test_interrupted_and_resumed_it_is_the_same_and_no_draw_is_solved_twice(monkeypatch, tmp_path):
    draws = [Draw("classes", 5, 7, seed, options={"largest": 4} if seed else {}) for seed in range(3)]
    plans = [PRINTED, *sweep.exact(5.0, ["ilp_cpsat"])]
    whole, solved = sweep.run(draws, plans, "bundle", "test"), []

    def once(market, solver, **keywords):
        if len(solved) == 3:
            raise KeyboardInterrupt
        solved.append(solver)
        return solve(market, solver, **keywords)

    monkeypatch.setattr(sweep, "solve", once)
    with sweep.kept_below(tmp_path, "code"), pytest.raises(KeyboardInterrupt):
        sweep.run(draws, plans, "bundle", "test")
    assert len(list(tmp_path.iterdir())) == 1
    monkeypatch.setattr(sweep, "solve", lambda *a, **k: solved.append(a) or solve(*a, **k))
    with sweep.kept_below(tmp_path, "code"):
        resumed = sweep.run(draws, plans, "bundle", "test")
    assert len(solved) == 3 + 4  # the second draw's first solver had no part in anything that was kept
    pd.testing.assert_frame_equal(resumed.drop(columns="seconds"), whole.drop(columns="seconds"))
    with sweep.kept_below(tmp_path, "other code"):
        sweep.run(draws, plans, "bundle", "test")
    assert len(solved) == 3 + 4 + 6
    sweep.run(draws, plans, "bundle", "test")
    assert len(solved) == 3 + 4 + 6 + 6 and len(list(tmp_path.iterdir())) == 6
