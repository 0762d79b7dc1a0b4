"""The coordinator's side of websockets: for each a bounded queue and one writer, and a pace at which it is read.

Who does not read is dropped: what waits for it is bounded, in frames and bytes, and so is a frame's time. Who sends too
fast is read no faster than the pace; its own frames wait, nobody else's do.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn._types import ASGIReceiveEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from experiments.marketplace.messages import MOST_BYTES

ABORT = "abort"
"""Of a scope: ends its connection now, whatever is still to be sent."""
AT_ONCE = 2**12
"""Bytes of a peer that are taken apart in one go."""
AWAY, MALFORMED, BUSY = 1001, 1003, 1013
"""Reasons of the websocket protocol."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a coordinator spends on its peers."""

    peers: int = 2048
    """Connected at once."""
    waiting: int = 1024
    """Frames that wait to be read by one of them."""
    waiting_bytes: int = 4 * MOST_BYTES
    send: float = 30
    """Seconds for a frame to be taken."""
    pace: float = 100
    """Frames a second that are read of one of them in the long run."""
    burst: int = 400
    """And at once."""


class Protocol(WebSocketsSansIOProtocol):
    """A websocket that its application can end without waiting for a peer that does not read.

    What one peer sends is taken apart a little at a time, and only while its application reads: else thousands of
    small frames that come at once would keep everybody waiting.
    """

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._unread = bytearray()

    def data_received(self, data: bytes) -> None:
        self._unread += data
        self._take_apart()

    async def receive(self) -> ASGIReceiveEvent:
        message = await super().receive()
        self._take_apart()
        return message

    def _take_apart(self) -> None:
        while self._unread and not self.read_paused:
            if self.close_sent and len(self._unread) > AT_ONCE:  # it has not listened, and is not listened to
                self._unread.clear()
                self.transport.abort()
            piece = bytes(self._unread[:AT_ONCE])
            del self._unread[:AT_ONCE]
            super().data_received(piece)

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.handshake_initiated and not self.close_sent:
            self.scope[ABORT] = self.transport.abort  # type: ignore[literal-required]


class Outgoing:
    """What waits to be sent to one peer, in order."""

    def __init__(self, limits: Limits, abort: Callable[[], object]) -> None:
        self.limits, self.abort = limits, abort
        self._frames: deque[bytes] = deque()
        self._bytes = 0
        self._more = asyncio.Event()
        self._ends = False

    def push(self, raw: bytes) -> None:
        """One more; where too much waits the peer is dropped."""
        self._frames.append(raw)
        self._bytes += len(raw)
        self._more.set()
        if len(self._frames) > self.limits.waiting or self._bytes > self.limits.waiting_bytes:
            self._frames.clear()
            self._bytes, self._ends = 0, True
            self.abort()

    def close(self) -> None:
        """No more will come; what waits is sent."""
        self._ends = True
        self._more.set()

    async def next(self) -> bytes | None:
        """The oldest; None: no more will come."""
        while not self._frames:
            if self._ends:
                return None
            self._more.clear()
            await self._more.wait()
        raw = self._frames.popleft()
        self._bytes -= len(raw)
        return raw


@dataclass(slots=True)
class Pace:
    """How long a peer's next frame is left unread."""

    limits: Limits
    allowed: float
    at: float
    """When so many were allowed."""

    def wait(self, now: float) -> float:
        """Seconds until one more frame may be read, which is counted."""
        self.allowed = min(self.limits.burst, self.allowed + (now - self.at) * self.limits.pace) - 1
        self.at = now
        return max(0.0, -self.allowed / self.limits.pace)


Received = Callable[[bytes], Any]
"""Is given each frame, and awaited before the next is read."""


async def exchange(websocket: WebSocket, outgoing: Outgoing, limits: Limits, received: Received) -> None:
    """Read a peer's frames and send it what waits for it, until either of them ends."""
    writer = asyncio.create_task(_write(websocket, outgoing, limits))
    reader = asyncio.create_task(_read(websocket, limits, received))
    try:
        await asyncio.wait((writer, reader), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (writer, reader):
            task.cancel()
        await asyncio.gather(writer, reader, return_exceptions=True)


async def _read(websocket: WebSocket, limits: Limits, received: Received) -> None:
    loop = asyncio.get_running_loop()
    pace = Pace(limits, limits.burst, loop.time())
    try:
        while True:
            text = await websocket.receive_text()
            if wait := pace.wait(loop.time()):
                await asyncio.sleep(wait)
            await received(text.encode())
    except KeyError:  # bytes, not text
        await websocket.close(MALFORMED)
    except (WebSocketDisconnect, UnicodeEncodeError):
        return


async def _write(websocket: WebSocket, outgoing: Outgoing, limits: Limits) -> None:
    try:
        while (raw := await outgoing.next()) is not None:
            async with asyncio.timeout(limits.send):
                await websocket.send_text(raw.decode())
        await websocket.close(AWAY)
    except TimeoutError:
        outgoing.abort()
    except (WebSocketDisconnect, RuntimeError):  # it has gone
        return
