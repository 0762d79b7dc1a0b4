"""The application: POST /chat/completions and /completions, GET /models and /models/NAME, to be mounted at /v1.

A client of OpenAI's changes one line, its base URL. ``X-Bid`` says what a completion may cost where that is asked;
streams and answers bear, besides OpenAI's fields, ``mark``: what whoever completes says of the result.
"""

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from hmac import compare_digest
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from inference.completions.answers import Answer, Complete, Mark, Token, collected
from inference.completions.asked import Models, Refused, bad, read, unknown
from inference.errors import InputError
from inference.tokens.written import Written


def application(models: Models, complete: Complete, key: str | None = None) -> Starlette:
    """Completions by ``complete``.

    Args:
        key: that every request has to bear (Authorization: Bearer KEY); None: none has to.
    """
    started = int(time.time())

    def allow(request: Request) -> None:
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        given = given if kind.lower() == "bearer" else ""
        if key is not None and not compare_digest(given.encode(), key.encode()):
            raise Refused(HTTPStatus.UNAUTHORIZED, "the API key is not the one of this server", "invalid_api_key")

    def described(name: str) -> dict[str, Any]:
        return {"id": name, "object": "model", "created": started, "owned_by": "distribute-lab"}

    async def names(request: Request) -> Response:
        allow(request)
        return JSONResponse({"object": "list", "data": [described(name) for name in models.names()]})

    async def named(request: Request) -> Response:
        allow(request)
        name = request.path_params["name"]
        if name not in models.names():
            raise unknown(name, models)
        return JSONResponse(described(name))

    def completing(chat: bool) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            allow(request)
            try:
                content = json.loads(await request.body())
            except (ValueError, RecursionError):
                raise bad("a request is a JSON object", None, "invalid_json") from None
            asked, form = await run_in_threadpool(read, content, models, chat, request.headers.get("X-Bid"))
            name = f"{'chatcmpl' if chat else 'cmpl'}-{uuid4().hex}"
            answer = Answer(asked, form, name, int(time.time()))
            written = Written(models.text(asked.model), models.end(asked.model), asked.stops)
            pieces = complete(asked)
            if not form.stream:
                async with aclosing(pieces):  # type: ignore[type-var]
                    return JSONResponse(answer.whole(await collected(written, pieces)))
            first = await anext(pieces, None)  # what is refused at once has its status
            events = answer.streamed(written, _after(first, pieces))
            return StreamingResponse(events, media_type="text/event-stream")

        return endpoint

    app = Starlette(
        routes=[
            Route("/models", names),
            Route("/models/{name:path}", named),
            Route("/completions", completing(chat=False), methods=["POST"]),
            Route("/chat/completions", completing(chat=True), methods=["POST"]),
        ],
        exception_handlers={Refused: _refused, InputError: _bad_input, HTTPException: _no_route, Exception: _failed},
    )
    app.router.redirect_slashes = False
    return app


async def _after(first: Token | Mark | None, pieces: AsyncIterator[Token | Mark]) -> AsyncIterator[Token | Mark]:
    async with aclosing(pieces):  # type: ignore[type-var]
        if first is not None:
            yield first
        async for piece in pieces:
            yield piece


def _told(refused: Refused) -> Response:
    return JSONResponse(refused.plain(), refused.status)


def _refused(request: Request, refused: Exception) -> Response:
    assert isinstance(refused, Refused)
    return _told(refused)


def _bad_input(request: Request, refused: Exception) -> Response:
    return _told(bad(str(refused), None))


def _no_route(request: Request, refused: Exception) -> Response:
    assert isinstance(refused, HTTPException)
    return _told(Refused(refused.status_code, f"there is no {request.method} {request.url.path}", "unknown_url"))


def _failed(request: Request, failure: Exception) -> Response:
    """What the server then prints is a defect here."""
    what = f"the server failed: {type(failure).__name__}"
    return _told(Refused(HTTPStatus.INTERNAL_SERVER_ERROR, what, "server_error"))
