"""The same graph and the same WGSL in a browser: a page on localhost, and what it fetches.

The page takes a prompt token by token with the program of one token, which gives the same bits as one pass over it.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs, urlsplit

from inference import kernels
from inference.errors import InputError
from inference.generate import check_prompt
from inference.graph import digest
from inference.models.llama import Model, graph
from inference.program import Program, program
from inference.tokenizer import Text

LANES = 64
HOST = "127.0.0.1"
CAPACITY = 512
TYPES = {"html": "text/html; charset=utf-8", "js": "text/javascript", "json": "application/json", "wgsl": "text/plain"}


def exported(made: Program) -> dict[str, Any]:
    """A program as JSON."""
    return {
        "arithmetic": made.arithmetic,
        "lanes": LANES,
        "sizes": made.sizes,
        "weights": list(made.weights),
        "outputs": made.outputs,
        "steps": [
            {
                "node": step.node,
                "kernel": f"{step.op}{'__' if step.variant else ''}{step.variant}.wgsl",
                "entry": step.entry,
                "parameters": list(step.parameters),
                "bindings": {str(binding): name for binding, name in step.bindings.items()},
                "workgroups": list(step.workgroups),
            }
            for step in made.steps
        ],
    }


@dataclass(frozen=True, slots=True)
class Site:
    """What the page may fetch."""

    model: Model
    text: Text
    made: Program
    about: bytes

    def answer(self, path: str, query: dict[str, list[str]]) -> tuple[str, bytes] | None:
        """Type and content of a path, None where there is nothing.

        Raises:
            InputError: a prompt that the model cannot take.
        """
        if path in ("/", "/runner.js"):
            name = path[1:] or "index.html"
            return name.rpartition(".")[2], (files(__name__) / name).read_bytes()
        if path == "/model.json":
            return "json", self.about
        if path == "/encode":
            ids = self.text.encode(query.get("text", [""])[0])
            limit = min(CAPACITY, self.model.measures["context"]) - 1
            check_prompt(self.model, ids, 1)
            if len(ids) > limit:
                raise InputError(f"a prompt of {len(ids)} tokens; the page takes {limit}")
            return "json", json.dumps(ids).encode()
        if path == "/decode":
            ids = [int(token) for token in query.get("ids", [""])[0].split(",") if token.isdecimal()]
            return "json", json.dumps(self.text.decode(ids)).encode()
        folder, _, name = path[1:].partition("/")
        if folder == "kernels":
            return _kernel(name)
        if folder == "weights" and name.isdecimal() and int(name) < len(self.made.weights):
            constant, pack = list(self.made.weights.values())[int(name)]
            return "bin", pack(self.model.constants[constant]).tobytes()
        return None


def _kernel(name: str) -> tuple[str, bytes] | None:
    arithmetic, _, file = name.partition("/")
    stem = file.removesuffix(".wgsl")
    if arithmetic not in ("exact", "float32") or not stem.replace("_", "").isalnum():
        return None
    found = files(kernels) / arithmetic / f"{stem}.wgsl"
    return ("wgsl", found.read_bytes()) if found.is_file() else None


def site(model: Model, text: Text) -> Site:
    """The page of a model."""
    capacity = min(CAPACITY, model.measures["context"])
    built = graph(model, 1, capacity=capacity)
    made = program(built, lanes=LANES, subgroups=False, keep=frozenset({"logits", "choice"}))
    about = {
        "name": model.name,
        "digest": model.digest,
        "graph": digest(built),
        "capacity": capacity,
        "vocabulary": model.measures["vocabulary"],
        "end": list(model.end),
        "program": exported(made),
    }
    return Site(model, text, made, json.dumps(about).encode())


def server(page: Site, port: int, report: Callable[[dict[str, Any]], None]) -> ThreadingHTTPServer:
    """A server on localhost; ``report`` gets what a page posts after a run.

    Raises:
        InputError: the port cannot be had.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            try:
                found = page.answer(address.path, parse_qs(address.query))
            except InputError as error:
                self._send(400, "json", json.dumps({"error": str(error)}).encode())
                return
            if found is None:
                self._send(404, "json", b'{"error": "there is nothing here"}')
            else:
                self._send(200, *found)

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            if self.path != "/result" or not 0 < length < 2**20:
                self._send(404, "json", b'{"error": "there is nothing here"}')
                return
            try:
                result = json.loads(self.rfile.read(length))
            except ValueError:
                self._send(400, "json", b'{"error": "not JSON"}')
                return
            self._send(200, "json", b"{}")
            report(result)

        def _send(self, status: int, kind: str, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", TYPES.get(kind, "application/octet-stream"))
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's name
            pass

    try:
        return ThreadingHTTPServer((HOST, port), Handler)
    except (OSError, OverflowError) as error:
        raise InputError(f"port {port} of {HOST} cannot be had: {error}") from None


def background(served: ThreadingHTTPServer) -> threading.Thread:
    """Serve in a thread that ends with ``served.shutdown()``."""
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    return thread
