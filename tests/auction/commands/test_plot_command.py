"""The command that draws gap against time out of outcome files."""

import builtins

import pytest

from auction.files import write_outcome
from auction.solvers import solve


@pytest.fixture
def outcomes(generate, tmp_path):
    paths = []
    for seed in (0, 1):
        market = generate("uniform", 6, 10, 2, seed)
        for solver in ("greedy", "ilp_cpsat"):
            paths.append(tmp_path / f"{solver}-{seed}.json")
            write_outcome(paths[-1], solve(market, solver))
    return paths


@pytest.mark.parametrize("suffix, begins", [(".svg", b"<?xml"), (".png", b"\x89PNG"), (".pdf", b"%PDF")])
def test_a_picture(cli, tmp_path, outcomes, suffix, begins):
    out = tmp_path / f"gap{suffix}"
    code, printed, said = cli("plot", *outcomes, "--out", out)
    assert (code, printed, said) == (0, "", "")
    assert out.read_bytes().startswith(begins)


def test_two_runs_of_one_solver_are_told_apart(cli, tmp_path, outcomes):
    out = tmp_path / "gap.svg"
    twice = tmp_path / "again.json"
    twice.write_bytes(outcomes[1].read_bytes())
    assert cli("plot", *outcomes[:2], twice, "--out", out)[0] == 0
    assert all(name in out.read_text() for name in (">greedy<", ">ilp_cpsat (ilp_cpsat-0)<", ">ilp_cpsat (again)<"))


def test_what_has_no_gap_is_said_and_left_out(cli, tmp_path, outcomes):
    out = tmp_path / "gap.svg"
    code, _, said = cli("plot", outcomes[0], outcomes[3], "--out", out)
    assert code == 0 and said == f"{outcomes[0]}: left out: no solver has a bound on its market\n"
    code, _, said = cli("plot", outcomes[0], "--out", out)
    assert code == 2 and said.endswith("error: nothing to draw: a gap needs a welfare and a bound of one market\n")


def test_what_a_caller_gets_wrong(cli, tmp_path, outcomes, monkeypatch):
    def refused(*arguments):
        code, printed, said = cli("plot", *arguments)
        assert code == 2 and not printed
        return said

    jpg = tmp_path / "gap.jpg"
    assert refused(outcomes[1], "--out", jpg) == f"error: {jpg}: a picture ends in .svg, .png, .pdf\n"
    assert "does not exist" in refused(outcomes[1], "--out", tmp_path / "none" / "gap.svg")
    missing = builtins.__import__

    def without(name, *arguments):
        if name == "matplotlib":
            raise ModuleNotFoundError(name)
        return missing(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without)
    said = refused(outcomes[1], "--out", tmp_path / "gap.svg")
    assert said == "error: plots are drawn with matplotlib, which is not installed; the extra plot has it\n"
    assert not (tmp_path / "gap.svg").exists()
