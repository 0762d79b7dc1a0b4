"""The live market under load: providers and users over websockets on loopback, clients that never read, and garbage.

    python tests/benchmarks/market_load.py --out load --providers 1000 --users 200 --minutes 20

Prints, and appends to FOLDER/load.jsonl, every minute: orders served, how long until an order's output came and until
it was final (p50, p99), how late rounds were answered and ticks came, frames a second, and the coordinator's memory and
processor. At the end it says what must hold, and whether it did; 1 is its exit code where something did not.
"""

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from websockets.asyncio.client import connect

from experiments.marketplace import messages
from experiments.marketplace.customer import Customer
from experiments.marketplace.device import Compute, Device, Measure
from experiments.marketplace.live import secrets
from experiments.marketplace.live.asking import Asking, input_of
from experiments.marketplace.live.party import Line, socket_of
from experiments.marketplace.live.watch import Watcher
from experiments.marketplace.models import SmallNumbers, computation_of, request_of, table
from verification.numbers import PASSES
from verification.trace import record

MODEL = SmallNumbers()
MODELS = table([MODEL])
PAUSE = 10.0
"""Seconds between two orders of a user, on the average."""
JOINING = 0.02
"""Seconds between two parties that join."""
TICK, ROUND = 0.5, 2.0
SERVE = ["--models", "numbers", "--round", str(ROUND), "--tick", str(TICK), "--rule", "window=20", "--faucet", "1000"]
LATE, SLOW, GROWTH = 1.0, 30.0, 0.1
"""Seconds that a tick may come late, that an order's life may take at p99, and by what share memory may grow from the
second quarter of the run to the last."""


@dataclass
class Seen:
    """What the clients saw."""

    counts: Counter[str] = field(default_factory=Counter)
    outputs: list[float] = field(default_factory=list)
    """Seconds from an order's posting to its output."""
    lives: list[float] = field(default_factory=list)
    """And to its end."""
    late: list[float] = field(default_factory=list)
    """Seconds by which a tick that was seen was late."""
    rounds: list[int] = field(default_factory=list)
    """Ticks from when a round was due to its leases."""


def key() -> Ed25519PrivateKey:
    """A new one."""
    return Ed25519PrivateKey.from_private_bytes(secrets.fresh(("key",))["key"])


async def provider(url: str, seen: Seen) -> None:
    """Offers four slots, computes at once."""
    device = Device(key(), key(), messages.Preflight("load", 2**30), cost=500, slots=4, fund=True)

    def perform(effect: Compute | Measure) -> None:
        if isinstance(effect, Measure):
            line.take(lambda now: device.measured(effect.model, 1e9))
        else:
            trace = record(computation_of(MODELS, effect.lease.requests, effect.lease.inputs))
            line.take(lambda now: device.computed(effect.lease.lease, trace))

    line = Line(url, device, perform, lambda raw: seen.counts.update(frames=raw is not None), device.tick)
    await line.run()


async def user(url: str, seen: Seen, random_: random.Random) -> None:
    """Asks, waits until it is final, and asks again."""
    asking, joined = Asking(Customer(key(), fund=True)), asyncio.Event()

    def told(raw: bytes | None) -> None:
        seen.counts.update(frames=raw is not None)
        asking.told(raw)
        if asking.customer.session.joined:
            joined.set()

    line = Line(url, asking.customer, lambda check: None, told)
    running = asyncio.create_task(line.run())
    try:
        while True:
            await asyncio.sleep(random_.expovariate(1 / PAUSE))
            await joined.wait()
            name, inputs = input_of(MODEL.input(random_.randrange(2**10)))
            request = request_of(MODEL, name, limit=PASSES, seed=random_.randrange(2**20))
            placed: asyncio.Future[str] = asyncio.get_running_loop().create_future()

            def post(now: float, request=request, inputs=inputs, placed=placed):
                order, effects = asking.placed([request], inputs, 5_000, 10**6, unaudited=False)
                placed.set_result(order)
                return effects

            began, output = time.monotonic(), False
            line.take(post)
            async for event in asking.followed(await placed):
                if event.placed.leases and not output:
                    output = True
                    seen.outputs.append(time.monotonic() - began)
                if event.placed.over:
                    seen.counts[event.placed.state] += 1
                    seen.lives.append(time.monotonic() - began)
            asking.customer.orders.clear()
    finally:
        running.cancel()


