"""A sweep's frame against single solves; interrupted and resumed; in other processes."""

import json

import pandas as pd
import pytest

import auction
from auction import generate, solve, sweep, sweeps
from auction.sweeps import Cell, Draw

SIZES = [(6, 10), (5, 7, 2)]
SOLVERS = ["greedy", ("ilp_cpsat", {"warm_start": False}), "lp_bound"]


def without_times(frame):
    return frame.drop(columns="seconds")


@pytest.fixture(scope="module")
def frame():
    return sweep(["uniform", ("classes", {"classes": 2})], SIZES, range(2), SOLVERS, time_limit=20)


def test_a_row_is_what_a_solve_of_what_was_drawn_gives(frame):
    assert len(frame) == 2 * 2 * 2 * 3
    for row in frame.to_dict("records"):
        options = json.loads(row["market_options"])
        market = generate(row["family"], row["tasks"], row["providers"], row["types"], row["market_seed"], options)
        outcome = solve(market, row["solver"], options=json.loads(row["options"]))
        assert row["market_digest"] == market.digest and row["proven_optimal"] == outcome.proven_optimal
        assert (row["welfare"], row["status"]) == (outcome.welfare, outcome.status)
        assert row["bound"] == outcome.bound or (pd.isna(row["bound"]) and outcome.bound is None)
    assert set(frame["types"]) == {2, 3} and {"contradicted_by"}.isdisjoint(frame.columns)
    options = {row["solver"]: json.loads(row["options"]) for row in frame.to_dict("records")}
    assert options["ilp_cpsat"] == {"warm_start": False}


def test_gaps_are_to_the_best_of_the_same_market(frame):
    for _, own in frame.groupby("market_digest"):
        by_solver = own.set_index("solver")
        optimum = by_solver["welfare"]["ilp_cpsat"]
        assert (own["best_welfare"] == optimum).all() and (own["best_bound"] == optimum).all()
        expected = (optimum - by_solver["welfare"]["greedy"]) / optimum if optimum else 0.0
        assert by_solver["primal_gap"]["greedy"] == by_solver["gap_to_best_bound"]["greedy"] == expected
        assert by_solver["dual_gap"]["lp_bound"] == pytest.approx(1 - optimum / by_solver["bound"]["lp_bound"])
        assert by_solver[["primal_gap", "dual_gap"]].isna().to_dict("list") == {
            "primal_gap": [False, False, True],
            "dual_gap": [True, False, False],
        }
    assert (frame.groupby("solver")["primal_gap"].mean()["greedy"]) > 0


def test_interrupted_and_resumed_it_is_the_same_and_nothing_is_run_twice(frame, tmp_path, monkeypatch):
    ran = []

    def counted(market, solver, **keywords):
        if len(ran) == 7:
            raise KeyboardInterrupt
        ran.append(solver)
        return solve(market, solver, **keywords)

    def again(resume):
        families = ["uniform", ("classes", {"classes": 2})]
        return sweep(families, SIZES, range(2), SOLVERS, time_limit=20, out=tmp_path, resume=resume)

    monkeypatch.setattr(sweeps.solvers, "solve", counted)
    with pytest.raises(KeyboardInterrupt):
        again(False)
    assert len(pd.read_parquet(tmp_path)) == 7
    monkeypatch.setattr(sweeps.solvers, "solve", lambda *a, **k: ran.append(a) or solve(*a, **k))
    resumed = again(True)
    assert len(ran) == len(frame) == len(pd.read_parquet(tmp_path))
    pd.testing.assert_frame_equal(without_times(resumed), without_times(frame))
    pd.testing.assert_frame_equal(again(True), resumed)
    assert len(ran) == len(frame)


def test_what_other_code_found_is_not_taken_over(tmp_path, monkeypatch):
    for code in ("old", "new", "new"):
        monkeypatch.setattr(sweeps, "sources", lambda code=code: code)
        sweep("uniform", [(2, 3)], [0], "greedy", out=tmp_path, resume=True)
    assert len(pd.read_parquet(tmp_path)) == 2


