"""The page is one file that shows every claim, with its raw results beside it."""

import re
import sys
from functools import partial
from html import escape
from itertools import count
from types import SimpleNamespace

import pandas as pd
import pytest

from auction.commands.terminal import run
from experiments import claims, criteria, page, records, report
from experiments.cli import app


def call(monkeypatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["experiments", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        run(app)
    return stopped.value.code or 0


NO_PAGE = "sdxl_in_a_browser.runs.parquet"  # at size tiny no page is run


def test_report_writes_one_page_and_its_raw_results(monkeypatch, capfd, tmp_path, tiny):
    for name in claims.names():  # found once in all tests
        found = tiny(name)
        monkeypatch.setattr(claims.load(name), "run", lambda size, block=0, found=found: found)
    assert call(monkeypatch, "report", "--size", "tiny", "--out", tmp_path) == 0
    written = tmp_path / report.PAGE
    assert capfd.readouterr().out.strip().splitlines()[-1] == str(written)
    text = written.read_text()
    for name in claims.names():
        claim = claims.load(name)
        assert f'<section id="{name}">' in text
        assert escape(claim.TITLE).replace("&#x27;", "&#39;") in text  # as jinja2 spells it
        raw = list((tmp_path / "raw").glob(f"{name}.*.parquet"))
        assert raw and all(len(pd.read_parquet(path)) for path in raw if path.name != NO_PAGE)
    assert text.count("<svg") >= len(claims.names())
    assert not re.findall(r"""(?:src|href)=["']https?:|url\(https?:""", text)  # nothing is fetched


@pytest.fixture
def three(monkeypatch, tiny):
    """Three claims, the second of which does what ``second`` holds first of all; the runs they made."""
    names, runs, second = ["complexity_map", "prices_are_fair_enough", "several_verifiers_require_full_trust"], [], []
    monkeypatch.setattr(claims, "names", lambda: names)
    results = {name: tiny(name) for name in names}

    def made(size, block=0, *, name):
        runs.append(name)
        if name == names[1] and second:
            raise second[0]
        return results[name]

    for name in names:
        monkeypatch.setattr(claims.load(name), "run", partial(made, name=name))
    return names, runs, second


def shown(out):
    """The page without when it was made and how long it took."""
    return re.sub(r"[\d.]+ minutes, begun \S+|\d+ s(, \d+ s)?\b", "", (out / report.PAGE).read_text())


def test_what_was_interrupted_goes_on_and_ends_as_if_it_had_not_been(monkeypatch, capfd, tmp_path, three):
    names, runs, second = three
    assert call(monkeypatch, "report", "--size", "tiny", "--out", tmp_path / "whole") == 0
    second.append(KeyboardInterrupt())
    assert call(monkeypatch, "report", "--size", "tiny", "--out", tmp_path) == 130
    done = runs[3:-1]
    assert (runs[-1] == names[1] and "it was not run to its end" in (tmp_path / report.PAGE).read_text()) or not done
    second.clear()
    del runs[:]
    assert call(monkeypatch, "report", "--size", "tiny", "--out", tmp_path, "--resume") == 0
    assert sorted([*done, *runs]) == sorted(names)
    assert shown(tmp_path) == shown(tmp_path / "whole")


def test_a_claim_that_fails_stands_on_the_page_and_is_run_again(monkeypatch, capfd, tmp_path, three):
    names, runs, second = three
    second.append(ValueError("of no\nuse"))
    assert call(monkeypatch, "report", "--size", "tiny", "--out", tmp_path) == 0
    assert "failed: ValueError: of no use" in (tmp_path / report.PAGE).read_text()
    assert [bool(records.record(name, tmp_path).failed) for name in names] == [False, True, False]
    second.clear()
    assert call(monkeypatch, "report", "--size", "tiny", "--out", tmp_path, "--resume") == 0
    assert runs[3:] == [names[1]] and "ValueError" not in (tmp_path / report.PAGE).read_text()


def test_seconds_of_a_run_and_of_what_is_run_again_add_up(monkeypatch, capfd, tmp_path, three):
    _, _, second = three
    clock = count()
    monkeypatch.setattr(report, "time", SimpleNamespace(perf_counter=lambda: float(next(clock))))
    second.append(ValueError("of no use"))
    assert call(monkeypatch, "report", "--size", "tiny", "--out", tmp_path) == 0
    before = records.last_run(tmp_path)["seconds"]
    second.clear()
    assert call(monkeypatch, "report", "--size", "tiny", "--out", tmp_path, "--resume") == 0
    assert 0 < before < records.last_run(tmp_path)["seconds"]


def test_results_that_this_code_cannot_read_are_made_again(monkeypatch, capfd, tmp_path, three):
    names, runs, _ = three
    assert call(monkeypatch, "report", "--size", "tiny", "--out", tmp_path) == 0
    (tmp_path / "raw" / f"{names[0]}.json").write_text('{"claim": "of another release"}')
    pd.DataFrame({"x": [1]}).to_parquet(next((tmp_path / "raw").glob(f"{names[1]}.*.parquet")))
    assert call(monkeypatch, "report", "--size", "tiny", "--out", tmp_path, "--render") == 0
    assert (tmp_path / report.PAGE).read_text().count("its results are not those of this code") >= 2
    assert call(monkeypatch, "report", "--size", "tiny", "--out", tmp_path, "--resume") == 0
    assert sorted(runs[3:]) == sorted(names[:2]) and "not those" not in (tmp_path / report.PAGE).read_text()


def test_the_page_is_drawn_anew_from_raw_results(monkeypatch, capfd, tmp_path, three):
    _, runs, _ = three
    assert call(monkeypatch, "report", "--size", "tiny", "--out", tmp_path) == 0
    before = (tmp_path / report.PAGE).read_text()
    (tmp_path / report.PAGE).unlink()
    assert call(monkeypatch, "report", "--size", "tiny", "--out", tmp_path, "--render") == 0
    assert (tmp_path / report.PAGE).read_text() == before and len(runs) == 3


def test_run_prints_the_verdict_of_what_it_writes(monkeypatch, capfd, tmp_path):
    name = "prices_are_fair_enough"
    assert call(monkeypatch, "run", name, "--size", "tiny", "--out", tmp_path) == 0
    claim, printed = claims.load(name), capfd.readouterr().out
    verdict = claim.check(records.saved(name, tmp_path))
    assert printed.startswith(f"{claim.TITLE}: {verdict.verdict}\n{verdict.figure}\n{verdict.explanation}\n")
    assert criteria.of(name)[-1].text in printed and "no evidence" in printed
    assert f"{tmp_path / 'raw' / name}.*.csv" in printed


def test_list_names_every_claim(monkeypatch, capfd):
    assert call(monkeypatch, "list") == 0
    assert set(claims.names()) <= set(capfd.readouterr().out.splitlines())


@pytest.mark.parametrize(
    "arguments, named",
    [
        (["run", "nothing"], "optimality_gap"),
        (["report", "--size", "huge"], "small"),
        (["report", "--size", "tiny", "--out", "/dev/null/report"], "/dev/null"),
        (["report", "--resume", "--out", "EMPTY"], "EMPTY"),
        (["report", "--render", "--out", "EMPTY"], "EMPTY"),
        (["publish", "--changed", "all", "--out", "EMPTY"], "EMPTY"),
        (["blocks", "nothing"], "optimality_gap"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(monkeypatch, capfd, tmp_path, arguments, named):
    monkeypatch.chdir(tmp_path)
    assert call(monkeypatch, *arguments) == 2
    error = capfd.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1 and named in error


def test_tables_escape_and_leave_unknown_numbers_empty():
    table = page.table_html(pd.DataFrame({"a<b": ["x&y", "z"], "value": [0.123456, float("nan")]}))
    assert "<th>a&lt;b</th>" in table and "<td>x&amp;y</td>" in table
    assert '<td class="number">0.1235</td>' in table and "<td></td>" in table
