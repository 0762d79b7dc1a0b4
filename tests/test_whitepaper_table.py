"""docs/whitepaper.md leads from the whitepaper's sections to functions, tests and claims that are there."""

import pkgutil
import re
from pathlib import Path

import pytest

from experiments import claims

ROOT = Path(__file__).parents[1]


def rows() -> list[list[str]]:
    """Section, functions, tests, claims, what was found."""
    text = (ROOT / "docs" / "whitepaper.md").read_text(encoding="utf-8")
    table = text[text.index("| Whitepaper |") :].split("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_every_row_of_the_table_resolves(row):
    _, functions, tests, claim_names, _ = row
    assert code(functions)
    for name in code(functions):
        assert pkgutil.resolve_name(name), name
    for path in code(tests):
        assert (ROOT / path).exists(), path
    assert set(code(claim_names)) <= set(claims.names())


def test_every_claim_stands_in_the_table():
    assert {name for row in rows() for name in code(row[3])} == set(claims.names())
