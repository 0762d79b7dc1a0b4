"""The server's sockets, over a coordinator that echoes: who does not read, sends too fast, too much, from elsewhere."""

import asyncio
import socket
from contextlib import asynccontextmanager, nullcontext, suppress
from types import SimpleNamespace

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from experiments.marketplace.effects import Close, Send
from experiments.marketplace.live import driver as driving
from experiments.marketplace.live import sockets
from experiments.marketplace.live.application import SOCKET, application
from experiments.marketplace.live.driver import Driver
from experiments.marketplace.live.server import HOST, hosts
from experiments.marketplace.live.sockets import Limits, Pace, Protocol
from experiments.marketplace.messages import MOST_BYTES
from inference.browser.connection import QUEUE, server
from inference.browser.connection import Limits as Requests
from inference.browser.guard import guarded, not_http

SECONDS = 60  # a time-out, not a measure
UPGRADE = "GET /market HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
UPGRADE += "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"


class Echo:
    """Answers a frame with itself; ``fail`` raises, ``end`` ends the connection, ``flood N`` gives N large frames."""

    resumed = ()

    def __init__(self, now):
        self.settings = SimpleNamespace(seconds_per_tick=0.01)
        self.desk = SimpleNamespace(ledger=SimpleNamespace(together=nullcontext))
        self.origins, self.closes, self.ticks = {}, asyncio.Queue(), 0

    def opened(self, connection, now, origin):
        self.origins[connection] = origin
        return [Send(connection, b"hello")]

    def receive(self, connection, raw, now):
        word, _, number = raw.partition(b" ")
        if word == b"fail":
            raise ValueError("it fails")
        if word == b"end":
            return [Send(connection, b"bye"), Close(connection, "it ends")]
        if word == b"flood":
            return [Send(connection, b"x" * 2**16) for _ in range(int(number))]
        if word == b"ticks":
            return [Send(connection, b"ticked" if self.ticks else b"no tick")]
        return [Send(connection, raw)]

    def closed(self, connection, now):
        self.loop.call_soon_threadsafe(self.closes.put_nowait, connection)
        return []

    def tick(self, now):
        self.ticks += 1
        return []


@pytest.fixture
def serve():
    """The server with its echo, for the time of a block: the port, and what it echoes with."""

    @asynccontextmanager
    async def serve(**limits):
        echo = Echo(0)
        echo.loop = asyncio.get_running_loop()
        driver = Driver(lambda now: echo)
        listener = socket.create_server((HOST, 0), backlog=QUEUE)
        port = listener.getsockname()[1]
        app = guarded(application(driver, (), Limits(**limits)), hosts(HOST, port, tls=False), Requests())
        options = {"ws": Protocol, "ws_max_size": MOST_BYTES, "ws_per_message_deflate": False}
        running = server(app, Requests(), not_http(), **options)
        running.capture_signals = nullcontext
        tasks = [asyncio.create_task(driver.run()), asyncio.create_task(running.serve([listener]))]
        try:
            yield port, echo
        finally:
            running.should_exit = running.force_exit = True
            await tasks[1]
            tasks[0].cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    return serve


def run(work):
    async def bounded():
        async with asyncio.timeout(SECONDS):
            await work()

    asyncio.run(bounded())


def to(port, name=HOST, **options):
    return connect(f"ws://{name}:{port}{SOCKET}", host=HOST, port=port, max_size=None, **options)


def test_frames_come_and_go_in_order_and_time_passes(serve):
    async def work():
        async with serve() as (port, echo), to(port) as one, to(port) as other:
            assert [await one.recv(), await other.recv()] == ["hello", "hello"]
            for text in ("a", "é", "b"):
                await one.send(text)
            assert [await one.recv() for _ in range(3)] == ["a", "é", "b"]
            while True:
                await other.send("ticks")
                if await other.recv() == "ticked":
                    break
            assert set(echo.origins.values()) == {""}

    run(work)


def test_a_connection_ends_with_its_last_word_and_one_that_fails_ends_alone(serve):
    async def work():
        async with serve() as (port, echo), to(port) as one, to(port) as other:
            await one.send("end")
            assert [await one.recv(), await one.recv()] == ["hello", "bye"]
            with pytest.raises(ConnectionClosed):
                await one.recv()
            async with to(port) as third:
                await third.send("fail")
                assert await third.recv() == "hello"
                with pytest.raises(ConnectionClosed):
                    await third.recv()
            assert await other.recv() == "hello"
            await other.send("still here")
            assert await other.recv() == "still here"
            assert {await echo.closes.get(), await echo.closes.get()} == {1, 3}

    run(work)


