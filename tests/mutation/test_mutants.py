"""Mutants: each is one change of code that still parses, and a run that was stopped goes on where it was."""

import ast
import json
import os
import textwrap
from pathlib import Path

import changes
import mutants
import own_tests
import pytest

ROOT = Path(__file__).parents[2]
SOURCE = b'''"""A module of 3 lines: x < y."""

__all__ = ["f"]
LIMIT: "list[3]" = 7


def f(a: int, b: int = 2, *, deep=True) -> "tuple[1]":
    """Twice if a < b."""
    if not (a < b <= LIMIT) and deep:  # 4 < 5
        raise ValueError(f"{a + 1} is too large")
    items = [a, b]
    items[0] += min(a, b) * 2
    items.append(0.5)
    print(f"{a} " + "done", 9)
    return items


def figures(axes):
    axes.set(xlim=(0, 1))
'''


def found(path: str, source: bytes) -> set[tuple[int, str, str]]:
    return {(mutant.line, mutant.old, mutant.new) for mutant in changes.mutants(path, source)}


def test_every_kind_of_change_is_made_and_no_text_type_or_drawing_is():
    assert found("a/b.py", SOURCE) == {
        (4, "7", "8"),
        (7, "2", "3"),
        (7, "True", "False"),
        (9, "not", ""),
        (9, "<", "<="),
        (9, "<=", "<"),
        (9, "and", "or"),
        (10, 'raise ValueError(f"{a + 1} is too large")', "pass"),
        (12, "items[0] += min(a, b) * 2", "pass"),
        (12, "0", "1"),
        (12, "min", "max"),
        (12, "*", "//"),
        (12, "2", "3"),
        (13, "items.append(0.5)", "pass"),
        (13, "0.5", "0.75"),
    }


def test_a_kernel_s_code_is_changed_and_its_comments_and_bindings_are_not():
    kernel = textwrap.dedent("""\
        // y = 2 * x, n < 5
        @group(0) @binding(3) var<storage> x: array<vec4<i32>, 8>;
        fn twice(i: u32) -> i32 {
            var sum = 0;
            if (i >= 16u && true) { return max(0, -1); } // 7 + 8
            sum += x[i].y << 1u;
            return sum;
        }
        """).encode()
    assert found("k.wgsl", kernel) == {
        (4, "0", "1"),
        (5, ">=", ">"),
        (5, "16", "17"),
        (5, "&&", "||"),
        (5, "true", "false"),
        (5, "max", "min"),
        (5, "0", "1"),
        (5, "1", "2"),
        (6, "+=", "-="),
        (6, "<<", ">>"),
        (6, "1", "2"),
        (6, "sum += x[i].y << 1u;", ""),
    }


@pytest.mark.parametrize("package", ["auction", "inference", "verification", "experiments"])
def test_mutants_of_the_packages_parse_and_differ_in_one_place(package):
    drawn = changes.spread(ROOT, package, 0)
    assert len({(mutant.path, mutant.line) for mutant in drawn}) == len(drawn) >= 200
    assert drawn == changes.spread(ROOT, package, 0) != changes.spread(ROOT, package, 1)
    for mutant in drawn[:40]:
        source = (ROOT / mutant.path).read_bytes()
        changed = mutant.applied(source)
        assert changed != source
        assert changed[: mutant.start] == source[: mutant.start]
        assert changed.removesuffix(source[mutant.end :]) != changed
        if mutant.path.endswith(".py"):
            assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(source)), mutant


def test_a_file_s_own_tests_are_its_mirror_its_importers_and_its_registry_s():
    imports = own_tests.Imports(ROOT)
    assert imports.own_tests("auction/welfare.py")[0] == ("tests/auction/test_welfare.py", "")
    solver = dict(imports.own_tests("auction/solvers/ilp_scip.py"))
    assert solver["tests/auction/solvers/test_agreement.py"] == "ilp_scip"
    assert imports.own_tests("auction/solvers/_programme.py")[0] == ("tests/auction/solvers/test_programme.py", "")
    kernel = imports.own_tests("inference/kernels/exact/rope.wgsl")
    assert kernel[0] == ("tests/inference/test_kernels.py", "rope")
    disputes = imports.own_tests("verification/dispute/state.py")  # another state's mirror is none of its
    assert "tests/verification/ledger/test_state.py" not in dict(disputes)
    games = "verification/adversaries/games/encodings.py"  # its package is loaded by name
    assert imports.own_tests(games) == [("tests/verification/adversaries/test_games.py", "")]
    claim = dict(imports.own_tests("experiments/claims/optimality_gap.py"))
    assert claim["tests/experiments/claims/test_claims.py"] == "optimality_gap"


