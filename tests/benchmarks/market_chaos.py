"""A market whose coordinator and devices are killed (kill -9) again and again while users are at it (section 7).

    python tests/benchmarks/market_chaos.py --out chaos --kills 100 --deaths 50

One worker in four cheats, under new keys whenever it is begun again, and half of the disputes that begin bring the
coordinator's end. When nobody is killed any more all that was asked has to be over and the ledger has to hold: prints
what came of it as JSON, and ends with 1 where something was lost, paid twice, held for ever, where a party that was
right lost, or where an honest worker that was not killed meanwhile was blamed for anything: a lease that it missed, a
message that was late.
"""

import argparse
import asyncio
import json
import random
import socket
import sys
import time
from collections import Counter
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from market_followed import Away, Followed
from market_killed import SERVER, Killed, disputes_since, last_event

from auction.errors import InputError
from experiments.marketplace.check import check
from experiments.marketplace.live import secrets
from experiments.marketplace.live.ask import Prompt, ask
from experiments.marketplace.live.machine import Machine
from experiments.marketplace.live.server import Market, Serving, listening
from experiments.marketplace.live.worker import Worker
from experiments.marketplace.models import Language
from experiments.marketplace.settings import Settings
from verification.adversaries.corrupt_trace import wrong_node
from verification.encoding.signature import public
from verification.ledger.store import Ledger
from verification.market.operations import OPERATIONS
from verification.market.rules import Rules
from verification.trace import Trace

HONEST, USERS = 3, 6
LIVES, PEACE, AWAY, CAREER = 6.0, 8.0, 2.0, 20.0
"""Seconds, on the average, that a coordinator lives once its port is open, that pass between two deaths of workers,
that one is away, and that a cheat is there."""
DISPUTE = 0.6
"""Seconds that a dispute takes at most where nobody is killed."""
END = 300
"""Seconds for all that is open to be over when nobody is killed any more."""
RULES = Rules(delta=60, window=30, audit=Fraction(1, 2), fee=Fraction(11, 20))
LEDGER = "market.ledger"
SETTINGS = Settings(seconds_per_tick=0.1, round_ticks=5, work_limit=200, faucet=100_000_000)


def serve(out: Path, port: int) -> None:
    """A coordinator, in a process of its own."""
    serving = Serving(
        ledger=out / LEDGER,
        keys=out / "coordinator.keys",
        models=[Language("tiny")],
        rules=RULES,
        settings=SETTINGS,
        port=port,
    )
    with listening(serving) as listener, (out / "serve.log").open("a") as log:
        sys.stderr = log
        asyncio.run(Market(serving, listener).run())


def work(out: Path, port: int, name: str, seed: int, *, cheats: bool) -> None:
    """A worker, in a process of its own; a cheat has a wrong node in every trace."""
    generator = np.random.default_rng(seed)

    def change(trace: Trace) -> Trace:
        return wrong_node(trace, generator) if cheats else trace

    keys = secrets.kept(out / f"{name}.keys", ("owner", "device"))
    machine = Machine(["tiny"], "numpy", None, 2**30)
    with (out / f"{name}.log").open("a") as log:

        def say(line: str) -> None:
            print(line, file=log, flush=True)

        while True:
            made = Worker(url_of(port), machine, keys, cost=100, fund=True, say=say, change=change)
            try:
                asyncio.run(made.run())
            except InputError:  # nobody has answered yet
                time.sleep(0.1)


def url_of(port: int) -> str:
    return f"ws://127.0.0.1:{port}"


async def user(port: int, key: bytes, enough: asyncio.Event, random_: random.Random) -> list[dict[str, Any]]:
    """Asks again and again; what came of each order."""
    found: list[dict[str, Any]] = []
    while not enough.is_set():
        seed, limit = random_.randrange(2**32), random_.randint(1, 8)
        prompt = Prompt(
            model="tiny", text="Hello", bid=20_000, limit=limit, seed=seed, temperature=1.0, patience=10**6,
            unaudited=True, dry_run=False,
        )  # fmt: skip
        try:
            told = await ask(url_of(port), prompt, key, fund=True, say=lambda line: None, show=lambda text: None)
        except InputError:  # it was not there at the first try
            await asyncio.sleep(0.1)
            continue
        found.append({"order": told.order, "state": told.state, "paid": told.paid})
    return found


async def devices(
    out: Path, port: int, deaths: int, enough: asyncio.Event, counts: Counter[str], random_: random.Random
) -> list[Killed]:
    """Honest workers, all of which die again and again but the first."""
    running = [Killed(out / LEDGER, work, out, port, f"honest{at}", at, cheats=False) for at in range(HONEST)]
    while not enough.is_set():
        await asyncio.sleep(random_.expovariate(1 / PEACE))
        one = random_.choice(running[1:])
        await one.kill()
        counts["deaths"] += 1
        if counts["deaths"] >= deaths:
            counts["enough"] = 1
        await asyncio.sleep(random_.expovariate(1 / AWAY))
        one.begin()
    return running


async def cheats(out: Path, port: int, enough: asyncio.Event, counts: Counter[str], random_: random.Random) -> Killed:
    """One after the other, each under new keys."""
    while True:
        number = counts["cheats"]
        one = Killed(out / LEDGER, work, out, port, f"cheat{number}", number, cheats=True)
        await asyncio.sleep(random_.expovariate(1 / CAREER))
        if enough.is_set():
            return one
        await one.kill()
        counts["cheats"] += 1


