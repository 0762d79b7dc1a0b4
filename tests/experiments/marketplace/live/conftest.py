"""A market that runs on loopback for the time of a block, with workers on numpy."""

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from news import News

from experiments.marketplace.explanation import Explained
from experiments.marketplace.live import driver as driving
from experiments.marketplace.live import secrets
from experiments.marketplace.live.commands import USER, WORKER
from experiments.marketplace.live.machine import Machine
from experiments.marketplace.live.server import Market, Serving, listening
from experiments.marketplace.live.worker import Worker
from experiments.marketplace.models import Language
from experiments.marketplace.settings import Settings
from verification.market.rules import Rules

SECONDS = 300  # a time-out, not a measure
RULES = Rules(delta=20, window=20)
SETTINGS = Settings(seconds_per_tick=0.05, round_ticks=4, work_limit=2_000, faucet=1_000_000)
"""Quick rounds, and work limits that a busy machine does not reach."""


@pytest.fixture
def bounded():
    """Run a coroutine, which ends in time."""

    def run(work):
        async def within():
            async with asyncio.timeout(SECONDS):
                return await work()

        return asyncio.run(within())

    return run


@pytest.fixture
def market(tmp_path, monkeypatch):
    """Serve a market on a ledger, begun or going on; its end is as sudden as a crash: nothing is said or finished."""

    # Nobody waits for what a round is compared with, and its solver compiles for a minute where it never ran.
    monkeypatch.setattr(driving, "explain", lambda asked: Explained(asked.solve.round, 0, 0, {}))

    @asynccontextmanager
    async def market(port=0, **options):
        serving = Serving(
            ledger=tmp_path / "market.ledger",
            keys=tmp_path / "keys",
            models=[Language("tiny")],
            rules=RULES,
            settings=SETTINGS,
            port=port,
            **options,
        )
        with listening(serving) as listener:
            made = Market(serving, listener)
            ready = asyncio.Event()
            running = asyncio.create_task(made.run(ready.set))

            async def stop():
                made.stop()
                await asyncio.gather(running, return_exceptions=True)
                listener.close()

            try:
                await ready.wait()
                yield SimpleNamespace(url=made.url, port=made.port, ledger=serving.ledger, stop=stop)
            finally:
                await stop()

    return market


@pytest.fixture
def worker():
    """A worker on the tiny model, for the time of a block; what it says is kept."""

    @asynccontextmanager
    async def worker(url, keys=None, **options):
        machine = Machine(["tiny"], "numpy", None, 2**30)
        said = []
        made = Worker(url, machine, keys or secrets.fresh(WORKER), cost=100, fund=True, say=said.append, **options)
        news = News(made.line)
        running = asyncio.create_task(made.run())
        try:
            said_and_done = {"said": said, "did": made.did, "leave": made.leave, "ended": running}
            yield SimpleNamespace(device=made.device, line=made.line, until=news.until, **said_and_done)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    return worker


@pytest.fixture
def user():
    """A user's key."""
    return secrets.fresh(USER)["owner"]
