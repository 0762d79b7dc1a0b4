"""Direction of dependence."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
INFERENCE_FOR_VERIFICATION = ROOT / "verification" / "inference_models.py"
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
    files = [path for path in (ROOT / package).rglob("*.py") if path != INFERENCE_FOR_VERIFICATION]
    assert files
    for path in files:
        assert not imported(path) & ({*PACKAGES, "experiments"} - {package}), path


def modules() -> dict[str, Path]:
    """Every module of the packages and the experiments, by its dotted name."""
    found = {}
    for path in (path for package in (*PACKAGES, "experiments") for path in (ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def test_no_module_imports_itself_by_way_of_others():
    """Imports inside functions, and for types alone, count too."""
    named, graph = modules(), {}
    for name, path in named.items():
        every = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                every |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                inside = {f"{node.module}.{alias.name}" for alias in node.names}
                every |= inside | ({node.module} if inside - named.keys() else set())
        graph[name] = every & named.keys() - {name}
    assert any(graph.values())
    TopologicalSorter(graph).prepare()  # names the circle, where there is one
