"""A worker: a device behind a socket, whose leases a machine computes one after another."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from experiments.marketplace import messages
from experiments.marketplace.device import Compute, Device, Measure
from experiments.marketplace.live.machine import Machine
from experiments.marketplace.live.party import Line
from experiments.marketplace.messages import Lease
from verification.trace import Trace

Say = Callable[[str], object]


class Worker:
    """Works on a market's leases.

    Args:
        keys: "owner" and "device".
        cost: micro-tokens below which a lease is declined.
        fund: whether it asks the market's faucet for its stakes.
        change: what it makes of its traces: nothing, or an adversary's.
    """

    def __init__(
        self,
        url: str,
        machine: Machine,
        keys: dict[str, bytes],
        *,
        cost: int,
        fund: bool,
        say: Say,
        change: Callable[[Trace], Trace] = lambda trace: trace,
    ) -> None:
        self.machine, self._say, self._change = machine, say, change
        self._thread = ThreadPoolExecutor(1, "machine")
        owner, key = (Ed25519PrivateKey.from_private_bytes(keys[name]) for name in ("owner", "device"))
        preflight = messages.Preflight(adapter=machine.adapter, memory=machine.memory)
        self.device = Device(owner, key, preflight, cost=cost, models=machine.names, fund=fund)
        self.line = Line(
            url, self.device, self._perform, self._told, self.device.tick, say, self.device.session.comeback
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._left = asyncio.Event()

    async def run(self) -> None:
        """Work, until it has left or is cancelled.

        Raises:
            InputError, Refusal: see ``Line.run`` and ``Machine.prepare``.
        """
        work, left = asyncio.create_task(self._work()), asyncio.create_task(self._left.wait())
        try:
            await asyncio.wait((work, left), return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                await work
        finally:
            for task in (work, left):
                task.cancel()
            await asyncio.gather(work, left, return_exceptions=True)

    def leave(self) -> None:
        """Take no new leases, and leave once those that are open are over; asked again, leave at once."""
        if self.device.stopping or not self.device.leases:
            self._left.set()
            return
        count = len(self.device.leases)
        self._say(
            f"takes no new leases, and ends when {count} {'is' if count == 1 else 'are'} over; Ctrl-C again ends it now"
        )
        self._say("  (who is not there when its result is disputed loses its stake)")
        self.line.take(self.device.stop)

    async def _work(self) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            self.device.preflight = await self._loop.run_in_executor(self._thread, self.machine.prepare)
            self._say(f"{', '.join(self.machine.names)} on {self.machine.adapter}; device {self.device.name[:16]}")
            await self.line.run()
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)

    def did(self) -> str:
        """What it did, in a line."""
        history = self.device.history
        ends = {"declined": history.declined, "missed": history.missed, "fallen": history.fallen}
        parts = [f"leases: {history.accepted} taken", f"{history.final} final", f"{len(self.device.leases)} not over"]
        parts += [f"{count} {end}" for end, count in ends.items() if count]
        return f"{', '.join(parts)}; {history.earned / 1e6:g} tokens earned"

    def _perform(self, effect: Compute | Measure) -> None:
        work = self._compute(effect.lease) if isinstance(effect, Compute) else self._measure(effect.model)
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _measure(self, name: str) -> None:
        try:
            macs, tokens = await self._loop.run_in_executor(self._thread, self.machine.measure, name)
        except Exception as error:  # noqa: BLE001 whatever it is, the model is not offered
            self._say(f"{name}: cannot be run here, so it is not offered ({type(error).__name__}: {error})")
            return
        self._say(f"{name}: {tokens:.1f} tokens a second, committed to")
        self.line.take(lambda now: self.device.measured(name, macs, tokens))

    async def _compute(self, lease: Lease) -> None:
        def told(share: float, request: int, token: int | None) -> None:
            tokens = [] if token is None else [token]
            call: Callable[[float], Any] = lambda now: self.device.progressed(  # noqa: E731
                lease.lease, share, tokens, request=request
            )
            self._loop.call_soon_threadsafe(self.line.take, call)

        def work() -> Trace:
            return self._change(self.machine.compute(lease.requests, lease.inputs, told))

        try:
            trace = await self._loop.run_in_executor(self._thread, work)
        except Exception as error:  # noqa: BLE001 whatever it is, the lease goes back
            self._say(f"lease {lease.lease[:16]}: cannot be computed ({type(error).__name__}: {error}); handed back")
            self.line.take(lambda now: self.device.failed(lease.lease))
            return
        self._say(f"lease {lease.lease[:16]}: {len(trace.tokens)} tokens, root {trace.tree.root.hex()[:16]}")
        self.line.take(lambda now: self.device.computed(lease.lease, trace))

    def _told(self, raw: bytes | None) -> None:
        if self.device.stopping and not self.device.leases:
            self._left.set()
        if raw is None:
            return
        match messages.to_peer(raw):
            case messages.Welcome() as welcome:
                self._say(f"market {self.device.session.market[:16]}, tick {welcome.tick}")
            case messages.Lease(state="offered") as lease:
                self._say(f"lease {lease.lease[:16]}: offered for {int(lease.price) / 1e6:g} tokens")
            case messages.Turn(role=str()) as turn:
                self._say(f"lease {turn.lease[:16]}: disputed; answering as {turn.role}")
            case messages.Final() as final:
                self._say(f"lease {final.lease[:16]}: {final.outcome}, {int(final.paid) / 1e6:g} tokens")
                if final.outcome == "fallen":
                    self._say(f"device {self.device.name[:16]} was removed for good: it is leased nothing more")
            case messages.Refused() as refused:
                self._say(f"refused: {refused.sentence} ({refused.reason})")
            case messages.Suitable(reasons=reasons) if reasons:
                for name, reason in reasons.items():
                    self._say(f"{name}: not for this device: {reason}")
            case _:
                pass
