"""A market that follows a script: the pages as they are served, and a connection that tells what a test has it tell."""

import asyncio
import json
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from experiments.marketplace.pages import files, html

MARKET, NONCE = "ab" * 32, "cd" * 32
Tell = Callable[[dict[str, Any]], None]
Script = Callable[[dict[str, Any], Tell], None]
"""Gets each message of a page, ``hello`` first, and tells it others."""


@contextmanager
def scripted(script: Script, instead: Sequence[BaseRoute] = ()) -> Iterator[str]:
    """The address of a market that follows a script, to the end of the block; ``instead``: routes that go first."""

    async def market(connection: WebSocket) -> None:
        await connection.accept()
        waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        waiting.put_nowait({"type": "challenge", "version": 1, "market": MARKET, "nonce": NONCE, "genesis": {}})
        loop = asyncio.get_running_loop()

        def tell(message: dict[str, Any]) -> None:
            loop.call_soon_threadsafe(waiting.put_nowait, message)

        async def write() -> None:
            while True:
                await connection.send_text(json.dumps(await waiting.get()))

        writer = asyncio.create_task(write())
        try:
            while True:
                script(json.loads(await connection.receive_text()), tell)
        except WebSocketDisconnect:
            writer.cancel()

    app = Starlette(routes=[*instead, WebSocketRoute("/market", market), *html.routes(), *files.routes(("tiny",))])
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, ws="websockets-sansio", lifespan="off", log_level="error"))
    thread = Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(timeout=5)


def module(path: str, text: str) -> Route:
    """A module in place of the one that is served at a path."""

    async def answer(request: Any) -> Response:
        return Response(text, media_type="text/javascript")

    return Route(path, answer)


def answering(path: str, content: Any) -> Route:
    """What is answered to all that is posted to a path."""

    async def answer(request: Any) -> Response:
        return JSONResponse(content)

    return Route(path, answer, methods=["POST"])
