"""The command line: formats other tools rely on, exit codes, and one clear line for bad input."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from auction import generate, instances, solvers
from auction.files import read_market, write_market

OUTCOME_KEYS = {
    "solver", "reading", "welfare", "bound", "gap", "proven_optimal", "status", "seconds", "seed", "options",
    "market_digest", "certified_bound", "proof", "remark",
}  # fmt: skip


@pytest.fixture
def market(tmp_path):
    path = tmp_path / "market.json"
    write_market(path, generate("uniform", 6, 10, seed=3))
    return path


def test_without_a_command_its_help_is_shown(cli):
    code, out, err = cli()
    assert code == 2 and "mechanisms" in out + err and "error" not in err


def test_generate_writes_the_same_market_in_both_formats(cli, tmp_path):
    for name in ("a.json", "a.npz"):
        code, _, _ = cli("generate", "classes", "--tasks", 5, "--providers", 7, "--types", 2, "--seed", 4,
                         "--option", "classes=3", "--out", tmp_path / name)  # fmt: skip
        assert code == 0
    expected = generate("classes", 5, 7, 2, 4, {"classes": 3}).digest
    assert {read_market(tmp_path / name).digest for name in ("a.json", "a.npz")} == {expected}


def test_solve_prints_json_and_nothing_else_and_writes_the_pairs(cli, market, tmp_path):
    out = tmp_path / "outcome.json"
    code, printed, _ = cli(
        "solve", market, "--solver", "ilp_cpsat", "--option", "warm_start=true", "--out", out, "--json"
    )
    summary, written = json.loads(printed), json.loads(out.read_text())
    assert code == 0
    assert set(summary) == OUTCOME_KEYS
    assert set(written) == OUTCOME_KEYS | {"history", "task", "provider"}
    assert all(summary[key] == written[key] for key in OUTCOME_KEYS)
    assert summary["options"] == {"warm_start": True}
    assert (summary["bound"], summary["gap"], summary["proven_optimal"]) == (summary["welfare"], 0.0, True)
    assert len(written["task"]) == len(written["provider"]) > 0


def test_amounts_that_look_like_tokens_are_remarked_on(cli, market):
    assert cli("solve", market, "--solver", "greedy", "--json")[2] == ""
    fields = json.loads(market.read_text())
    market.write_text(json.dumps(fields | {"value": [12] * 6}))
    code, printed, error = cli("solve", market, "--solver", "greedy", "--json")
    assert code == 0 and json.loads(printed)["welfare"] == 0
    assert error == f"{market}: no task bids more than its extra cost; amounts are micro-tokens\n"
    market.write_text(json.dumps(fields | {"value": [1.5] * 6}))
    assert "micro-tokens, 10^6 to a token" in cli("solve", market, "--solver", "greedy")[2]


def test_lp_bound_has_no_welfare_and_a_heuristic_no_bound(cli, market):
    bound = json.loads(cli("solve", market, "--solver", "lp_bound", "--json")[1])
    assert (bound["welfare"], bound["gap"]) == (0, 1.0)
    heuristic = json.loads(cli("solve", market, "--solver", "bid_density", "--json")[1])
    assert (heuristic["bound"], heuristic["gap"], heuristic["proven_optimal"]) == (None, None, False)


def test_check_accepts_what_solve_wrote_and_names_what_was_changed(cli, market, tmp_path):
    out = tmp_path / "outcome.json"
    cli("solve", market, "--solver", "ilp_cpsat", "--out", out)
    assert cli("check", market, out)[0] == 0
    honest = json.loads(out.read_text())

    def reasons(**changed):
        out.write_text(json.dumps(honest | changed))
        code, printed, _ = cli("check", market, out)
        assert code == 1
        return printed

    assert "welfare is" in reasons(welfare=honest["welfare"] - 1, bound=honest["welfare"] - 1)
    assert f"task {honest['task'][0]}" in reasons(task=honest["task"][1:], provider=honest["provider"][1:])
    assert "below the welfare" in reasons(bound=honest["welfare"] - 1, gap=-1 / (honest["welfare"] - 1))
    assert "proven_optimal" in reasons(bound=2 * honest["welfare"], gap=0.5)
    assert "not proven_optimal, but" in reasons(proven_optimal=False)
    assert "certified_bound -1 is below the welfare" in reasons(certified_bound=-1)


def test_check_refuses_an_outcome_for_another_market(cli, market, tmp_path):
    out, other = tmp_path / "outcome.json", tmp_path / "other.json"
    cli("solve", market, "--solver", "greedy", "--out", out)
    write_market(other, generate("uniform", 6, 10, seed=4))
    code, _, error = cli("check", other, out)
    assert code == 2
    assert "market_digest" in error


@pytest.mark.parametrize("command", ["solvers", "families"])
def test_lists_name_what_there_is_whole(cli, command):
    code, printed, _ = cli(command)
    assert code == 0 and "…" not in printed
    assert set({"solvers": solvers, "families": instances}[command].names()) <= set(printed.splitlines())


@pytest.mark.parametrize(
    "arguments, named",
    [
        (["solve", "MARKET", "--solver", "gredy"], "gredy"),
        (["solve", "MARKET", "--solver", "greedy", "--reading", "hole"], "bundle, whole"),
        (["solve", "MARKET", "--solver", "assignment"], "whole"),
        (["solve", "MARKET", "--solver", "greedy", "--option", "norm=cube"], "unit|root"),
        (["solve", "MARKET", "--solver", "greedy", "--option", "size=3"], "norm"),
        (["solve", "MARKET", "--solver", "greedy", "--option", "norm"], "key=value"),
        (["solve", "MARKET", "--solver", "greedy", "--option", "norm=unit", "--option", "norm=root"], "twice"),
        (["solve", "MARKET", "--solver", "bid_density", "--option", "backfill=yes"], "true|false"),
        (["solve", "MARKET", "--solver", "price_guided", "--option", "rounds=0"], "from 1 up"),
        (["solve", "MARKET", "--solver", "column_generation", "--option", "gap=-0.1"], "0 to 1"),
        (["solve", "MARKET", "--solver", "greedy", "--time-limit", "0"], "positive"),
        (["solve", "MARKET", "--solver", "greedy", "--time-limit", "nan"], "positive"),
        (["solve", "MARKET", "--solver", "greedy", "--seed", "-1"], "seed"),
        (["solve", "MARKET", "--solver", "greedy", "--out", "TMP/none/outcome.json"], "directory"),
        (["solve", "MARKET", "--solver", "greedy", "--out", "TMP"], "directory"),
        (["solve", "TMP/none.json", "--solver", "greedy"], "none.json"),
        (["solve", "TMP/market.dat", "--solver", "greedy"], ".npz"),
        (["generate", "unifrom", "--tasks", "3", "--providers", "3", "--out", "TMP/m.json"], "uniform"),
        (["generate", "uniform", "--tasks", "-3", "--providers", "3", "--out", "TMP/m.json"], "tasks"),
        (["generate", "uniform", "--tasks", str(2**62), "--providers", "1", "--out", "TMP/m.json"], "memory"),
        (["generate", "sparse", "--tasks", "1", "--providers", str(2**62), "--out", "TMP/m.npz"], "memory"),
        (["generate", "uniform", "--tasks", "many", "--providers", "3", "--out", "TMP/m.json"], "--tasks"),
        (["generate", "uniform", "--tasks", "3", "--providers", "3", "--types", "0", "--out", "TMP/m.json"], "types"),
        (["generate", "uniform", "--tasks", "3", "--providers", "3", "--out", "TMP/m.csv"], ".json"),
        (["generate", "scarce", "--tasks", "3", "--providers", "3", "--option", "supply=0", "--out", "TMP/a.npz"], "0"),
        (["compare", "MARKET", "--solvers", "greedy,nothing"], "nothing"),
        (["compare", "MARKET", "--solvers", "greedy", "--option", "norm=unit"], "solver.key=value"),
        (["compare", "MARKET", "--solvers", "greedy", "--option", "bid_density.backfill=true"], "greedy"),
        (["compare", "MARKET", "--solvers", "greedy", "--option", "greedy.norm=cube"], "unit|root"),
        (["compare", "MARKET", "--solvers", "greedy", "--seed", "-1"], "seed"),
        (["compare", "MARKET", "--solvers", "greedy", "--out", "MARKET"], "cannot be written"),
        (["compare", "MARKET", "TMP/none.json", "--solvers", "greedy"], "none.json"),
        (["check", "MARKET", "MARKET"], "outcome"),
        (["conquer"], "conquer"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_exit_code_2(cli, market, tmp_path, arguments, named):
    before = sorted(tmp_path.iterdir())
    replaced = [str(a).replace("MARKET", str(market)).replace("TMP", str(tmp_path)) for a in arguments]
    code, printed, error = cli(*replaced)
    assert code == 2
    assert printed == ""
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert named in error
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("content", ["", "{", "[]", '{"demand": []}', '{"demand": [[1, 2], [3]]}', "\x00\xff"])
def test_files_that_are_no_markets_are_one_line_and_exit_code_2(cli, tmp_path, content):
    path = tmp_path / "market.json"
    path.write_text(content)
    code, _, error = cli("solve", path, "--solver", "greedy")
    assert code == 2
    assert error.startswith(f"error: {path}: ")
    assert error.count("\n") == 1


def test_an_outcome_named_in_a_device_is_written_not_replaced(cli, market):
    assert cli("solve", market, "--solver", "greedy", "--out", "/dev/null")[0] == 0
    assert not Path("/dev/null").is_file()


INTERRUPTED_SOLVE = """
import os, signal, sys
from auction.commands.cli import app
from auction.commands.terminal import run
from auction.solvers import bid_density

signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs ignore it
original, fired = bid_density.solve, []  # a warm start runs it in several variants
def solve(*arguments, **options):
    fired or fired.append(os.kill(os.getpid(), signal.SIGINT))
    return original(*arguments, **options)
bid_density.solve = solve
run(app)
"""


@pytest.mark.parametrize("solver", ["ilp_cpsat", "ilp_scip"])
def test_an_interrupted_solve_writes_the_best_found_and_exits_with_130(tmp_path, solver):
    path, out = tmp_path / "market.npz", tmp_path / "outcome.json"
    write_market(path, generate("uniform", 60, 120, seed=3))
    command = [sys.executable, "-c", INTERRUPTED_SOLVE, "solve", str(path), "--solver", solver, "--option",
               "warm_start=true", "--time-limit", "60", "--out", str(out), "--json"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        printed, _ = process.communicate()
    assert process.returncode == 130
    assert json.loads(printed)["status"] == "interrupted"
    written = json.loads(out.read_text())
    assert 0 < written["welfare"] <= written["bound"]
    assert np.unique(written["task"]).size > 1
