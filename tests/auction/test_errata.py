"""ERRATA.md says what the code says: its rows, its functions, its tests and its figures."""

import ast
import pkgutil
import re
from pathlib import Path

import pytest

from auction.printed import DEFECTS
from experiments.claims import printed_algorithm

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests" / "auction" / "test_printed.py"
FIGURE = re.compile(r"([^;]+): (-?\d+\.\d\d) → (-?\d+\.\d\d)")


def rows() -> list[list[str]]:
    """Number, where, as printed, trouble, read here, functions, tests, figures."""
    text = (ROOT / "auction" / "ERRATA.md").read_text(encoding="utf-8")
    table = text[text.index("| # |") :].split("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_the_rows_are_those_of_the_code():
    assert [row[:4] for row in rows()] == [[str(d.number), d.where, d.printed, d.trouble] for d in DEFECTS]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_every_function_and_test_resolves(row):
    tests = {node.name for node in ast.parse(TESTS.read_text()).body if isinstance(node, ast.FunctionDef)}
    assert code(row[5])
    for name in code(row[5]):
        assert pkgutil.resolve_name(name), name
    assert code(row[6]) and set(code(row[6])) <= tests


def test_the_figures_are_those_of_the_claim():
    claimed = {
        (row.number, row.measure): (row.printed, row.corrected)
        for row in printed_algorithm.shown(printed_algorithm.run("small"))
        .rename(columns={"as printed": "printed"})
        .itertuples()
    }
    stated = {
        (int(row[0]), measure.strip()): (float(printed), float(corrected))
        for row in rows()
        for measure, printed, corrected in FIGURE.findall(row[7])
    }
    assert stated.keys() == claimed.keys()
    for key, figures in stated.items():
        assert figures == pytest.approx(claimed[key], abs=0.0051), key