async def watch(url: str, seen: Seen) -> None:
    """Sees when ticks come and rounds are answered."""
    watcher, origin, known = Watcher(), float("inf"), set[str]()

    def told(raw: bytes | None) -> None:
        nonlocal origin
        if raw is None or not isinstance(board := messages.to_peer(raw), messages.Board):
            return
        begun = time.monotonic() - TICK * board.tick
        origin = min(origin, begun)
        seen.late.append(begun - origin)
        for number, entry in board.parts.get("rounds", {}).items():
            if entry is not None and number not in known:
                known.add(number)
                seen.rounds.append(entry["tick"] - int(number) * round(ROUND / TICK))

    await Line(url, watcher, lambda effect: None, told).run()


async def deaf(url: str) -> None:
    """Says that it watches, and never reads."""
    host, port = socket_of(url).split("/")[2].split(":")
    while True:
        try:
            _, writer = await asyncio.open_connection(host, int(port), limit=2**10)
        except OSError:  # too many at once
            await asyncio.sleep(1)
            continue
        head = f"GET /market HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        head += "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        hello = b'{"type":"hello","version":1,"role":"watch"}'
        writer.write(head.encode() + bytes([0x81, 0x80 | len(hello), 0, 0, 0, 0]) + hello)
        await asyncio.sleep(60)
        writer.transport.abort()


def garbage(random_: random.Random) -> Iterator[str | bytes]:
    """What is no message, or none that this connection may send."""
    while True:
        yield random_.randbytes(random_.randrange(1, 200)).hex()
        yield '{"type":"hello","version":1,"role":"user","owner":"' + "ab" * 32 + '","signature":"' + "cd" * 64 + '"}'
        yield '{"type":"heart","leases":{}}'
        yield "[" * 10_000
        yield random_.randbytes(50)


async def noisy(url: str, random_: random.Random) -> None:
    """Sends what is no message as fast as it is read, and connects anew when it is thrown out."""
    sent = garbage(random_)
    while True:
        try:
            async with connect(socket_of(url), compression=None, proxy=None) as connection:
                while True:
                    await connection.send(next(sent))
                    await asyncio.sleep(0)
        except Exception:  # noqa: BLE001 thrown out
            await asyncio.sleep(1)


def disturb(url: str, deaf_clients: int, noisy_clients: int, seed: int) -> None:
    """A process of those who never read or send garbage: they are not to keep the others from being served here."""

    async def play() -> None:
        random_ = random.Random(seed)
        clients = [deaf(url) for _ in range(deaf_clients)] + [noisy(url, random_) for _ in range(noisy_clients)]
        await asyncio.gather(*clients)

    asyncio.run(play())


def memory(pid: int) -> int:
    """Resident bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def processor(pid: int) -> float:
    """Seconds, of the user's and the system's."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def quantiles(name: str, seconds: list[float]) -> dict[str, float | None]:
    """p50 and p99."""
    found = np.quantile(seconds, [0.5, 0.99]).round(2).tolist() if seconds else [None, None]
    return {f"{name}_p50_seconds": found[0], f"{name}_p99_seconds": found[1]}


async def minute(number: int, process: Any, noise: Any, seen: Seen, tasks: list[asyncio.Task[None]]) -> dict[str, Any]:
    """What is seen in a minute."""
    before, began, used = seen.counts.copy(), time.monotonic(), processor(process.pid)
    seen.outputs, seen.lives, seen.late, seen.rounds = [], [], [], []
    await asyncio.sleep(60)
    seconds = time.monotonic() - began
    ended = [task.exception() for task in tasks if task.done()]
    return {
        "minute": number,
        "served": seen.counts["served"] - before["served"],
        "otherwise": sum(seen.counts[state] - before[state] for state in ("refused", "expired", "withdrawn")),
        **quantiles("output", seen.outputs),
        **quantiles("final", seen.lives),
        "ticks_late_seconds": round(max(seen.late, default=float("inf")), 2),
        "rounds": len(seen.rounds),
        "rounds_late_ticks": max(seen.rounds, default=None),
        "frames_a_second": round((seen.counts["frames"] - before["frames"]) / seconds),
        "processor_share": round((processor(process.pid) - used) / seconds, 2),
        "memory_megabytes": round(memory(process.pid) / 2**20, 1),
        "ended": [type(error).__name__ for error in ended],
        "disturbed": noise.is_alive(),
    }


