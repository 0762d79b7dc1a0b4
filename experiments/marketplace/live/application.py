"""The market's application: its pages and what they load, the socket of its peers at /market, completions at /v1."""

import asyncio
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from experiments.marketplace.live.driver import Driver
from experiments.marketplace.live.sockets import ABORT, BUSY, Limits, Outgoing, exchange
from experiments.marketplace.pages import files, html
from inference.browser.guard import error

SOCKET = "/market"


def application(
    driver: Driver, models: tuple[str, ...], limits: Limits, completions: ASGIApp | None = None
) -> Starlette:
    """Every route.

    Args:
        models: names of those that pages may load.
        completions: to be mounted at /v1.
    """

    async def market(websocket: WebSocket) -> None:
        if driver.connections >= limits.peers:
            await websocket.close(BUSY)
            return
        await websocket.accept()
        outgoing = Outgoing(limits, websocket.scope[ABORT])
        number = await driver.connect(outgoing, websocket.headers.get("Origin", ""))
        try:
            await exchange(websocket, outgoing, limits, lambda raw: driver.receive(number, raw))
        finally:
            await asyncio.shield(driver.disconnect(number))

    routes: list[BaseRoute] = [*html.routes(), *files.routes(models), WebSocketRoute(SOCKET, market)]
    if completions is not None:
        routes.append(Mount("/v1", completions))
    app = Starlette(routes=routes, exception_handlers={HTTPException: _no_route, Exception: _failed})
    app.router.redirect_slashes = False
    return app


def _no_route(request: Request, refused: Exception) -> Response:
    assert isinstance(refused, HTTPException)
    return error(refused.status_code, f"there is no {request.method} {request.url.path}")


def _failed(request: Request, failure: Exception) -> Response:
    return error(HTTPStatus.INTERNAL_SERVER_ERROR, f"the server failed: {type(failure).__name__}")
