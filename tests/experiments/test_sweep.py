"""Runs against the best that is known of each market."""

import pandas as pd
import pytest

from experiments import sweep
from experiments.sweep import BEST_VARIANT, GREEDY, PRINTED, VARIANTS, Draw


@pytest.fixture(scope="module")
def runs():
    draws = [Draw("uniform", 6, 10, seed) for seed in range(3)]
    plans = [*VARIANTS, *GREEDY, *sweep.exact(20.0, ["ilp_cpsat"])]
    return sweep.with_best_variant(sweep.run(draws, plans, "bundle", "test"))


def test_labels_are_distinct_and_the_first_is_as_printed():
    assert len({plan.label for plan in VARIANTS}) == len(VARIANTS) == 8
    assert VARIANTS[0] == PRINTED


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
