"""What all tests share: repeatable hypothesis, markets to draw, one-line refusals, the golden files."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st

from auction import instances
from auction.commands import terminal
from auction.commands.cli import app
from auction.commands.terminal import run
from auction.errors import InputError
from auction.market import MICRO, Market
from auction.registry import options_of

ROOT = Path(__file__).parents[1]


def pytest_configure(config):
    # PuLP 3.3 announces the interface of 4.0.
    config.addinivalue_line("filterwarnings", r"ignore:(?s).*PuLP 4\.0:DeprecationWarning")


settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")

MONEY = st.builds(
    lambda tokens, micro: max(0, tokens * MICRO + micro), st.sampled_from((20, 40, 30, 8, 3, 0)), st.integers(-2, 2)
)


@st.composite
def small_markets(draw) -> Market:
    """Up to 4 x 5 x 3: slots of nothing, no slots, several slots, ties, constant columns, bids below 0, costs of 0."""
    tasks, providers = draw(st.sampled_from((3, 4, 2, 1, 0))), draw(st.sampled_from((5, 4, 3, 2, 1, 0)))
    types = draw(st.integers(1, 3))

    def column(elements, length):
        return draw(st.lists(elements, min_size=length, max_size=length))

    requests = st.lists(st.integers(0, 3), min_size=types, max_size=types)
    shares = st.lists(st.sampled_from((0.0, 0.25, 0.5, 1.0)), min_size=types, max_size=types)
    return Market(
        demand=column(requests.filter(any), tasks),
        value=column(MONEY, tasks),
        unit_work=column(st.sampled_from((0.0, 0.1, 0.7)), types),
        alpha=draw(st.sampled_from((2, 10, 10**13))),
        beta=draw(st.integers(1, 3)),
        resource=column(requests, providers),
        slots=column(st.sampled_from((1, 2, 0)), providers),
        cost=column(MONEY.map(lambda money: money // 8), providers),
        ability=column(shares, providers),
    )


st.register_type_strategy(Market, small_markets())  # tests draw st.from_type(Market)


@pytest.fixture(scope="session")
def generate():
    """A market of any family, drawn from nothing outside the code."""

    def generate(family, tasks, providers, types=2, seed=0, **options):
        if "data" in options_of(instances.load(family).generate):
            options = {"data": "embedded"} | options
        return instances.generate(family, tasks, providers, types, seed, options)

    return generate


@pytest.fixture(scope="session")
def refusal():
    """The one line with which a call refuses its input."""

    def refusal(call, *arguments, **keywords):
        with pytest.raises(InputError) as caught:
            call(*arguments, **keywords)
        message = str(caught.value)
        assert message and "\n" not in message
        return message

    return refusal


@pytest.fixture(scope="session")
def golden() -> Path:
    """The directory of golden files."""
    folder = os.environ.get("DISTRIBUTE_LAB_GOLDEN")
    if not folder:
        pytest.skip("set DISTRIBUTE_LAB_GOLDEN to the directory of golden files")
    return Path(folder)


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """What standard error holds does not depend on how busy the machine is, nor on what was compiled before."""
    monkeypatch.setattr(terminal, "PATIENCE", 3600.0)
    monkeypatch.setattr(terminal._Compiling, "said", True)


@pytest.fixture
def cli(monkeypatch, capfd):
    """Run the command line in this process: exit code, standard output, standard error."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["auction", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            run(app)
        printed = capfd.readouterr()
        return stopped.value.code or 0, printed.out, printed.err

    return call


@pytest.fixture
def scheduler(tmp_path):
    """The address of a scheduler with two workers of one thread, each a process of its own, and those processes."""
    distributed = pytest.importorskip("distributed")
    file = tmp_path / "scheduler.json"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}

    def begin(command, *arguments):
        whole = [sys.executable, "-m", f"distributed.cli.dask_{command}", "--scheduler-file", str(file), *arguments]
        return subprocess.Popen(whole, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    master = begin("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    alone = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--memory-limit", "0")
    started = [begin("worker", *alone, "--name", name) for name in ("first", "second")]
    try:
        with distributed.Client(scheduler_file=file, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
            address = client.scheduler.address
        yield address, started
    finally:
        for process in (*started, master):
            process.kill()
            process.wait()
