"""Gap against time: what a line shows of a solver with a bound and of one without."""

from dataclasses import replace

import pytest

from auction.allocation import Allocation
from auction.outcome import Outcome
from auction.plot import gap_against_time, gap_over_time, write
from auction.progress import Progress


@pytest.fixture
def exact():
    return Outcome(
        solver="exact",
        reading="bundle",
        allocation=Allocation.empty(),
        welfare=90,
        bound=90,
        proven_optimal=True,
        status="optimal",
        seconds=4.0,
        seed=0,
        options={},
        market_digest="0",
        history=(
            Progress(0.5, None, 200),
            Progress(1.0, -5, 200),
            Progress(2.0, 50, 100),
            Progress(3.0, 90, 100),
            Progress(4.0, 90, 90),
        ),
    )


def test_a_solver_is_measured_against_its_own_bound_by_then(exact):
    points = [(1.0, 1.0), (2.0, 0.5), (3.0, pytest.approx(0.1)), (4.0, 0.0)]
    assert gap_over_time(exact, 90) == gap_over_time(exact, None) == points


def test_a_heuristic_is_measured_against_the_least_bound_of_others(exact):
    heuristic = replace(exact, bound=None, welfare=45, history=(Progress(0.1, 9, None), Progress(0.2, 45, None)))
    assert gap_over_time(heuristic, 90) == [(0.1, 0.9), (0.2, 0.5)]
    assert gap_over_time(heuristic, None) == []


def test_an_outcome_without_a_history_is_a_point(exact):
    assert gap_over_time(replace(exact, history=(), welfare=45), None) == [(4.0, 0.5)]


def test_a_panel_a_market_and_a_line_a_solver(exact):
    heuristic = replace(exact, bound=None, history=(Progress(0.1, 9, None),))
    figure = gap_against_time([("one", [("exact", exact), ("heuristic", heuristic)]), ("two", [("exact", exact)])])
    first, second = figure.axes
    assert [text.get_text() for text in first.get_legend().get_texts()] == ["exact", "heuristic"]
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["one", "two"]
    lines = [line for line in first.lines if line.get_label() in ("exact", "heuristic")]
    assert [line.get_linestyle() for line in lines] == ["-", "--"]
    assert lines[0].get_xydata().tolist()[:2] == [[1.0, 1.0], [2.0, 0.5]]
    assert lines[0].get_color() == second.lines[0].get_color()


def test_seconds_are_plain_numbers_and_names_no_mathematics(exact, tmp_path):
    write(gap_against_time([("of $5 and $6", [("exact", exact)])]), tmp_path / "gap.svg", "svg")
    text = (tmp_path / "gap.svg").read_text()
    assert "mathdefault" not in text and "of $5 and $6" in text
    assert ">1</text>" in text and ">3</text>" in text  # of less than a decade, between powers of ten as well
