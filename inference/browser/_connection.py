"""HTTP connections that are few, and whose requests come and are answered in bounded time.

Uvicorn has a limit of concurrent requests, but opens connections without end and waits for their requests for ever.
"""

import asyncio
import socket
from dataclasses import dataclass
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

QUEUE = 1024  # connections that the system keeps until they are accepted


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server spends on its clients."""

    connections: int = 64
    """open at once: one more replaces the oldest that waits for a request, else the oldest that does not read"""
    request: float = 10
    """seconds from the connection, or the last answer, to the end of a request's body"""
    answer: float = 120
    """seconds from there to the last byte of the answer"""
    head: int = 1 << 14
    """bytes of a request's line and headers"""
    body: int = 1 << 20
    """bytes of a request's body"""


class Connection(H11Protocol):
    """One connection: at any time it waits for a request or answers one, and has a deadline for that."""

    def __init__(self, *arguments: Any, limits: Limits, refused: bytes, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.limits, self.refused = limits, refused
        self.deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()
        if len(self.connections) > self.limits.connections:
            self._displaced().abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.deadline:
            self.deadline.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._see_request()

    def on_response_complete(self) -> None:
        self._wait()
        super().on_response_complete()  # which takes up a request that came in the meantime
        self._see_request()

    def send_400_response(self, msg: str) -> None:
        """What is not HTTP gets the answer in one piece, and an answer under way ends here."""
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(self.refused)
        else:
            self.cycle.disconnected = True
        self.transport.close()

    def shutdown(self) -> None:
        self.abort()

    def abort(self) -> None:
        """End now, whatever is still to be sent."""
        self.connections.discard(self)
        self.transport.abort()

    def _wait(self) -> None:
        self._until(self.limits.request, waits=True)

    def _see_request(self) -> None:
        """Where the whole request is here and its answer is not complete, that is waited for instead."""
        under_way = self.cycle is not None and not self.cycle.response_complete
        if self.waits and under_way and self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self._until(self.limits.answer, waits=False)

    def _until(self, seconds: float, *, waits: bool) -> None:
        if self.deadline:
            self.deadline.cancel()
        self.waits, self.since = waits, self.loop.time()
        self.deadline = self.loop.call_later(seconds, self.abort)

    def _displaced(self) -> "Connection":
        """The connection that makes room for this one; this one where all others are being answered, and read."""
        others = [each for each in self.connections if isinstance(each, Connection) and each is not self]
        replaceable = [each for each in others if each.waits or each.flow.write_paused]
        return min(replaceable, key=lambda each: (not each.waits, each.since), default=self)


class Server(uvicorn.Server):
    """Takes few connections at a time, as there are few descriptors, from a long queue, so that none is turned away."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for each in sockets or []:
            each.listen(QUEUE)