def test_who_does_not_read_is_dropped_and_nobody_else_suffers(serve):
    async def work():
        async with serve(waiting=50, waiting_bytes=2**30) as (port, echo), to(port) as good:
            reader, writer = await asyncio.open_connection(HOST, port, limit=2**10)
            writer.write(UPGRADE.format(f"{HOST}:{port}").encode())
            assert b"101" in await reader.readline()
            flood = b"flood 2000"
            writer.write(bytes([0x81, 0x80 | len(flood), 0, 0, 0, 0]) + flood)
            assert await echo.closes.get() == 2  # though it never read a frame
            assert await good.recv() == "hello"
            await good.send("still here")
            assert await good.recv() == "still here"
            writer.transport.abort()

    run(work)


def test_a_crowd_is_turned_away_and_those_who_leave_make_room(serve):
    async def work():
        async with serve(peers=2) as (port, echo), to(port) as one:
            async with to(port) as other:
                await one.recv(), await other.recv()
                with pytest.raises(InvalidStatus):
                    async with to(port):
                        pass
            await echo.closes.get()
            async with to(port) as third:
                assert await third.recv() == "hello"

    run(work)


@pytest.mark.parametrize("options", [{"origin": "https://example.org"}, {"origin": "null"}, {"name": "example.org"}])
def test_pages_of_other_origins_are_not_connected(serve, options):
    async def work():
        async with serve() as (port, echo):
            with pytest.raises(InvalidStatus) as refused:
                async with to(port, **options):
                    pass
            assert refused.value.response.status_code == 403 and not echo.origins

    run(work)


def test_a_page_of_this_server_is_connected_by_its_origin(serve):
    async def work():
        async with serve() as (port, echo), to(port, origin=f"http://{HOST}:{port}") as page:
            assert await page.recv() == "hello" and echo.origins == {1: f"http://{HOST}:{port}"}

    run(work)


@pytest.mark.parametrize("sent", [b"bytes", "x" * (MOST_BYTES + 1)])
def test_what_is_no_frame_ends_the_connection(serve, sent):
    async def work():
        async with serve() as (port, echo), to(port) as one:
            assert await one.recv() == "hello"
            with suppress(ConnectionClosed):
                await one.send(sent)
            with pytest.raises(ConnectionClosed):
                await one.recv()
            assert await echo.closes.get() == 1

    run(work)


FLOOD = bytes([0x81, 0x82, 0, 0, 0, 0]) + b"{}"
"""A frame as a client sends it."""


def test_a_flood_of_small_frames_keeps_nobody_waiting(serve, monkeypatch):
    parsed = []
    monkeypatch.setattr(
        sockets.WebSocketsSansIOProtocol,
        "data_received",
        lambda self, data, take=sockets.WebSocketsSansIOProtocol.data_received: (
            parsed.append(len(data)),
            take(self, data),
        ),
    )

    async def work():
        async with serve(burst=10, pace=0.001) as (port, _), to(port) as good:
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(UPGRADE.format(f"{HOST}:{port}").encode())
            assert b"101" in await reader.readline()
            assert await good.recv() == "hello"
            writer.write(FLOOD * 10_000)
            await writer.drain()
            await good.send("still here")
            assert await good.recv() == "still here"
            assert sum(parsed) < 40_000  # of 80,000 bytes
            writer.transport.abort()

    run(work)


def test_who_sends_on_after_the_end_is_read_no_more(serve):
    async def work():
        async with serve() as (port, echo), to(port) as one:
            await one.send("end")
            with suppress(ConnectionClosed):
                while True:
                    await one.send("x" * 1_000)
            assert await echo.closes.get() == 1

    run(work)


def test_a_peer_is_read_at_its_pace():
    pace = Pace(Limits(pace=10, burst=3), 3, 0.0)
    assert [pace.wait(0.0) for _ in range(5)] == pytest.approx([0, 0, 0, 0.1, 0.2])
    assert pace.wait(0.2) == pytest.approx(0.1) and pace.wait(100.0) == 0 and pace.allowed == 2


def test_what_waits_is_taken_together(serve, monkeypatch):
    monkeypatch.setattr(driving, "MOST_TOGETHER", 2)

    async def work():
        async with serve() as (port, _), to(port) as one:
            for number in range(50):
                await one.send(f"{number}")
            assert [await one.recv() for _ in range(51)] == ["hello", *map(str, range(50))]

    run(work)
