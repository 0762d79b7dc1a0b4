"""The pages themselves.

GET  /, /watch, /ask, /give, /style.css
"""

from functools import partial
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PAGES = {
    "/": "watch.html",
    "/watch": "watch.html",
    "/ask": "ask.html",
    "/give": "give.html",
    "/style.css": "style.css",
}
TYPES = {"html": "text/html", "css": "text/css"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; worker-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy of the pages: nothing but files of their own server, and no script within a page."""


def routes() -> list[Route]:
    """The routes of the pages."""
    return [Route(path, partial(_page, name)) for path, name in PAGES.items()]


def _page(name: str, request: Request) -> Response:
    content = (files("experiments.marketplace.pages") / name).read_text()
    return Response(content, media_type=TYPES[name.rpartition(".")[2]], headers={"Content-Security-Policy": POLICY})
