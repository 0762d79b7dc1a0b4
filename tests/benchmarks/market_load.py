"""The live market under load: providers and users over websockets on loopback, clients that never read, and garbage.

    python tests/benchmarks/market_load.py --out load --providers 1000 --users 200 --minutes 20

Prints, and appends to FOLDER/load.jsonl, every minute: orders served, how long one took (p50, p99), frames a second
that users and providers were sent, and the coordinator's memory.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from websockets.asyncio.client import connect

from experiments.marketplace import messages
from experiments.marketplace.customer import Customer
from experiments.marketplace.device import Compute, Device, Measure
from experiments.marketplace.live import secrets
from experiments.marketplace.live.asking import Asking, input_of
from experiments.marketplace.live.party import Line, socket_of
from experiments.marketplace.models import SmallNumbers, computation_of, request_of, table
from verification.numbers import PASSES
from verification.trace import record

MODEL = SmallNumbers()
MODELS = table([MODEL])
PAUSE = 10.0
"""Seconds between two orders of a user, on the average."""
SERVE = ["--models", "numbers", "--round", "2", "--tick", "0.5", "--rule", "window=20", "--faucet", "1000"]


def key() -> Ed25519PrivateKey:
    """A new one."""
    return Ed25519PrivateKey.from_private_bytes(secrets.fresh(("key",))["key"])


async def provider(url: str, counts: Counter[str]) -> None:
    """Offers four slots, computes at once."""
    device = Device(key(), key(), messages.Preflight("load", 2**30), cost=500, slots=4, fund=True)

    def perform(effect: Compute | Measure) -> None:
        if isinstance(effect, Measure):
            line.take(lambda now: device.measured(effect.model, 1e9))
        else:
            trace = record(computation_of(MODELS, effect.lease.requests, effect.lease.inputs))
            line.take(lambda now: device.computed(effect.lease.lease, trace))

    line = Line(url, device, perform, lambda raw: counts.update(provider=raw is not None), device.tick)
    await line.run()


async def user(url: str, counts: Counter[str], lives: list[float], random_: random.Random) -> None:
    """Asks, waits until it is final, and asks again."""
    asking = Asking(Customer(key(), fund=True))

    def told(raw: bytes | None) -> None:
        counts.update(user=raw is not None)
        asking.told(raw)

    line = Line(url, asking.customer, lambda check: None, told)
    running = asyncio.create_task(line.run())
    try:
        while True:
            await asyncio.sleep(random_.expovariate(1 / PAUSE))
            name, inputs = input_of(MODEL.input(random_.randrange(2**10)))
            request = request_of(MODEL, name, limit=PASSES, seed=random_.randrange(2**20))
            placed: asyncio.Future[str] = asyncio.get_running_loop().create_future()

            def post(now: float, request=request, inputs=inputs, placed=placed):
                order, effects = asking.placed([request], inputs, 5_000, 10**6, unaudited=False)
                placed.set_result(order)
                return effects

            began = time.monotonic()
            line.take(post)
            async for event in asking.followed(await placed):
                if event.placed.over:
                    counts[event.placed.state] += 1
                    lives.append(time.monotonic() - began)
    finally:
        running.cancel()


async def deaf(url: str) -> None:
    """Says that it watches, and never reads."""
    host, port = socket_of(url).split("/")[2].split(":")
    while True:
        _, writer = await asyncio.open_connection(host, int(port), limit=2**10)
        head = f"GET /market HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        head += "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        hello = b'{"type":"hello","version":1,"role":"watch"}'
        writer.write(head.encode() + bytes([0x81, 0x80 | len(hello), 0, 0, 0, 0]) + hello)
        await asyncio.sleep(60)
        writer.transport.abort()


async def noisy(url: str, random_: random.Random) -> None:
    """Sends what is no message as fast as it is read, and connects anew when it is thrown out."""
    while True:
        try:
            async with connect(socket_of(url), compression=None, proxy=None) as connection:
                while True:
                    await connection.send(random_.randbytes(random_.randrange(1, 200)).hex())
        except Exception:  # noqa: BLE001 thrown out
            await asyncio.sleep(1)


def memory(pid: int) -> int:
    """Resident bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096


async def play(asked: argparse.Namespace) -> None:
    """Everything, for so many minutes."""
    path = asked.out / "market.ledger"
    command = [sys.executable, "-m", "experiments", "market", "serve", "--ledger", str(path), "--port", "0", *SERVE]
    process = await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE)
    while b"/watch" not in (line := await process.stderr.readline()):
        if not line:
            raise RuntimeError(f"the market ended with {await process.wait()}")
    url = "ws" + line.decode().split("/watch")[0].strip().removeprefix("http")
    counts, lives, random_ = Counter[str](), list[float](), random.Random(asked.seed)
    tasks = [asyncio.create_task(provider(url, counts)) for _ in range(asked.providers)]
    tasks += [asyncio.create_task(user(url, counts, lives, random_)) for _ in range(asked.users)]
    tasks += [asyncio.create_task(deaf(url)) for _ in range(asked.deaf)]
    tasks += [asyncio.create_task(noisy(url, random_)) for _ in range(asked.noisy)]
    try:
        for minute in range(1, asked.minutes + 1):
            before, first, began = counts.copy(), len(lives), time.monotonic()
            await asyncio.sleep(60)
            seconds, new = time.monotonic() - began, np.array(lives[first:] or [np.nan])
            told = {
                "minute": minute,
                "served": counts["served"] - before["served"],
                "p50_seconds": round(float(np.quantile(new, 0.5)), 2),
                "p99_seconds": round(float(np.quantile(new, 0.99)), 2),
                "frames_a_second": round(
                    (counts["provider"] + counts["user"] - before["provider"] - before["user"]) / seconds
                ),
                "memory_megabytes": memory(process.pid) // 2**20,
                "ended": [task.exception().__class__.__name__ for task in tasks if task.done()],
            }
            print(json.dumps(told), flush=True)
            with (asked.out / "load.jsonl").open("a") as file:
                file.write(json.dumps(told) + "\n")
    finally:
        for task in tasks:
            task.cancel()
        process.kill()
        await process.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    for name, default in {"providers": 1000, "users": 200, "deaf": 100, "noisy": 100, "minutes": 20, "seed": 0}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    asyncio.run(play(asked))