async def life(ledger: Path, random_: random.Random) -> None:
    """Of a coordinator: it ends at any time, but half of the disputes that begin end it soon, in their midst."""
    seen, until = last_event(ledger), time.monotonic() + random_.expovariate(1 / LIVES)
    while time.monotonic() < until:
        await asyncio.sleep(0.05)
        begun, seen = disputes_since(ledger, seen)
        if begun and random_.random() < 1 / 2:
            until = min(until, time.monotonic() + random_.uniform(0, DISPUTE))


async def play(out: Path, kills: int, deaths: int, seed: int) -> dict[str, Any]:
    """Kill the coordinator so often, and workers in between; then let all end."""
    random_, enough, counts, began = random.Random(seed), asyncio.Event(), Counter[str](), time.monotonic()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    coordinator = Killed(out / LEDGER, serve, out, port)
    working = asyncio.create_task(devices(out, port, deaths, enough, counts, random.Random(seed + 1)))
    cheating = asyncio.create_task(cheats(out, port, enough, counts, random.Random(seed + 2)))
    keys = [secrets.kept(out / f"user{at}.keys", ("owner",))["owner"] for at in range(USERS)]
    users = [asyncio.create_task(user(port, key, enough, random_)) for key in keys]
    while counts["kills"] < kills or not counts["enough"]:
        await opened(port)
        await life(out / LEDGER, random_)
        await coordinator.kill()
        counts["kills"] += 1
        print(f"{time.monotonic() - began:.0f} s: killed {dict(counts)}", file=sys.stderr, flush=True)
        coordinator.begin()
    enough.set()
    running, cheat = await working, await cheating
    orders = [order for found in await asyncio.gather(*users) for order in found]
    until = time.monotonic() + END
    while time.monotonic() < until and still_open(out):
        await asyncio.sleep(1)
    away = {f"honest{at}": list(running[at].away) for at in range(HONEST)}
    restarts = list(coordinator.away)
    for each in (*running, cheat, coordinator):
        await each.kill()
    cost = {"minutes": round((time.monotonic() - began) / 60, 1), "processor_seconds": round(Killed.seconds)}
    ended = {"ended_by_themselves": Killed.ended}
    return cost | ended | told(out, dict(counts), orders, away, restarts)


async def opened(port: int) -> None:
    """Until a coordinator listens."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return


def still_open(out: Path) -> int:
    """Orders and leases that are not over."""
    with Ledger(out / LEDGER, OPERATIONS) as ledger:
        return sum(len(ledger.state.facts.get(kind, {})) for kind in ("order", "lease"))


def told(
    out: Path, counts: dict[str, int], orders: list[dict[str, Any]], away: dict[str, Away], restarts: Away
) -> dict[str, Any]:
    """What the ledger says of it."""
    found = check(out / LEDGER, None)
    known = {path.stem: keys_of(path) for path in out.glob("*.keys") if path.stem[:5] in ("hones", "cheat")}
    honest = {device: (owner, away[name]) for name, (owner, device) in known.items() if name in away}
    with Ledger(out / LEDGER, OPERATIONS) as ledger:
        followed = Followed(honest, restarts).all_of(ledger.events())
    kinds = found.ledger.kinds
    unserved = [order["order"] for order in orders if order["state"] != "served"]
    return {
        **counts,
        "orders": kinds["order"],
        "seen_to_the_end": len(orders),
        "lost": len(unserved) + len({order["order"] for order in orders} - followed.ordered),
        "open": still_open(out),
        "paid_twice": sum(count > 1 for count in followed.finals.values()),
        "served": len(followed.finals),
        "verdicts": kinds["verdict"],
        "disputes_over_a_restart": followed.over_restarts,
        "disputes_over_a_death": followed.over_deaths,
        "right_parties_that_lost": followed.wronged,
        "missed": kinds["miss"],
        "blamed_though_not_killed": followed.blamed,
        "passed_over_though_not_killed": followed.passed_over,
        "takes_up": kinds["take_up"],
        "timeouts": kinds["timeout"],
        "voids": kinds["void"],
        "reasons": found.reasons,
    }


def keys_of(path: Path) -> tuple[str, str]:
    """An owner's and its device's, of a worker's file, in hex."""
    found = secrets.kept(path, ("owner", "device"))
    owner, device = (public(Ed25519PrivateKey.from_private_bytes(found[name])) for name in ("owner", "device"))
    return owner, device


def held(found: dict[str, Any]) -> bool:
    """Whether nothing is wrong."""
    wrong = ("ended_by_themselves", "lost", "open", "paid_twice", "right_parties_that_lost", "reasons")
    wrong += ("blamed_though_not_killed",)
    return not any(found[name] for name in wrong)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--deaths", type=int, default=50, help="of honest workers")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True)
    get_context(SERVER).set_forkserver_preload(["experiments.marketplace.live.commands"])
    found = asyncio.run(play(asked.out, asked.kills, asked.deaths, asked.seed))
    print(json.dumps(found, indent=2))
    sys.exit(0 if held(found) else 1)
