"""Several solvers on several markets: what is printed, what is written, what is called false."""

import csv
import json

import pytest

from auction import Allocation, generate
from auction.comparison import against_best, summary
from auction.errors import InputError
from auction.files import write_market
from auction.search import Found
from auction.solvers import greedy

KNOWN = {"market", "best_welfare", "best_bound", "primal_gap", "dual_gap", "gap_to_best_bound"}


@pytest.fixture
def market(tmp_path):
    path = tmp_path / "market.json"
    write_market(path, generate("uniform", 6, 10, seed=3))
    return path


@pytest.fixture
def other(tmp_path):
    path = tmp_path / "a market whose name is longer than any column.npz"
    write_market(path, generate("uniform", 5, 9, seed=4))
    return path


def test_compare_warm_starts_exact_solvers_and_lists_runs_with_their_market(cli, market):
    code, printed, _ = cli("compare", market, market, "--solvers", "bid_density,ilp_pulp", "--time-limit", 20, "--json")
    outcomes = json.loads(printed)
    assert code == 0
    assert [one["solver"] for one in outcomes] == ["bid_density", "ilp_pulp"] * 2
    assert [one["options"].get("warm_start") for one in outcomes] == [None, True] * 2
    assert {one["market"] for one in outcomes} == {str(market)}
    outcome = json.loads(cli("solve", market, "--solver", "greedy", "--json")[1])
    assert all(set(one) == set(outcome) | KNOWN | {"history"} for one in outcomes)
    assert all(one["history"][-1][1:] == [one["welfare"], one["bound"]] for one in outcomes)


def test_compare_says_which_of_two_proven_optima_is_false(cli, market, monkeypatch):
    """One solver calls the empty allocation optimal, any other refutes it; the file has a name a terminal obeys."""

    def lie(market, reading, stop, seed, *, norm="unit"):
        return Found(Allocation.empty(), 0, "optimal")

    monkeypatch.setattr(greedy, "solve", lie)
    arguments = (
        "compare",
        market.rename(market.with_name("\x1b[31mmarket.json")),
        "--solvers",
        "greedy,ilp_pulp,bid_density",
    )
    code, printed, error = cli(*arguments)
    assert code == 1
    assert "greedy's proven optimum 0 is false: ilp_pulp found" in error
    assert "\x1b" not in error and r"\x1b[31mmarket.json: greedy" in error
    assert [line.split()[0] for line in printed.splitlines() if "FALSE" in line] == ["greedy"]
    code, printed, _ = cli(*arguments, "--json")
    assert code == 1
    assert [one.get("contradicted_by") for one in json.loads(printed)] == ["ilp_pulp", None, None]


def test_compare_by_default_takes_every_solver_of_the_reading(cli, market):
    outcomes = json.loads(cli("compare", market, "--reading", "whole", "--json")[1])
    assert {one["solver"] for one in outcomes} >= {
        "assignment",
        "bid_density",
        "greedy",
        "ilp_cpsat",
        "ilp_pulp",
        "lp_bound",
    }
    assert len({one["welfare"] for one in outcomes if one["proven_optimal"]}) == 1


def test_names_in_a_narrow_table_are_whole(cli, market):
    code, printed, _ = cli("compare", market, "--solvers", "column_generation,bid_density")
    named, *table = printed.splitlines()
    assert code == 0 and named == str(market)  # whole, however long
    assert "…" not in printed and max(map(len, table)) <= 80
    assert {"column_generation", "bid_density"} <= set(printed.split())


def test_several_markets_have_a_line_each_and_solvers_a_summary(cli, market, other):
    """Eighty columns; a name that does not fit has a line of its own, whole."""
    code, printed, _ = cli("compare", other, market, "--solvers", "bid_density,column_generation")
    lines = printed.splitlines()
    assert code == 0 and "…" not in printed and str(other) in lines and str(market) in lines
    after = {name: lines[lines.index(str(name)) + 1].split() for name in (other, market)}
    assert [line[0] for line in after.values()] == ["5x9", "6x10"]
    assert all(line[1] == line[2] and line[3] == "0.0000%" for line in after.values())
    table = {line.split()[0]: line.split()[1:] for line in lines[lines.index(str(market)) + 2 :] if line.strip()}
    assert table["column_generation"][1:] == ["0.0000%"] * 4 + ["2/2"]
    assert table["bid_density"][-1] == "0/2" and table["bid_density"][2] == "–"  # no dual gap
    assert all(len(line) <= 80 for line in lines if not line.startswith("/"))


