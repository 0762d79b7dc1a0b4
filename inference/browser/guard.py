"""What a request must be to reach the pages, and what every answer carries."""

import json
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inference.browser.connection import Limits

POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def guarded(app: ASGIApp, hosts: frozenset[str], limits: Limits, scheme: str = "http") -> ASGIApp:
    """The application, reached by requests and sockets that ``refusal`` lets pass; each answer has the headers above.

    Whoever is refused, here or there, is disconnected: what else was sent is never read as a request.
    """

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if message["status"] >= HTTPStatus.BAD_REQUEST:
                    headers["Connection"] = "close"
            await send(message)

        refused = refusal(scope.get("method", "GET"), Headers(scope=scope), hosts, limits, scheme)
        if scope["type"] == "http":
            await (refused or app)(scope, receive, answer)
        elif refused:
            await send({"type": "websocket.close"})
        else:
            await app(scope, receive, send)

    return guard


def refusal(
    method: str, headers: Headers, hosts: frozenset[str], limits: Limits, scheme: str = "http"
) -> Response | None:
    """The answer to a request that other sites may have caused, or that is too long."""
    # A page elsewhere whose name was made to point here must get nothing.
    origin = headers.get("Origin")
    if headers.get("Host") not in hosts or (origin is not None and origin.removeprefix(f"{scheme}://") not in hosts):
        return error(HTTPStatus.FORBIDDEN, "only pages of this machine are served")
    if sum(len(name) + len(value) for name, value in headers.raw) > limits.head:
        return error(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"the headers have up to {limits.head} bytes")
    length = int(headers.get("Content-Length", "0"))
    if "Transfer-Encoding" in headers or length > limits.body:
        return error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a request has up to {limits.body} bytes, and says how many")
    if length and method != "POST":
        return error(HTTPStatus.BAD_REQUEST, f"{method} has no body")
    return None


def error(status: int, line: str) -> Response:
    """One line that says what is wrong."""
    return JSONResponse({"error": line}, status)


def not_http() -> bytes:
    """The whole answer to what is no request, as the bytes of it."""
    content = json.dumps({"error": "this is no request of HTTP within its limits"}).encode()
    headers = HEADERS | {
        "Content-Type": "application/json",
        "Content-Length": str(len(content)),
        "Connection": "close",
    }
    lines = ["HTTP/1.1 400 Bad Request", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + content
