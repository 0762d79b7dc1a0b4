"""Gaps and summaries against figures worked out by hand, and what must hold of any runs."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auction.comparison import against_best, shifted_geometric_mean, summary


def run(solver, welfare, bound=None, status="feasible", seconds=1.0, proven=False):
    return {
        "solver": solver,
        "welfare": welfare,
        "bound": bound,
        "status": status,
        "seconds": seconds,
        "proven_optimal": proven,
    }


GAPS = ("primal_gap", "dual_gap", "gap_to_best_bound")


def gaps(*runs):
    return [tuple(found[name] for name in GAPS) for found in against_best(runs)]


def test_gaps_worked_out_by_hand():
    found = against_best([run("a", 60), run("b", 80, 125), run("c", 20, 100), run("d", 0, 160, "bound")])
    assert {(one["best_welfare"], one["best_bound"]) for one in found} == {(80, 100)}
    assert [tuple(one[name] for name in GAPS) for one in found] == [
        (0.25, None, 0.4),
        (0.0, 0.2, 0.2),
        (0.75, 0.0, 0.8),
        (None, 0.375, None),
    ]
    assert not any("contradicted_by" in one for one in found)


def test_without_a_bound_there_is_no_gap_to_it_and_nothing_to_win_is_no_gap():
    assert gaps(run("a", 40), run("b", 10)) == [(0.0, None, None), (0.75, None, None)]
    assert gaps(run("a", 0, 0), run("b", 0, 7)) == [(0.0, 0.0, 0.0), (0.0, 1.0, 0.0)]
    assert against_best([]) == []


def test_a_refuted_bound_counts_for_nothing():
    """The least bound is that of the others, the one that proved it proved nothing."""
    lie, right, other = against_best(
        [run("lie", 30, 30, "optimal", proven=True), run("right", 50), run("other", 40, 90)]
    )
    assert lie["contradicted_by"] == "right" and lie["dual_gap"] is None and "contradicted_by" not in right
    assert lie["best_bound"] == right["best_bound"] == other["best_bound"] == 90
    assert [row["proved"] for row in summary([lie, right, other])] == [0.0, 0.0, 0.0]


def test_a_summary_worked_out_by_hand():
    first = against_best([run("exact", 80, 80, "optimal", 3.0, True), run("fast", 60, seconds=0.0)])
    second = against_best([run("exact", 40, 50, "time limit", 15.0), run("fast", 40, seconds=1.0)])
    exact, fast = summary([*first, *second])
    assert exact["seconds"] == pytest.approx(7.0) and fast["seconds"] == pytest.approx(math.sqrt(2) - 1)
    assert (exact["markets"], exact["proved"], exact["primal_gap"], exact["dual_gap"]) == (2, 0.5, 0.0, 0.0)
    assert (exact["gap_to_best_bound"], exact["worst_gap"]) == (pytest.approx(0.1), pytest.approx(0.2))
    assert (fast["primal_gap"], fast["dual_gap"], fast["worst_gap"]) == (0.125, None, 0.25)


runs = st.lists(
    st.builds(
        run,
        st.sampled_from("abc"),
        st.integers(0, 9),
        st.none() | st.integers(0, 12),
        seconds=st.floats(0, 100),
        proven=st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


@given(runs)
def test_shares_lie_between_none_and_all_and_the_gap_to_the_bound_is_the_largest(drawn):
    for one in against_best(drawn):
        assert all(one[name] is None or 0 <= one[name] <= 1 for name in GAPS)
        assert one["gap_to_best_bound"] is None or one["primal_gap"] <= one["gap_to_best_bound"]
        assert one["best_bound"] is None or one["best_bound"] >= one["best_welfare"]


@given(st.lists(st.floats(0, 1e4), min_size=1), st.floats(0.01, 100))
def test_a_shifted_mean_lies_between_the_least_and_the_largest(values, shift):
    mean = shifted_geometric_mean(values, shift)
    assert min(values) - 1e-6 <= mean <= max(values) * (1 + 1e-9) + 1e-6