def test_in_other_processes_it_is_the_same(frame):
    families = ["uniform", ("classes", {"classes": 2})]
    found = sweep(families, SIZES, range(2), SOLVERS, time_limit=20, processes=2)
    pd.testing.assert_frame_equal(without_times(found), without_times(frame))


def mine(market, reading, stop, seed, *, norm: str = "unit"):
    return auction.solvers.load("greedy").solve(market, reading, stop, seed, norm=norm)


def test_functions_a_single_name_and_a_refusal_have_rows():
    found = sweep("uniform", [(30, 30)], [3], [mine, "greedy", (mine, {"norm": "root"}), "brute_force"]).set_index(
        "solver"
    )
    assert found["welfare"]["mine"].iloc[0] == found["welfare"]["greedy"] > 0
    assert [json.loads(text)["norm"] for text in found["options"]["mine"]] == ["unit", "root"]
    refused = found.loc["brute_force"]
    assert refused["status"].startswith("refused: ") and pd.isna(refused["welfare"]) and pd.isna(refused["seconds"])
    assert sweep("uniform", [(4, 5)], [0], mine)["solver"].tolist() == ["mine"]
    assert sweep("uniform", [], [0], mine).empty


def broken(market, reading, stop, seed):
    raise ZeroDivisionError("no\ntasks")


def test_a_solver_that_raises_has_a_row_and_the_others_go_on():
    found = sweep("uniform", [(30, 30)], [3], [broken, "greedy"]).set_index("solver")
    assert found["status"]["broken"] == "failed: ZeroDivisionError: no tasks" and pd.isna(found["welfare"]["broken"])
    assert found["welfare"]["greedy"] > 0


def test_cells_are_told_apart_by_all_that_their_outcome_depends_on():
    draw = Draw("uniform", 4, 5, 0)
    base = Cell(draw, "greedy", {}, "bundle", 1.0, 0)
    others = [
        Cell(Draw("uniform", 4, 5, 1), "greedy", {}, "bundle", 1.0, 0),
        Cell(Draw("uniform", 4, 5, 0, 2), "greedy", {}, "bundle", 1.0, 0),
        Cell(draw.market(), "greedy", {}, "bundle", 1.0, 0),
        Cell(draw, mine, {}, "bundle", 1.0, 0),
        Cell(draw, "greedy", {"norm": "root"}, "bundle", 1.0, 0),
        Cell(draw, "greedy", {}, "whole", 1.0, 0),
        Cell(draw, "greedy", {}, "bundle", None, 0),
        Cell(draw, "greedy", {}, "bundle", 1.0, 1),
    ]
    described = [json.dumps(cell.described()) for cell in [base, *others]]
    assert len(set(described)) == len(described)


@pytest.mark.parametrize(
    "changed, named",
    [
        ({"families": "unifrom"}, "unifrom"),
        ({"families": ("uniform",)}, None),
        ({"families": [("uniform", {"speed": 1})]}, "speed"),
        ({"sizes": [(-1, 3)]}, "tasks"),
        ({"sizes": [(1, 3, 0)]}, "types"),
        ({"seeds": [-1]}, "seed"),
        ({"solvers": "gredy"}, "gredy"),
        ({"solvers": [("greedy", {"norm": "cube"})]}, "unit|root"),
        ({"reading": "hole"}, "whole"),
        ({"time_limit": 0}, "positive"),
        ({"scheduler": "nonsense"}, "nonsense"),
        ({"solvers": lambda market, reading, stop, seed: None, "processes": 2}, "<lambda>"),
    ],
)
def test_what_is_not_allowed_is_refused_before_anything_runs(refusal, monkeypatch, changed, named):
    asked = {"families": "uniform", "sizes": [(3, 4)], "seeds": [0], "solvers": "greedy"} | changed
    if named is None:
        assert len(sweep(**asked)) == 1
        return
    monkeypatch.setattr(sweeps.solvers, "solve", None)
    monkeypatch.setattr("auction._dask.TIMEOUT", 0.2)
    assert named in refusal(sweep, **asked)