def test_what_is_written_is_what_the_json_says(cli, market, other, tmp_path):
    out = tmp_path / "new" / "folder"
    code, printed, _ = cli(
        "compare", market, other, "--solvers", "greedy,bid_density", "--out", out, "--json", "--seed", 7,
        "--option", "greedy.norm=root",
    )  # fmt: skip
    runs = json.loads(printed)
    assert code == 0 and {run["seed"] for run in runs} == {7}
    assert [run["options"]["norm"] for run in runs if run["solver"] == "greedy"] == ["root"] * 2
    with (out / "runs.csv").open() as file:
        written = list(csv.DictReader(file))
    for run, row in zip(runs, written, strict=True):
        assert {name: "" if value is None else value for name, value in run.items() if isinstance(value, str)} == {
            name: row[name] for name, value in run.items() if isinstance(value, str)
        }
        assert (int(row["welfare"]), row["bound"], json.loads(row["options"])) == (run["welfare"], "", run["options"])
        assert json.loads(row["proven_optimal"]) is False and float(row["primal_gap"]) == run["primal_gap"]
    with (out / "summary.csv").open() as file:
        means = {row["solver"]: row for row in csv.DictReader(file)}
    assert float(means["greedy"]["seconds"]) == summary(runs)[0]["seconds"] and set(means) == {"greedy", "bid_density"}


def test_gaps_of_all_solvers_are_drawn_against_time(cli, market, other, tmp_path):
    picture = tmp_path / "gap.svg"
    arguments = "--solvers", "greedy,lp_bound,ilp_cpsat", "--plot"
    assert cli("compare", market, other, *arguments, picture)[0] == 0
    text = picture.read_text()
    assert all(name in text for name in (market.stem, other.stem, "greedy", "ilp_cpsat", "seconds"))
    assert "lp_bound" not in text  # it has no allocation
    code, _, error = cli("compare", market, *arguments, tmp_path / "gap.gif")
    assert code == 2 and "a picture ends in .svg, .png, .pdf" in error


def test_where_no_run_ended_nothing_is_drawn(cli, market, tmp_path, monkeypatch):
    def refuse(market, reading, stop, seed, *, norm="unit"):
        raise InputError("too many tasks")

    monkeypatch.setattr(greedy, "solve", refuse)
    monkeypatch.setattr("auction.commands.compare._comparable", lambda reading: ["greedy"])
    code, printed, error = cli("compare", market, "--json", "--plot", tmp_path / "gap.svg")
    assert (code, json.loads(printed)) == (0, []) and "greedy left out: too many tasks" in error
    assert not (tmp_path / "gap.svg").exists()


def test_an_option_replaces_the_warm_start(cli, market):
    printed = cli("compare", market, "--solvers", "ilp_cpsat", "--option", "ilp_cpsat.warm_start=false", "--json")[1]
    assert json.loads(printed)[0]["options"]["warm_start"] is False


def test_a_solver_that_refuses_one_market_is_left_out_there_and_said_so(cli, market, other, monkeypatch):
    solve = greedy.solve

    def refuse(market, reading, stop, seed, *, norm="unit"):
        if market.tasks == 6:
            raise InputError("too many tasks")
        return solve(market, reading, stop, seed)

    monkeypatch.setattr(greedy, "solve", refuse)
    code, printed, error = cli("compare", market, other, "--json", "--time-limit", 5)
    own = [run["market"] for run in json.loads(printed) if run["solver"] == "greedy"]
    assert code == 0 and own == [str(other)] and f"{market}: greedy left out: too many tasks" in error
    code, _, error = cli("compare", market, other, "--solvers", "greedy")
    assert code == 2 and error.endswith("too many tasks\n")


def test_runs_that_are_listed_are_those_of_the_library(cli, market):
    runs = json.loads(cli("compare", market, "--solvers", "bid_density,greedy,lp_bound", "--json")[1])
    assert against_best(runs) == runs


def test_interrupted_and_resumed_it_is_the_same(cli, market, other, tmp_path, monkeypatch):
    """The second of four runs is interrupted: its best is shown, and it is run again."""
    out, solve = tmp_path / "out", greedy.solve
    arguments = ("compare", market, other, "--solvers", "bid_density,greedy", "--json")
    whole = json.loads(cli(*arguments)[1])

    def interrupted(market, reading, stop, seed, *, norm="unit"):
        stop.interrupt()
        return solve(market, reading, stop, seed)

    monkeypatch.setattr(greedy, "solve", interrupted)
    code, printed, _ = cli(*arguments, "--out", out)
    assert code == 130 and [run["status"] for run in json.loads(printed)] == ["heuristic", "interrupted"]
    monkeypatch.setattr(greedy, "solve", solve)
    kept = {path: path.stat().st_mtime_ns for path in (out / "cells").iterdir()}
    code, printed, _ = cli(*arguments, "--out", out, "--resume")
    resumed = json.loads(printed)
    assert code == 0 and len(kept) == 1 and {path: path.stat().st_mtime_ns for path in kept} == kept
    assert [without_times(run) for run in resumed] == [without_times(run) for run in whole]
    assert json.loads(cli(*arguments, "--out", out, "--resume")[1]) == resumed
    assert len(list((out / "cells").iterdir())) == 4


def without_times(run):
    return {name: value for name, value in run.items() if name not in ("seconds", "history")}


def test_side_by_side_it_is_the_same(cli, market, other):
    arguments = ("compare", market, other, "--solvers", "bid_density,ilp_scip", "--json")
    alone, together = (json.loads(cli(*arguments, *more)[1]) for more in ((), ("--workers", 2)))
    assert [without_times(run) for run in together] == [without_times(run) for run in alone]