SUMS = """\
LIMIT = 7


def one(x):
    return x + 1


def two(x):
    if x > LIMIT:
        x -= LIMIT
    return x - 2


def three(x):
    return x * 3
"""
TESTS = """\
import subprocess
import sys

from lab import sums


def test_one():
    assert sums.one(1) == 2


def test_two():
    sums.two(1)


def test_three():
    assert subprocess.run([sys.executable, "-c", "from lab.sums import three; exit(three(1))"]).returncode == 3


def test_what_fails_is_left_out():
    assert sums.one(1) == sums.two(9) == 3
"""


@pytest.fixture
def project(tmp_path):
    """A package of three functions: a test notices one of them, another runs one in a process of its own."""
    files = {
        "lab/__init__.py": "",
        "lab/sums.py": SUMS,
        "tests/lab/test_sums.py": TESTS,
        "pyproject.toml": '[tool.pytest.ini_options]\naddopts = ["--import-mode=importlib"]\nmarkers = ["slow"]\n',
    }
    for name, text in files.items():
        (tmp_path / "project" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "project" / name).write_text(text)
    return tmp_path / "project"


def test_a_mutant_is_tried_in_a_copy_and_a_second_run_tries_only_what_is_left(project, tmp_path):
    by_line = {mutant.line: mutant for mutant in changes.spread(project, "lab", 0)}
    results = tmp_path / "results.jsonl"
    trials = mutants.Trials(project, tmp_path / "copy", results)
    first = {line: trials.attempt(by_line[line]) for line in (1, 5, 10, 11)}
    assert {line: (row["outcome"], row["tests"]) for line, row in first.items()} == {
        1: ("survived", 3),  # all import it
        5: ("killed", 1),
        10: ("survived", 0),  # no test enters the branch
        11: ("survived", 1),  # one does, and looks away
    }
    again = mutants.Trials(project, tmp_path / "again", results)
    assert again.attempt(by_line[5]) == first[5]
    assert again.attempt(by_line[15])["outcome"] == "killed"
    rows = [json.loads(line) for line in results.read_text().splitlines()]
    assert [row.get("outcome") for row in rows] == [None, "survived", "killed", "survived", "survived", "killed"]
    assert (tmp_path / "again/lab/sums.py").read_bytes() == (project / "lab/sums.py").read_bytes()
    assert "sums.py:11" in mutants.table(rows[1:])


def test_no_mutant_meets_the_bytecode_of_another_that_was_written_in_the_same_second(project, tmp_path, monkeypatch):
    write = Path.write_bytes

    def in_one_second(path, content):
        write(path, content)
        os.utime(path, (10**9, 10**9))

    monkeypatch.setattr(Path, "write_bytes", in_one_second)
    by_line = {mutant.line: mutant for mutant in changes.spread(project, "lab", 0)}
    trials = mutants.Trials(project, tmp_path / "copy", tmp_path / "results.jsonl")
    assert [trials.attempt(by_line[line])["outcome"] for line in (1, 5)] == ["survived", "killed"]


def test_a_line_s_surroundings_are_its_statement_s_head_and_its_function_s_body():
    def of(line):
        return changes.surroundings("b.py", SOURCE, line)

    assert of(9) == (range(9, 10), range(8, 16))
    assert of(12) == (range(12, 13), range(8, 16))
    assert of(4) == (range(4, 5), range(0))
    assert of(7) == (range(7, 8), range(0))  # defaults are evaluated where the function is made
    assert changes.surroundings("k.wgsl", b"", 1) == (range(0), range(0))


def test_the_nearest_file_s_slow_tests_come_before_another_s_fast_ones():
    mirror, other = (
        {"times": times, "lines": {}} for times in ({"slow": 15.0, "quick": 1.0}, {"far": 0.1, "late": 9.0})
    )
    mutant = changes.mutants("b.py", SOURCE)[0]
    assert list(mutants.executing(mutant, SOURCE, [mirror, other])) == ["quick", "slow", "far"]


def test_a_variant_s_own_test_comes_before_the_others_of_its_file():
    times = {"t[attention-wgpu]": 1.0, "t[attention-tokens-wgpu]": 15.0, "t[attention-wide-wgpu]": 3.0}
    mutant = changes.mutants("k/attention__tokens.wgsl", b"let a = b + c;\n")[0]
    ordered = list(mutants.executing(mutant, b"let a = b + c;\n", [{"times": times, "lines": {}}]))
    assert ordered == ["t[attention-tokens-wgpu]", "t[attention-wgpu]", "t[attention-wide-wgpu]"]


def test_a_word_s_baseline_is_that_of_its_file_s_tests_named_after_it():
    times = {"t.py::test_a[one]": 1.0, "t.py::test_a[two]": 2.0, "t.py::test_one": 3.0}
    lines = {"a/x.py": {"3": [0, 1], "4": [1], "5": []}, "a/y.py": {"3": [1], "5": []}}
    assert mutants.named({"times": times, "lines": lines}, "one") == {
        "times": {"t.py::test_a[one]": 1.0, "t.py::test_one": 3.0},
        "lines": {"a/x.py": {"3": [0], "5": []}},  # what fixtures execute stands for all tests
    }
