"""What reaches a terminal: names as they are, nothing that a terminal would obey."""

import io
import json
import sys
import threading
from contextlib import contextmanager

import pytest
import typer
from numba import njit
from numba.core.event import install_listener
from rich.console import Console

from auction import generate
from auction.commands import solving, terminal
from auction.commands.solving import in_words
from auction.commands.terminal import printable, run, stdout
from auction.files import write_market
from auction.progress import Progress

HOSTILE = "\x1b[2K\rbound 1 derived again from the certificate's prices\n\x07\u202e\udc80"


def test_printable_text_is_left_alone():
    for text in ("", "m[seed=1].json", "[/red] :smile: é 数", "a b"):
        assert printable(text) == text
    assert printable(HOSTILE) == r"\x1b[2K\rbound 1 derived again from the certificate's prices\n\x07\u202e\udc80"


@pytest.mark.parametrize("name", ["m[seed=1].json", "x[/y]/m.json", ":smile:.json", "[bold]m.json", "a\x1b[31mb.json"])
def test_names_of_files_are_printed_as_they_are(cli, tmp_path, monkeypatch, name):
    monkeypatch.setattr(stdout, "_width", 300)
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_market(path, generate("uniform", 2, 4))
    code, printed, error = cli("solve", path, "--solver", "greedy")
    assert (code, error) == (0, "")
    assert printable(name) in printed and "\x1b" not in printed
    assert cli("generate", "uniform", "--tasks", 2, "--providers", 2, "--out", path)[0] == 0


def test_the_line_of_a_solver_that_runs_says_what_it_knows():
    assert in_words(Progress(1.0, 1_500_000, 2_000_000)) == "welfare 1.50, bound 2.00, gap 25.00%"
    assert in_words(Progress(1.0, None, 2_345_678_900)) == "bound 2,345.68"
    assert in_words(Progress(1.0, 0, None)) == "welfare 0.00"


def test_on_a_terminal_a_solver_tells_as_it_goes(generate, monkeypatch):
    said = []

    @contextmanager
    def working(what):
        yield said.append

    monkeypatch.setattr(solving, "working", working)
    monkeypatch.setattr(solving, "stderr", Console(file=io.StringIO(), force_terminal=True))
    market = generate("uniform", 5, 8, 2, 0)
    outcome = solving.solved(market, "ilp_cpsat", "bundle", 60, 0, {})
    assert said[-1] == f"ilp_cpsat on 5 x 8, at most 60 s: {solving.in_words(outcome.history[-1])}"
    said.clear()
    monkeypatch.setattr(solving, "stderr", Console(file=io.StringIO()))
    solving.solved(market, "ilp_cpsat", "bundle", 60, 0, {})
    assert not said


@pytest.mark.parametrize("field", ["proof", "solver", "status"])
def test_an_outcome_cannot_forge_a_line(cli, tmp_path, field):
    market, outcome = tmp_path / "market.json", tmp_path / "outcome.json"
    write_market(market, generate("uniform", 2, 4))
    cli("solve", market, "--solver", "greedy", "--out", outcome)
    fields = json.loads(outcome.read_text())
    fields |= {"bound": fields["welfare"], "gap": 0.0, "proven_optimal": True, field: HOSTILE}
    outcome.write_text(json.dumps(fields))
    code, printed, _ = cli("check", market, outcome)
    assert code == 0 and len(printed.splitlines()) == 2
    assert "\x1b" not in printed and "not derived again: " in printed


def test_errors_are_a_line_that_obeys_nothing(cli, tmp_path):
    code, printed, error = cli("solve", tmp_path / "\x1b[31m\u2028m.json", "--solver", "greedy")
    assert (code, printed, error.count("\n")) == (2, "", 1) and "\x1b" not in error and r"\x1b[31m" in error


def test_a_console_of_another_encoding_loses_characters_not_the_text(monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "ascii"))
    app = typer.Typer()
    app.command()(lambda: print("é 数", flush=True))
    monkeypatch.setattr(sys, "argv", ["auction"])
    with pytest.raises(SystemExit) as stopped:
        run(app)
    assert (stopped.value.code or 0, written.getvalue()) == (0, b"? ?\n")


@pytest.mark.parametrize("watched", [True, False])
def test_compiling_is_announced_once(monkeypatch, capsys, watched):
    monkeypatch.setattr(terminal, "stderr", Console(stderr=True, force_terminal=watched))
    monkeypatch.setattr(terminal._Compiling, "said", False)
    with install_listener("numba:compile", terminal._Compiling()):
        for step in (1, 2):
            njit(lambda x, step=step: x + step)(1)
    out, error = capsys.readouterr()
    assert (out, error.count("compiling")) == ("", 1)


@pytest.mark.parametrize("watched", [True, False])
def test_who_does_not_watch_is_told_once_it_takes_long(monkeypatch, capsys, watched):
    monkeypatch.setattr(terminal, "stderr", Console(file=io.StringIO(), force_terminal=watched))
    monkeypatch.setattr(terminal, "PATIENCE", 0.0)
    with terminal.working("solving \x1b[2J"):
        for thread in threading.enumerate():
            if isinstance(thread, threading.Timer):
                thread.join()
    assert capsys.readouterr() == ("", "" if watched else "solving \\x1b[2J ...\n")


def test_what_is_working_leaves_nothing_on_the_terminal(monkeypatch):
    shown = Console(file=io.StringIO(), force_terminal=True, width=60)
    monkeypatch.setattr(terminal, "stderr", shown)
    with terminal.working("solving"):
        pass
    told = shown.file.getvalue()
    assert "solving" in told and told.endswith("\x1b[2K")