async def drained(lines: asyncio.StreamReader, path: Path) -> None:
    """What the market says, kept."""
    with path.open("ab") as file:
        async for line in lines:
            file.write(line)
            file.flush()


def judged(minutes: list[dict[str, Any]]) -> dict[str, bool]:
    """What must hold of the minutes after the first, in which everybody joins."""
    after = minutes[1:] or minutes
    quarter = max(1, len(after) // 4)
    parts = after[quarter : 2 * quarter] or after, after[-quarter:]
    before, last = (np.mean([each["memory_megabytes"] for each in part]) for part in parts)
    return {
        "every order that ended was served": not any(each["otherwise"] for each in minutes),
        "orders are served in every minute": all(each["served"] for each in after),
        f"p99 of an order's life is below {SLOW:g} s": all(each["final_p99_seconds"] < SLOW for each in after),
        f"no tick is {LATE:g} s late": all(each["ticks_late_seconds"] < LATE for each in after),
        "rounds are answered before the next": all(each["rounds_late_ticks"] <= ROUND / TICK / 2 for each in after),
        f"memory grows by less than {GROWTH:.0%}": bool(last < (1 + GROWTH) * before),
        "no party failed": not any(each["ended"] for each in minutes) and all(each["disturbed"] for each in minutes),
    }


async def play(asked: argparse.Namespace) -> bool:
    """Everything, for so many minutes; whether all holds that must."""
    path = asked.out / "market.ledger"
    command = [sys.executable, "-m", "experiments", "market", "serve", "--ledger", str(path), "--port", "0", *SERVE]
    process = await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE)
    while b"/watch" not in (line := await process.stderr.readline()):
        if not line:
            raise RuntimeError(f"the market ended with {await process.wait()}")
    url = "ws" + line.decode().split("/watch")[0].strip().removeprefix("http")
    log = asyncio.create_task(drained(process.stderr, asked.out / "serve.log"))
    seen, random_, tasks, told = Seen(), random.Random(asked.seed), list[asyncio.Task[None]](), list[dict[str, Any]]()
    began = time.monotonic()
    print(
        json.dumps({"memory_megabytes": round(memory(process.pid) / 2**20, 1), "when": "nobody has come"}), flush=True
    )
    parties = [provider(url, seen) for _ in range(asked.providers)]
    parties += [watch(url, seen), *(user(url, seen, random_) for _ in range(asked.users))]
    noise = get_context("spawn").Process(target=disturb, args=(url, asked.deaf, asked.noisy, asked.seed))
    noise.start()
    try:
        for party in parties:
            tasks.append(asyncio.create_task(party))
            await asyncio.sleep(JOINING)
        print(json.dumps({"joined_seconds": round(time.monotonic() - began, 1)}), flush=True)
        for number in range(1, asked.minutes + 1):
            told.append(await minute(number, process, noise, seen, tasks))
            print(json.dumps(told[-1]), flush=True)
            with (asked.out / "load.jsonl").open("a") as file:
                file.write(json.dumps(told[-1]) + "\n")
    finally:
        noise.kill()
        for task in tasks:
            task.cancel()
        process.send_signal(2)
        await process.wait()
        await log
    found = judged(told)
    print(json.dumps({"served": sum(each["served"] for each in told), **found}, indent=2))
    return all(found.values())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    for name, default in {"providers": 1000, "users": 200, "deaf": 100, "noisy": 100, "minutes": 20, "seed": 0}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    sys.exit(0 if asyncio.run(play(asked)) else 1)
