"""What the documents tell people to type exists, and the examples that they show run."""

import ast
import importlib.util
import io
import json
import re
import shlex
import subprocess
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path
from pkgutil import resolve_name

import pytest
import typer
from docutils.core import publish_doctree
from sphinx.ext.napoleon import Config, GoogleDocstring

import auction.mechanisms
import auction.solvers
from auction.data.devices import DEVICE, MODEL
from auction.files import PAIR_FIELDS, read_market
from auction.market import FIELDS, MICRO
from distribute_lab.commands import PACKAGES
from experiments import claims
from verification.cli import application
from verification.inference_models import Models

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
TUTORIALS = ROOT / "docs" / "tutorials"
OPTIONS_OF_ADDED = {"--solver", "--solvers", "--mechanism"}


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def commands() -> list[tuple[str, str]]:
    """Every command line of every page, continued lines joined, without what follows a #."""
    found = []
    for page in PAGES:
        for block in blocks(page, ""):
            lines = block.replace("\\\n", " ").splitlines()
            found += [
                (str(page.relative_to(ROOT)), line) for line in lines if re.match(r"python -m|make|distribute-", line)
            ]
    return found


@cache
def command_line(package: str):
    """The commands of a package."""
    if package == "verification":
        return typer.main.get_command(application(Models()))
    return typer.main.get_command(
        resolve_name({"experiments": "experiments.cli:app"}.get(package, f"{package}.commands.cli:app"))
    )


@pytest.mark.parametrize("page, line", commands(), ids=lambda text: text if text.endswith(".md") else "")
def test_a_command_that_a_page_shows_can_be_typed(page, line, monkeypatch):
    words = shlex.split(line, comments=True)
    if words[0] == "make":
        targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        assert {word for word in words[1:] if "=" not in word} <= targets
        return
    package, *arguments = words[2:] if words[0] == "python" else [words[0].removeprefix("distribute-"), *words[1:]]
    assert package in PACKAGES
    name, *arguments = arguments
    command = command_line(package).commands[name]
    made = command.make_context(name, arguments)  # an option or an argument that is not there raises
    for value in (made.params.get("claim"), *(made.params.get("chosen") or ())):
        assert value is None or value in claims.names()
    for option, value in pairwise(arguments):
        if option in OPTIONS_OF_ADDED:
            known = auction.mechanisms.names() if option == "--mechanism" else auction.solvers.names()
            assert set(value.split(",")) <= {*known, *added()}


def added() -> dict[str, str]:
    """The files that tutorials add, by their name."""
    sources = [block for page in TUTORIALS.glob("*.md") for block in blocks(page, "python")]
    named = (re.match(r"# \w+/\w+/(\w+)\.py\n", source) for source in sources)
    return {found[1]: source for found, source in zip(named, sources, strict=True) if found}


@pytest.fixture
def module(tmp_path):
    """A tutorial's file, imported."""

    def module(name):
        path = tmp_path / f"{name}.py"
        path.write_text(added()[name])
        spec = importlib.util.spec_from_file_location(name, path)
        loaded = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded)
        return loaded

    return module


@pytest.fixture
def market():
    """The market of the tutorial about the gap."""
    return read_market(TUTORIALS / "market.json")


def test_the_gap_of_the_tutorial_is_half(market):
    welfare = {name: auction.solve(market, name).welfare for name in ("bid_density", "greedy", "brute_force")}
    assert welfare == {"bid_density": 7 * MICRO, "greedy": 14 * MICRO, "brute_force": 14 * MICRO}
    assert (market.net_bid == [8 * MICRO, 10 * MICRO, 7 * MICRO]).all()
    shown = (TUTORIALS / "gap.md").read_text()
    assert re.search(r"bid_density +7\.000000 +– +50\.0000%", shown) and re.search(r"ilp_cpsat +14\.000000", shown)


def test_the_solver_of_the_tutorial_solves(market, module, monkeypatch):
    monkeypatch.setitem(sys.modules, "auction.solvers.highest_bid", module("highest_bid"))
    monkeypatch.setattr(auction.solvers, "names", lambda: ["highest_bid"])
    monkeypatch.setattr(auction.registry, "modules", lambda package: ["highest_bid"])
    assert auction.solve(market, "highest_bid").welfare == 14 * MICRO
    assert auction.solve(market, "highest_bid", options={"least": 9 * MICRO}).welfare == 7 * MICRO


def test_the_mechanism_of_the_tutorial_prices(market, module, monkeypatch):
    monkeypatch.setitem(sys.modules, "auction.mechanisms.pay_the_asks", module("pay_the_asks"))
    monkeypatch.setattr(auction.registry, "modules", lambda package: ["pay_the_asks"])
    settlement = auction.mechanisms.run(market, "pay_the_asks")
    assert sum(settlement.payment) == sum(settlement.receipt) == 11 * MICRO


def test_every_field_of_a_file_is_listed():
    listed = (ROOT / "docs" / "files.md").read_text()
    assert json.loads((TUTORIALS / "market.json").read_text()).keys() == set(FIELDS)
    fields = {
        *FIELDS,
        *PAIR_FIELDS,
        *DEVICE,
        *MODEL,
    }
    assert all(f"`{field}`" in listed for field in fields)


@pytest.mark.parametrize(
    "page", ["market-through-the-code.md", "token-through-the-code.md", "contributing.md", "files.md"]
)
def test_every_file_that_a_page_names_is_there(page):
    named = re.findall(
        r"`((?:auction|inference|verification|experiments)/[\w/.]*\w)/?`", (ROOT / "docs" / page).read_text()
    )
    assert named or page == "files.md"
    assert all((ROOT / name).exists() for name in named if "NAME" not in name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_to_a_file(page):
    for target in re.findall(r"\]\(([^)#:\s]+)(?:#[\w-]+)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_lines_of_the_readme_fit_a_screen():
    text = re.sub(r"<!-- finding.*end of finding -->", "", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("package", PACKAGES)
def test_docstrings_are_laid_out_as_sphinx_reads_them(package):
    """What docs/conf.py takes for the bars and the subscripts of formulas aside."""
    wrong = []
    for path in sorted((ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (text := ast.get_docstring(node)):
                said = io.StringIO()
                settings = {"warning_stream": said, "report_level": 2, "halt_level": 5}
                publish_doctree(str(GoogleDocstring(text, Config())), settings_overrides=settings)
                lines = [line for line in said.getvalue().splitlines() if "/2)" in line or "/3)" in line]
                wrong += [f"{path.name}: {line}" for line in lines if not re.search("ubstitution|target name", line)]
    assert not wrong


@pytest.mark.slow
def test_the_documents_build_without_a_warning_and_load_nothing_from_elsewhere(tmp_path):
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "-d", tmp_path / "doctrees"]
    built = subprocess.run([*command, "docs", tmp_path / "html"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (built.returncode, built.stderr) == (0, "")
    pages = list((tmp_path / "html").rglob("*.html"))
    assert len(pages) > 200
    assert not any(re.search(r'<(?:script|img|link|iframe)[^>]*"(?:https?:)?//', page.read_text()) for page in pages)
    assert (tmp_path / "html" / "protocol.html").read_text().count('<div class="diagram"') == 5
