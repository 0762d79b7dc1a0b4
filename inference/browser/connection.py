"""HTTP connections that are few, and whose requests come and are answered in bounded time.

Uvicorn has a limit of concurrent requests, but opens connections without end and waits for their requests for ever.
"""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Thread
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

QUEUE = 1024  # connections that the system keeps until they are accepted
ACCEPTED = 32  # connections that are accepted in one go


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server spends on its clients."""

    connections: int = 64
    """open at once: one more replaces the oldest that waits for a request, else the oldest that does not read"""
    request: float = 10
    """seconds from the connection, or the last answer, to the end of a request's body"""
    answer: float = 600
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
        if sum(isinstance(each, Connection) for each in self.connections) > self.limits.connections:
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

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Here requests end, and with them their deadlines."""
        if self.deadline:
            self.deadline.cancel()
        super().handle_websocket_upgrade(event)

    def send_400_response(self, msg: str) -> None:
        """To what is not HTTP: the answer in one piece, or, where another is under way already, none."""
        if not (self._under_way() and self.cycle.response_started):
            self.transport.write(self.refused)
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
        if self.waits and self._under_way() and self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self._until(self.limits.answer, waits=False)

    def _under_way(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

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


def server(app: ASGIApp, limits: Limits, refused: bytes, **options: Any) -> Server:
    """A server of an application under limits; what is not HTTP gets ``refused``.

    Args:
        options: of ``uvicorn.Config`` besides.
    """
    plain: dict[str, Any] = {
        "http": partial(Connection, limits=limits, refused=refused),
        "ws": "none",
        "loop": "asyncio",
        "lifespan": "off",
        "interface": "asgi3",
        "log_config": None,
        "log_level": "error",
        "access_log": False,
        "proxy_headers": False,
        "server_header": False,
        "h11_max_incomplete_event_size": limits.head,
        "backlog": ACCEPTED,
    }
    return Server(uvicorn.Config(app, **plain | options))


@contextmanager
def served(app: ASGIApp, listener: socket.socket, limits: Limits, refused: bytes) -> Iterator[Thread]:
    """An application on a listening socket, in a thread, to the end of the block; what is not HTTP gets ``refused``."""
    running = server(app, limits, refused)
    thread = Thread(target=running.run, args=([listener],), daemon=True)  # work under way does not hold up the end
    thread.start()
    try:
        yield thread
    finally:
        running.should_exit = running.force_exit = True
        thread.join(timeout=1)
