"""A market whose coordinator is killed (kill -9) again and again while workers and users are at it (section 7).

    python tests/benchmarks/market_chaos.py --out chaos --kills 100 --devices 50

Goes on where it was interrupted: the ledger, the keys and how many kills were made lie in the folder. At the end all
that was asked has to be over and the ledger has to hold; prints what came of it as JSON.
"""

import argparse
import asyncio
import json
import random
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from experiments.marketplace.check import check
from experiments.marketplace.live import secrets
from experiments.marketplace.live.ask import Prompt, ask
from experiments.marketplace.live.machine import Machine
from experiments.marketplace.live.worker import Worker
from verification.ledger.store import Ledger
from verification.market.operations import OPERATIONS

WORKERS, USERS = 3, 2
SHORTEST, LONGEST = 0.5, 8.0
"""Seconds that a coordinator or a worker lives, once it is up."""
SERVE = ["--round", "0.5", "--tick", "0.1", "--rule", "delta=60", "--rule", "window=40", "--faucet", "100"]


class Coordinator:
    """The process that serves the market."""

    def __init__(self, out: Path, port: int) -> None:
        self._command = [sys.executable, "-m", "experiments", "market", "serve", "--ledger", str(out / "market.ledger")]
        self._command += ["--port", str(port), *SERVE]
        self._log = (out / "serve.log").open("a")
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Until peers may come."""
        self._process = await asyncio.create_subprocess_exec(*self._command, stderr=subprocess.PIPE)
        assert self._process.stderr is not None
        while b"/watch" not in (line := await self._process.stderr.readline()):
            if not line:
                raise RuntimeError(f"the market ended with {await self._process.wait()}; see serve.log")
            self._log.write(line.decode())
            self._log.flush()

    async def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """At once."""
        assert self._process is not None
        self._process.send_signal(how)
        await self._process.wait()


async def worker(url: str, out: Path, name: str, deaths: int, random_: random.Random) -> None:
    """A worker that dies so many times and comes back under its keys; then it lives on."""
    keys = secrets.kept(out / f"{name}.keys", ("owner", "device"))
    for left in range(deaths, -1, -1):
        made = Worker(url, Machine(["tiny"], "numpy", None, 2**30), keys, cost=100, fund=True, say=lambda line: None)
        with suppress(TimeoutError):
            async with asyncio.timeout(random_.uniform(SHORTEST, 2 * LONGEST) if left else None):
                await made.run()


async def user(url: str, key: bytes, enough: asyncio.Event, random_: random.Random) -> list[dict[str, object]]:
    """Asks again and again; what came of each order."""
    found: list[dict[str, object]] = []
    while not enough.is_set():
        seed, limit = random_.randrange(2**32), random_.randint(1, 12)
        prompt = Prompt(
            model="tiny", text="Hello", bid=20_000, limit=limit, seed=seed, temperature=1.0, patience=10**6,
            unaudited=True, dry_run=False,
        )  # fmt: skip
        told = await ask(url, prompt, key, fund=True, say=lambda line: None, show=lambda text: None)
        found.append({"order": told.order, "state": told.state, "tokens": told.tokens, "seed": seed, "paid": told.paid})
    return found


async def play(out: Path, kills: int, deaths: int) -> dict[str, object]:
    """Kill the coordinator until it was killed ``kills`` times, workers in between; then let all end."""
    state = out / "state.json"
    done = json.loads(state.read_text()) if state.exists() else {"kills": 0, "orders": []}
    random_, enough = random.Random(done["kills"]), asyncio.Event()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url, coordinator = f"ws://127.0.0.1:{port}", Coordinator(out, port)
    await coordinator.start()
    each = [deaths // WORKERS + (at < deaths % WORKERS) for at in range(WORKERS)]
    workers = [
        asyncio.create_task(worker(url, out, f"worker{at}", each[at], random.Random(at))) for at in range(WORKERS)
    ]
    keys = [secrets.kept(out / f"user{at}.keys", ("owner",))["owner"] for at in range(USERS)]
    users = [asyncio.create_task(user(url, key, enough, random_)) for key in keys]
    while done["kills"] < kills:
        await asyncio.sleep(random_.uniform(SHORTEST, LONGEST))
        await coordinator.kill()
        done["kills"] += 1
        state.write_text(json.dumps(done))
        print(f"killed {done['kills']} times", file=sys.stderr)
        await coordinator.start()
    enough.set()
    orders = [order for found in await asyncio.gather(*users) for order in found]
    for task in workers:
        task.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    await coordinator.kill(signal.SIGINT)
    return told(out, done["kills"], orders)


def told(out: Path, kills: int, orders: list[dict[str, object]]) -> dict[str, object]:
    """What the ledger says of it."""
    found = check(out / "market.ledger", None)
    finals = [asked.content["lease"] for asked in (event.request for event in _events(out)) if asked.kind == "final"]
    facts, kinds = found.ledger.state.facts, found.ledger.kinds
    return {
        "kills": kills,
        "orders": kinds["order"],
        "seen_to_the_end": len(orders),
        "served": sum(order["state"] == "served" for order in orders),
        "open": len(facts.get("order", {})) + len(facts.get("lease", {})),
        "paid_twice": len(finals) - len(set(finals)),
        "missed": kinds["miss"],
        "verdicts": kinds["verdict"],
        "reasons": found.reasons,
    }


def _events(out: Path):
    with Ledger(out / "market.ledger", OPERATIONS) as ledger:
        yield from ledger.events()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--devices", type=int, default=50, help="how often workers die")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    print(json.dumps(asyncio.run(play(asked.out, asked.kills, asked.devices)), indent=2))
