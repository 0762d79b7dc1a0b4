"""docs/errata.md says what the code says: its rows, its functions, its tests and its figures."""

import ast
import os
import pkgutil
import re
from pathlib import Path

import pytest

from auction.printed import DEFECTS
from experiments.claims import printed_algorithm
from experiments.claims.zkml_is_impractical import ladder
from verification.economics.deterrence import gain
from verification.market.rules import Rules, deterrence

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests" / "auction" / "test_printed.py"
FIGURE = re.compile(r"([^;]+): (-?\d+\.\d\d) → (-?\d+\.\d\d)")


def table(section: str) -> list[list[str]]:
    """Number, where, as printed, trouble, read here, functions, tests, figures."""
    text = (ROOT / "docs" / "errata.md").read_text(encoding="utf-8")
    text = text[text.index(section) :]
    lines = text[text.index("| # |") :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


AUCTION, SLASHING = table("## Sections 3 to 4.2"), table("## Section 5")


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_the_rows_of_the_auction_are_those_of_the_code():
    assert [row[:4] for row in AUCTION] == [[str(d.number), d.where, d.printed, d.trouble] for d in DEFECTS]


def test_rows_are_numbered_through():
    assert [int(row[0]) for row in (*AUCTION, *SLASHING)] == list(range(1, len(AUCTION) + len(SLASHING) + 1))


@pytest.mark.parametrize("row", [*AUCTION, *SLASHING], ids=lambda row: row[0])
def test_every_function_resolves(row):
    assert code(row[5])
    for name in code(row[5]):
        assert pkgutil.resolve_name(name), name


def test_every_test_exists():
    tests = {node.name for node in ast.parse(TESTS.read_text()).body if isinstance(node, ast.FunctionDef)}
    for row in AUCTION:
        assert set(code(row[6])) <= tests
        assert code(row[6]) or row[7] == "in the text alone"
    for row in SLASHING:
        assert code(row[6]) and all((ROOT / path).is_file() for path in code(row[6]))


def test_the_figures_are_those_of_the_claim():
    claimed = {
        (row.number, row.measure): (row.printed, row.corrected)
        for row in printed_algorithm.shown(printed_algorithm.run("small"))
        .rename(columns={"as printed": "printed"})
        .itertuples()
    }
    stated = {
        (int(row[0]), measure.strip()): (float(printed), float(corrected))
        for row in AUCTION
        for measure, printed, corrected in FIGURE.findall(row[7])
    }
    assert stated.keys() == claimed.keys()
    for key, figures in stated.items():
        assert figures == pytest.approx(claimed[key], abs=0.0051), key


def test_the_figures_of_section_5():
    """Row 44's is that of its test of steps."""
    stated = {row[0]: [float(figure) for figure in re.findall(r"-?\d+(?:\.\d+)?", row[7])] for row in SLASHING}
    largest = ladder.stored().query(f"status == '{ladder.PROVED}'").sort_values("macs").iloc[-1]
    assert largest["prove_cpu"] / largest["verify_cpu"] > stated["43"][0]
    rules = Rules()
    unstaked = gain(rules.audit, rules.coalition_share, 0, rules.challenger_share)
    assert stated["45"] == [float(unstaked), -float(deterrence(rules))]


def test_what_is_quoted_is_printed():
    whitepaper = os.environ.get("DISTRIBUTE_LAB_WHITEPAPER")
    if not whitepaper:
        pytest.skip("DISTRIBUTE_LAB_WHITEPAPER names no whitepaper")
    printed = " ".join(Path(whitepaper).read_text(encoding="utf-8").split())
    quotes = [quote for row in SLASHING for cell in row[2:4] for quote in re.findall(r"“([^”]+)”", cell)]
    assert quotes and all(part.strip() in printed for quote in quotes for part in quote.split("…"))
