"""What drives a coordinator: one task takes what peers sent, and time, to it, and does what it wants done.

What came meanwhile is taken together: it is durable as one transaction before any of its effects leaves. The ledger is
written by one thread, so that sockets are served meanwhile. Nothing that a solver or an audit does is waited for.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from typing import NamedTuple, Protocol

from experiments.marketplace.auctioneer import answer
from experiments.marketplace.coordinator import Coordinator
from experiments.marketplace.effects import Close, Compute, Connection, Effect, Explain, Send, Solve
from experiments.marketplace.explanation import explain
from verification.trace import record

MOST_WAITING = 4096
"""Things that wait to be taken to the coordinator: beyond, peers are read no further."""
MOST_TOGETHER = 512
"""That are taken to it in one transaction."""
logger = logging.getLogger(__name__)


class Peer(Protocol):
    """Where what is sent to a connection goes; neither may block."""

    def push(self, raw: bytes) -> None: ...

    def close(self) -> None: ...


Call = Callable[[Coordinator, float], list[Effect]]
"""What is taken to the coordinator: one of its calls."""


class Waiting(NamedTuple):
    """A call that waits to be taken."""

    connection: Connection | None
    """That ends where the call fails."""
    call: Call
    done: asyncio.Future[None]
    """Set when what came of it has left."""


class Time:
    """A market's: seconds in which the coordinator listened.

    A tick is due a tick's seconds after the last. What it comes later than another tick's seconds is left out: peers
    could say nothing meanwhile, so that nobody is late by it.

    Args:
        began: when the coordinator's time began, by a clock.
        listens: since when it hears anybody.
    """

    def __init__(self, seconds: float, began: float, listens: float) -> None:
        self._seconds, self._stood = seconds, listens - began
        self.due = listens + seconds
        """When the next tick is, by the clock."""

    def now(self, clock: float) -> float:
        """Its time."""
        return clock - self._stood

    def passes(self, clock: float) -> bool:
        """Whether a tick is due; then the next one is."""
        if clock < self.due:
            return False
        late = clock - self.due
        if late >= self._seconds:
            self._stood += late
        self.due = (self.due if late < self._seconds else clock) + self._seconds
        return True


class Driver:
    """Drives one coordinator, which ``opened`` makes of the time, in the one thread that touches its ledger."""

    def __init__(self, opened: Callable[[float], Coordinator]) -> None:
        self._make = opened
        self._peers: dict[Connection, Peer] = {}
        self._numbers = count(1)
        self._calls: asyncio.Queue[Waiting] = asyncio.Queue(MOST_WAITING)
        self._writer = ThreadPoolExecutor(1, "ledger")
        self._aside: set[asyncio.Task[None]] = set()
        self._explaining = False
        self.ready = asyncio.Event()
        """Set when the ledger is folded."""

    async def connect(self, peer: Peer, origin: str = "") -> Connection:
        """A connection has come."""
        number = next(self._numbers)
        self._peers[number] = peer
        await self._take(number, lambda coordinator, now: coordinator.opened(number, now, origin))
        return number

    async def receive(self, connection: Connection, raw: bytes) -> None:
        """A frame of it, until it is taken: so each connection has one that waits, however many it sends."""
        done = await self._take(connection, lambda coordinator, now: coordinator.receive(connection, raw, now))
        await done

    async def disconnect(self, connection: Connection) -> None:
        """It has gone."""
        self._peers.pop(connection, None)
        await self._take(None, lambda coordinator, now: coordinator.closed(connection, now))

    @property
    def connections(self) -> int:
        """There are."""
        return len(self._peers)

    async def run(self) -> None:
        """Drive it, until cancelled.

        Raises:
            Refusal: the ledger cannot be opened, or written.
        """
        loop = asyncio.get_running_loop()
        try:
            began = loop.time()
            coordinator = await loop.run_in_executor(self._writer, self._make, began)
            self._do(coordinator.resumed)
            self.ready.set()
            time = Time(coordinator.settings.seconds_per_tick, began, loop.time())
            while True:
                calls = await self._next(time.due)
                ticks = time.passes(loop.time())
                together = partial(self._together, coordinator, calls, time.now(loop.time()), ticks)
                self._do(await loop.run_in_executor(self._writer, together))
                for each in calls:
                    if not each.done.cancelled():
                        each.done.set_result(None)
        finally:
            for task in self._aside:
                task.cancel()
            self._writer.shutdown()

    async def _take(self, connection: Connection | None, call: Call) -> asyncio.Future[None]:
        waiting = Waiting(connection, call, asyncio.get_running_loop().create_future())
        await self._calls.put(waiting)
        return waiting.done

    async def _next(self, due: float) -> list[Waiting]:
        """What waits; nothing where a tick is due before anything comes."""
        found: list[Waiting] = []
        try:
            async with asyncio.timeout_at(due):
                found.append(await self._calls.get())
        except TimeoutError:
            pass
        while len(found) < MOST_TOGETHER and not self._calls.empty():
            found.append(self._calls.get_nowait())
        return found

    @staticmethod
    def _together(coordinator: Coordinator, calls: list[Waiting], now: float, ticks: bool) -> list[Effect]:
        """Take calls to the coordinator, in one transaction; a call that fails ends its connection alone."""
        effects: list[Effect] = []
        with coordinator.desk.ledger.together():
            for connection, call, _ in calls:
                try:
                    effects += call(coordinator, now)
                except Exception:
                    logger.exception("a call to the coordinator failed")
                    if connection is not None:
                        effects.append(Close(connection, "the coordinator failed over it"))
            if ticks:
                effects += coordinator.tick(now)
        return effects

    def _do(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send():
                    if peer := self._peers.get(effect.connection):
                        peer.push(effect.raw)
                case Close():
                    if peer := self._peers.pop(effect.connection, None):
                        peer.close()
                case Solve():
                    self._beside(self._solve(effect))
                case Compute():
                    self._beside(self._compute(effect))
                case Explain() if not self._explaining:
                    self._explaining = True
                    self._beside(self._explain(effect))

    def _beside(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._aside.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._aside.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("what the coordinator wanted done failed", exc_info=error)

    async def _solve(self, effect: Solve) -> None:
        found = await asyncio.to_thread(answer, effect)
        await self._take(None, lambda coordinator, now: coordinator.solved(effect.round, found, now))

    async def _explain(self, effect: Explain) -> None:
        try:
            found = await asyncio.to_thread(explain, effect)
        finally:
            self._explaining = False
        await self._take(None, lambda coordinator, now: coordinator.explained(found, now))

    async def _compute(self, effect: Compute) -> None:
        trace = await asyncio.to_thread(lambda: record(effect.computation()))
        await self._take(None, lambda coordinator, now: coordinator.computed(effect.lease, trace, now))
