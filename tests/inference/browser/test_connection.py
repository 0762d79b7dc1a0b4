"""Connections under limits: few of them, each with a deadline for its request and for the answer."""

import asyncio
import socket
from contextlib import ExitStack, suppress
from threading import Event

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from inference.browser.connection import QUEUE, Limits, served

HOST = "127.0.0.1"
SECONDS = 60  # a time-out, not a measure
HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n"


@pytest.fixture
def serve():
    """An endpoint under limits to the function that connects to it and sends something."""
    with ExitStack() as ends:

        async def good(request):
            await request.body()
            return PlainTextResponse("good")

        def serve(endpoint=good, **limits):
            app = Starlette(routes=[Route("/", endpoint, methods=["GET", "POST"])])
            listener = ends.enter_context(socket.create_server((HOST, 0), backlog=QUEUE))
            ends.enter_context(served(app, listener, Limits(**limits), b"HTTP/1.1 400 Bad Request\r\n\r\n"))

            def connect(sent):
                connection = ends.enter_context(socket.create_connection(listener.getsockname(), timeout=SECONDS))
                connection.sendall(sent)
                return connection

            return connect

        yield serve


def is_closed(connection):
    """Whether a server ends a connection, without a word."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def received(connection, end=b"good"):
    """What comes up to ``end``."""
    found = b""
    with suppress(ConnectionResetError):
        while not found.endswith(end) and (part := connection.recv(1)):
            found += part
    return found


def test_a_connection_more_replaces_the_oldest_that_waits(serve):
    connect = serve(connections=4, request=SECONDS)
    crowd = [connect(HEAD) for _ in range(20)]
    assert received(connect(HEAD + b"\r\n")).startswith(b"HTTP/1.1 200")
    assert all(is_closed(each) for each in crowd[:-3])
    for each in crowd[-3:]:
        each.sendall(b"\r\n")
        assert received(each).startswith(b"HTTP/1.1 200")


def test_a_connection_that_answers_is_not_replaced(serve):
    begun, end = Event(), Event()

    def answer(request):
        begun.set()
        assert end.wait(SECONDS)
        return PlainTextResponse("good")

    connect = serve(answer, connections=2)
    first = connect(HEAD + b"\r\n")
    assert begun.wait(SECONDS)
    begun.clear()
    second = connect(POST + b"body")
    assert begun.wait(SECONDS)
    assert is_closed(connect(HEAD + b"\r\n"))
    end.set()
    assert received(first).startswith(b"HTTP/1.1 200") and received(second).startswith(b"HTTP/1.1 200")


def test_a_client_that_does_not_read_is_replaced(serve):
    async def endless():
        while True:
            yield b"bad" * (1 << 16)
            await asyncio.sleep(0)

    def answer(request):
        return StreamingResponse(endless()) if request.method == "GET" else PlainTextResponse("good")

    connect = serve(answer, connections=2)
    idle = [connect(HEAD + b"\r\n") for _ in range(2)]
    assert all(received(each, b"bad").startswith(b"HTTP/1.1 200") for each in idle)
    # Until both wait to be read there is no place, and who comes is turned away.
    assert any(received(connect(POST + b"body")).startswith(b"HTTP/1.1 200") for _ in range(5000))


@pytest.mark.parametrize("sent", [b"", HEAD, POST, POST + b"b", HEAD + b"\r\n" + HEAD])
def test_a_request_has_a_deadline_however_it_trickles_in(serve, sent):
    connection = serve(request=0.2, head=1 << 30)(sent)
    connection.settimeout(0.01)
    for _ in range(100 * SECONDS):
        try:
            if not connection.recv(1 << 16):
                break
        except TimeoutError:
            connection.sendall(b"" if sent.startswith(b"POST") else b"a")
        except (ConnectionResetError, BrokenPipeError):
            break
    else:
        pytest.fail("the connection stays")


def test_an_answer_has_its_own_deadline(serve):
    begun, end = Event(), Event()

    def answer(request):
        begun.set()
        assert end.wait(SECONDS)
        return PlainTextResponse("good")

    connect = serve(answer, request=0.2)
    first = connect(POST + b"body")
    assert begun.wait(SECONDS)
    assert is_closed(connect(HEAD))  # so that the time of a request has passed
    assert not end.is_set()
    end.set()
    assert received(first).startswith(b"HTTP/1.1 200")

    end.clear()
    assert is_closed(serve(answer, answer=0.2)(HEAD + b"\r\n"))
    end.set()


def test_requests_sent_ahead_are_answered_in_turn(serve):
    connection = serve()(POST + b"body" + HEAD + b"\r\n" + POST + b"body")
    assert [received(connection).startswith(b"HTTP/1.1 200") for _ in range(3)] == [True] * 3


@pytest.mark.parametrize("sent", [b"\x16\x03\x01\r\n\r\n", HEAD + b"X: " + b"x" * 1000, HEAD + b"x" * 1000])
def test_what_is_not_http_or_too_long_is_answered_once(serve, sent):
    connection = serve(head=500)(sent)
    assert received(connection, b"\r\n\r\n") == b"HTTP/1.1 400 Bad Request\r\n\r\n"
    assert is_closed(connection)
