"""The server of the browser pages, on this machine alone.

    GET  /, /conformance, /run.js, ...             the pages
    GET  /kernels/PATH                             a .wgsl file, unchanged
    GET  /models                                   names of the models
    GET  /weights/MODEL/ARITHMETIC/NAME            the words of one weight, as its kernel reads them
    POST /run {model, arithmetic, prompt, limit, lanes, subgroups}     ``export.run``
    POST /text {model, tokens}                     {text, last}, of all tokens and of the last alone
    POST /results                                  what a page found

What is refused gets {error: one line}.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import unquote, urlsplit

from inference import models
from inference.browser.page import conformance_page, file
from inference.device import export
from inference.errors import InputError
from inference.files.tokenizer import Text
from inference.kernels import alone
from inference.model import Llama, Model
from inference.models.llama import model

HOST = "127.0.0.1"
MODELS = ("tiny", "smollm2")
ARITHMETICS = ("exact", "float32")
PAGES = {"/": "index.html", "/engine.js": "engine.js", "/run.js": "run.js", "/style.css": "style.css"}
TYPES = {"html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8"}
JSON, BYTES, PLAIN = "application/json", "application/octet-stream", "text/plain; charset=utf-8"
LARGEST_REQUEST = 1 << 20  # bytes
LANES = 256  # invocations a workgroup that every adapter allows

Answer = tuple[str, bytes]


def _text(llama: Llama) -> Text:
    return Text(llama.tokenizer, llama.vocabulary)


class Models:
    """Models by name and arithmetic, read when first asked for: those with a name, and the file at ``path``."""

    def __init__(self, path: str | None) -> None:
        self.lock = Lock()
        self.sources = {name: name for name in MODELS} | ({Path(path).name: path} if path else {})
        self.llama: Callable[[str], Llama] = cache(lambda name: models.find(self.sources[name]))
        self.text: Callable[[str], Text] = cache(lambda name: _text(self.llama(name)))
        self.model: Callable[[str, str], Model] = cache(
            lambda name, arithmetic: model(name, self.llama(name), arithmetic)
        )
        self.weights = cache(lambda name, arithmetic: export.weights(self.model(name, arithmetic)))
        self.conformance = cache(lambda: conformance_page(self.model("tiny", "exact")))


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: "Server"
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def log_message(self, format: str, *values: object) -> None:  # noqa: A002 the base class's name
        """Nothing: results are printed, requests are not."""

    def _answer(self, find: Callable[[str], Answer]) -> None:
        # A page elsewhere whose name was made to point here must get nothing.
        allowed = {f"{name}:{self.server.server_port}" for name in (HOST, "localhost")}
        origin = self.headers.get("Origin")
        if self.headers.get("Host") not in allowed or (origin and urlsplit(origin).netloc not in allowed):
            self._send(HTTPStatus.FORBIDDEN, *_error(f"only pages of {HOST} are served"))
            return
        try:
            kind, content = find(unquote(urlsplit(self.path).path))
        except InputError as error:
            self._send(HTTPStatus.BAD_REQUEST, *_error(str(error)))
        except KeyError:
            self._send(HTTPStatus.NOT_FOUND, *_error(f"there is no {self.path}"))
        else:
            self._send(HTTPStatus.OK, kind, content)

    def _get(self, path: str) -> Answer:
        if path in PAGES:
            return TYPES[PAGES[path].rpartition(".")[2]], file(PAGES[path]).encode()
        first, _, rest = path.removeprefix("/").partition("/")
        if path == "/models":
            return _json(list(self.server.models.sources))
        if path == "/conformance":
            with self.server.models.lock:
                return TYPES["html"], self.server.models.conformance().encode()
        if first == "kernels" and rest in kernel_paths():
            return PLAIN, alone(rest.removesuffix(".wgsl")).encode()
        if first == "weights":
            name, arithmetic, key = (*rest.split("/"), "", "")[:3]
            with self.server.models.lock:
                constant, pack = self.server.models.weights(*self._known(name, arithmetic))[key]
                return BYTES, pack(self.server.models.model(name, arithmetic).constants[constant]).tobytes()
        raise KeyError(path)

    def _post(self, path: str) -> Answer:
        asked = self._request()
        if path == "/results":
            self.server.on_result(asked)
            return _json({})
        if path == "/run":
            name, arithmetic = self._known(asked.get("model"), asked.get("arithmetic"))
            limit, lanes = _whole(asked, "limit"), _whole(asked, "lanes")
            if not 1 <= lanes <= LANES:
                raise InputError(f"{lanes} lanes are not allowed; 1 to {LANES}")
            with self.server.models.lock:
                ids = self.server.models.text(name).encode(str(asked.get("prompt", "")))
                built = self.server.models.model(name, arithmetic)
                return _json(export.run(built, ids, limit, lanes=lanes, subgroups=asked.get("subgroups") is True))
        if path == "/text":
            name, tokens = self._known(asked.get("model"), "exact")[0], asked.get("tokens")
            with self.server.models.lock:
                text = self.server.models.text(name)
                if not isinstance(tokens, list) or not all(
                    type(token) is int and 0 <= token < text.vocabulary for token in tokens
                ):
                    raise InputError(f"tokens are a list of ids below {text.vocabulary}")
                return _json({"text": text.decode(tokens), "last": text.decode(tokens[-1:])})
        raise KeyError(path)

    def _known(self, name: object, arithmetic: object) -> tuple[str, str]:
        """A model and an arithmetic that are served."""
        served = self.server.models.sources
        if not isinstance(name, str) or name not in served or arithmetic not in ARITHMETICS:
            raise InputError(f"there is no model {name!r} in {arithmetic!r}; {', '.join(served)} in exact and float32")
        return name, str(arithmetic)

    def _request(self) -> dict[str, Any]:
        """The JSON object that was sent."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST_REQUEST:
            self.close_connection = True  # what follows is not read
            raise InputError(f"a request has up to {LARGEST_REQUEST} bytes, and says how many")
        try:
            asked = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            asked = None
        if not isinstance(asked, dict):
            raise InputError("a request is a JSON object")
        return asked

    def _send(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(content)


def _json(content: object) -> Answer:
    return JSON, json.dumps(content).encode()


def _error(line: str) -> Answer:
    return _json({"error": line})


def _whole(asked: dict[str, Any], name: str) -> int:
    if type(asked.get(name)) is not int:
        raise InputError(f"{name} is a whole number, not {asked.get(name)!r}")
    return int(asked[name])


@cache
def kernel_paths() -> frozenset[str]:
    """Every kernel file, by its path below ``kernels/``."""
    root = files("inference.kernels")
    folders = ("", *(f"{name}/" for name in ARITHMETICS))
    names = (f"{folder}{each.name}" for folder in folders for each in (root / folder).iterdir())
    return frozenset(name for name in names if name.endswith(".wgsl"))


class Server(ThreadingHTTPServer):
    """The pages on a port of this machine; ``on_result`` is told what they find."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, on_result: Callable[[dict[str, Any]], None], path: str | None) -> None:
        self.models, self.on_result = Models(path), on_result
        super().__init__((HOST, port), Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle is no news."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


@contextmanager
def serving(port: int, on_result: Callable[[dict[str, Any]], None], path: str | None = None) -> Iterator[Server]:
    """A server, closed at the end; port 0 takes a free one, ``path`` adds a model's file to those it has.

    Raises:
        InputError: the port is taken, or not allowed.
    """
    if not 0 <= port < 2**16:
        raise InputError(f"port {port} is not allowed; 0 (a free one) to 65535")
    try:
        server = Server(port, on_result, path)
    except OSError as error:
        raise InputError(f"port {port} of {HOST} cannot be used ({error.strerror}); --port takes another") from None
    with server:
        yield server
