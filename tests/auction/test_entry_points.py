"""What other distributions add by entry points: found, run and compared; refused in one line where it does not work."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from auction import generate, registry, solvers
from auction.files import write_market

ROOT = Path(__file__).parents[2]
SOLVER = '''
"""The tasks that bid most, each by its cheapest cover."""

import numpy as np

from auction.market import READINGS
from auction.search import Found
from auction.solvers.greedy import served


def solve(market, reading, stop, seed, *, least: int = 0):
    order = np.argsort(-market.net_bid, kind="stable")
    order = order[market.net_bid[order] >= max(least, 0)]
    return Found(served(market, reading, order, market.cost, market.slots, stop), None, "heuristic")
'''
FAMILY = '''
"""Uniform markets, under another name."""

from auction.instances.uniform import generate
'''
MECHANISM = '''
"""The clearing price, under another name."""

from auction.mechanisms.clearing import READINGS, run
'''


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Lay distributions on a path as an installer would; this process sees them, until the test ends."""
    site, before = tmp_path / "site", set(sys.modules)
    site.mkdir()
    monkeypatch.syspath_prepend(site)

    def installed(name, files, entry_points):
        metadata = site / f"{name}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = [line for group, lines in entry_points.items() for line in (f"[distribute_lab.{group}]", *lines)]
        (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")
        for file, text in files.items():
            (site / file).write_text(text)
        registry._registered.cache_clear()

    yield installed
    registry._registered.cache_clear()
    for name in set(sys.modules) - before:
        if str(site) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def market(tmp_path):
    path = tmp_path / "market.json"
    write_market(path, generate("uniform", 6, 10, seed=3))
    return path


def test_a_solver_a_family_and_a_mechanism_of_another_distribution(installed, cli, market, tmp_path):
    installed(
        "highest-bids",
        {"highest_bids.py": SOLVER, "plain_family.py": FAMILY, "one_price.py": MECHANISM},
        {
            "solvers": ["highest_bid = highest_bids"],
            "families": ["plain = plain_family"],
            "mechanisms": ["one_price = one_price"],
        },
    )
    options = ("--option", "highest_bid.least=1", "--json")
    mine, optimum = json.loads(cli("compare", market, "--solvers", "highest_bid,ilp_cpsat", *options)[1])
    assert mine["solver"] == "highest_bid" and mine["options"] == {"least": 1}
    assert 0 < mine["welfare"] <= optimum["welfare"] and mine["gap_to_best_bound"] == mine["primal_gap"]
    assert "highest_bid\n    The tasks that bid most, each by its cheapest cover." in cli("solvers")[1]
    drawn = tmp_path / "drawn.json"
    cli("generate", "plain", "--tasks", 6, "--providers", 10, "--seed", 3, "--out", drawn)
    assert drawn.read_text() == market.read_text()
    paid = [cli("mechanism", market, "--mechanism", name, "--json")[1] for name in ("one_price", "clearing")]
    assert paid[0] == paid[1].replace("clearing", "one_price")


def test_what_does_not_work_is_refused_in_one_line_and_spoils_nothing_else(installed, refusal):
    installed(
        "broken",
        {"fails.py": "import nothing_of_that_name", "empty.py": "", "rival.py": SOLVER},
        {"solvers": ["fails = fails", "empty = empty", "none = rival:absent", "greedy = rival", "twice = rival"]},
    )
    installed("other", {}, {"solvers": ["twice = rival"]})
    for name, says in {
        "fails": "'fails' of broken (fails) cannot be imported: ModuleNotFoundError: No module named 'nothing_of_that",
        "empty": "'empty' of broken (empty) lacks 'READINGS'; it is a module with READINGS and solve",
        "none": "'none' of broken (rival:absent) cannot be imported: AttributeError",
        "greedy": "'greedy' is of several distributions, distribute-lab and broken; uninstall all but one",
        "unknown": ", fails, greedy, ",
    }.items():
        assert says in refusal(solvers.load, name)
    twice = refusal(solvers.load, "twice")
    assert "'twice' is of several distributions, " in twice and "broken" in twice and "other" in twice
    assert solvers.load("bid_density").__name__ == "auction.solvers.bid_density"


@pytest.mark.slow
def test_a_package_that_pip_installed_adds_a_solver(tmp_path, market):
    """Built and installed as anybody's would be, without a network."""
    package = tmp_path / "package"
    package.mkdir()
    (package / "highest_bids.py").write_text(SOLVER)
    (package / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "highest-bids"\nversion = "1.0"\n'
        '[project.entry-points."distribute_lab.solvers"]\nhighest_bid = "highest_bids"\n'
        '[tool.hatch.build.targets.wheel]\ninclude = ["highest_bids.py"]\n'
    )
    site = tmp_path / "site"
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-build-isolation", "--no-deps"),
            *("--target", site, package),
        ],
        check=True,
    )
    done = subprocess.run(
        [sys.executable, "-m", "auction", "compare", market, "--solvers", "highest_bid,bid_density", "--json"],
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{site}"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert [run["solver"] for run in json.loads(done.stdout)] == ["highest_bid", "bid_density"]
