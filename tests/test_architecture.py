"""Direction of dependence, and a README whose table leads somewhere."""

import ast
import pkgutil
import re
from pathlib import Path

import pytest

from experiments import claims

ROOT = Path(__file__).parents[1]
PACKAGES = [name for name in ("auction", "inference", "verification") if (ROOT / name).is_dir()]


def imported(path: Path) -> set[str]:
    """Top-level packages that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_neither_one_another_nor_the_experiments(package):
    files = [path for path in (ROOT / package).rglob("*.py") if path.name != "__main__.py"]
    assert files
    for path in files:
        assert not imported(path) & ({*PACKAGES, "experiments"} - {package}), path


def rows() -> list[list[str]]:
    """The README's table of whitepaper sections: section, functions, tests, claims."""
    text = (ROOT / "README.md").read_text()
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
