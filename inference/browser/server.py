"""The server of the browser pages, on this machine alone.

    GET  /, /conformance, /picture, /run.js, ...   the pages
    GET  /kernels/PATH                             a .wgsl file, unchanged
    GET  /models                                   names of the models
    GET  /weights/MODEL/ARITHMETIC/NAME            the words of one weight, as its kernel reads them
    POST /run {model, arithmetic, prompt, limit, lanes, subgroups, features, choices, ..}    ``export.run``
    POST /tune {lanes, subgroups, features, index}    a case to measure (``tuned``); without an index the list
    POST /draw {class, seed, lanes, subgroups, features}    ``pictures.Pictures.plan``
    GET  /pictures/NAME                            the words of one of a picture's weights
    POST /text {model, tokens}                     {text, last}, of all tokens and of the last alone
    POST /results                                  what a page found
    /v1                                            completions, as OpenAI's clients ask for them

What is refused gets {error: one line} and is disconnected.
"""

import json
import socket
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import State
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from inference.browser import tuned
from inference.browser.connection import QUEUE, Limits, served
from inference.browser.guard import error, guarded, not_http
from inference.browser.page import conformance_page, file, policy
from inference.browser.pictures import Pictures
from inference.completions.application import application as completions
from inference.completions.local import local
from inference.device import export, tuning
from inference.device.target import Target
from inference.errors import InputError
from inference.generate import Backend
from inference.kernels import alone
from inference.likeliest import Likeliest, among
from inference.model import Checkpoint, Model
from inference.models import find
from inference.models.llama import model
from inference.reference import Reference
from inference.tokens.text import Text

HOST = "127.0.0.1"
MODELS = ("tiny", "smollm2")
ARITHMETICS = ("exact", "float32")
PAGES = {
    "/": "index.html",
    "/engine.js": "engine.js",
    "/picture": "picture.html",
    "/picture.js": "picture.js",
    "/png.js": "png.js",
    "/run.js": "run.js",
    "/style.css": "style.css",
    "/tune.js": "tune.js",
}
TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css"}
LANES = 256  # invocations a workgroup that every adapter allows
CHUNK = 1 << 18  # bytes of a weight between two looks at whether they are read


def _text(llama: Checkpoint) -> Text:
    return Text(llama.tokenizer, llama.vocabulary)


class Models:
    """Models by name and arithmetic, read when first asked for: those with a name, and the file at ``path``."""

    def __init__(self, path: str | None, on: Callable[[Model], Backend] = Reference) -> None:
        self.lock = Lock()
        self.sources = {name: name for name in MODELS} | ({Path(path).name: path} if path else {})
        self.llama: Callable[[str], Checkpoint] = cache(lambda name: find(self.sources[name]))
        self.text: Callable[[str], Text] = cache(lambda name: _text(self.llama(name)))
        self.model: Callable[[str, str], Model] = cache(
            lambda name, arithmetic: model(name, self.llama(name), arithmetic)
        )
        self.weights = cache(lambda name, arithmetic: export.weights(self.model(name, arithmetic)))
        self.on: Callable[[str], Backend] = cache(lambda name: on(self.model(name, "exact")))
        self.packed: WeakValueDictionary[tuple[str, str, str], Any] = WeakValueDictionary()
        self.conformance = cache(lambda: conformance_page(self.model("tiny", "exact")))

    def known(self, name: object, arithmetic: object) -> tuple[str, str]:
        """A model and an arithmetic that are served."""
        if not isinstance(name, str) or name not in self.sources or arithmetic not in ARITHMETICS:
            raise InputError(
                f"there is no model {name!r} in {arithmetic!r}; {', '.join(self.sources)} in exact and float32"
            )
        return name, str(arithmetic)

    def names(self) -> Sequence[str]:
        """Of those there are."""
        return list(self.sources)

    def context(self, name: str) -> int:
        """Positions of a prompt and what comes after it, in integers."""
        with self.lock:
            return self.model(name, "exact").measures["context"]

    def end(self, name: str) -> Collection[int]:
        """The tokens after which nothing comes."""
        with self.lock:
            return self.model(name, "exact").end

    def backend(self, name: str) -> Backend:
        """A model in integers on what completes prompts."""
        with self.lock:
            return self.on(name)

    def words(self, name: str, arithmetic: str, key: str) -> memoryview | None:
        """The bytes of a weight, where there is one: packed once for all that read it at the same time."""
        words = self.packed.get((name, arithmetic, key))
        if words is None and key in self.weights(name, arithmetic):
            constant, pack = self.weights(name, arithmetic)[key]
            packed = pack(self.model(name, arithmetic).constants[constant])
            words = self.packed[name, arithmetic, key] = np.ascontiguousarray(packed).reshape(-1).view(np.uint8)
        return None if words is None else words.data


def page(request: Request) -> Response:
    return _page(PAGES[request.scope["path"]])


def conformance(request: Request) -> Response:
    models: Models = request.app.state.models
    with models.lock:
        return _html(models.conformance())


def _page(name: str) -> Response:
    content, kind = file(name), name.rpartition(".")[2]
    return _html(content) if kind == "html" else Response(content, media_type=TYPES[kind])


def _html(content: str) -> Response:
    return Response(content, media_type=TYPES["html"], headers={"Content-Security-Policy": policy(content)})


def kernel(request: Request) -> Response:
    path = request.path_params["path"]
    if path not in kernel_paths():
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return PlainTextResponse(alone(path.removesuffix(".wgsl")))


def names(request: Request) -> Response:
    return JSONResponse(list(request.app.state.models.sources))


def weight(request: Request) -> Response:
    models: Models = request.app.state.models
    name, arithmetic = models.known(request.path_params["model"], request.path_params["arithmetic"])
    with models.lock:
        words = models.words(name, arithmetic, request.path_params["key"])
    if words is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)

    async def chunks() -> AsyncIterator[memoryview]:
        for start in range(0, len(words), CHUNK):
            yield words[start : start + CHUNK]

    return StreamingResponse(
        chunks(), media_type="application/octet-stream", headers={"Content-Length": str(len(words))}
    )


Answer = Callable[[State, dict[str, Any]], Any]


def posted(answer: Answer) -> Callable[[Request], Any]:
    """The endpoint that answers a JSON object with JSON."""

    async def endpoint(request: Request) -> Response:
        try:
            asked = json.loads(await request.body())
        except (ValueError, RecursionError):
            asked = None
        if not isinstance(asked, dict):
            raise InputError("a request is a JSON object")
        return JSONResponse(await run_in_threadpool(answer, request.app.state, asked))

    return endpoint


def run(state: State, asked: dict[str, Any]) -> dict[str, Any]:
    name, arithmetic = state.models.known(asked.get("model"), asked.get("arithmetic"))
    limit, target = _whole(asked, "limit"), _target(asked)
    temperature, seed = asked.get("temperature", 0), asked.get("seed", 0)
    if type(temperature) not in (int, float) or type(seed) is not int or not 0 <= seed < 2**64:
        raise InputError(f"temperature {temperature!r} or seed {seed!r} is not allowed; a number, and 0 to 2^64 - 1")
    with state.models.lock:
        text = state.models.text(name)
        ids = text.encode(text.conversation(_messages(asked)) if "messages" in asked else _prompt(asked))
        built = state.models.model(name, arithmetic)
        drawn: dict[str, Any] = {"temperature": float(temperature), "seed": seed, "among": _among(asked, arithmetic)}
        return export.run(built, ids, limit, target, choose=tuning.choose(_choices(asked)), **drawn)


def tune(state: State, asked: dict[str, Any]) -> dict[str, Any]:
    if "index" not in asked:
        return tuned.listed()
    target, index, count = _target(asked), _whole(asked, "index"), len(tuned.listed()["cases"])
    if not 0 <= index < count:
        raise InputError(f"there is no case {index}; 0 to {count - 1}")
    return tuned.measured(index, target)


def _among(asked: dict[str, Any], arithmetic: str) -> Likeliest | None:
    """Among which tokens is drawn; by the graph, which float32 has no nodes for."""
    top_k, top_p = asked.get("top_k"), asked.get("top_p", 1)
    if (top_k is not None and type(top_k) is not int) or type(top_p) not in (int, float):
        raise InputError(f"top_k {top_k!r} or top_p {top_p!r} is not allowed; numbers")
    found = among(top_k, float(top_p))
    if found is not None and arithmetic == "float32":
        raise InputError("a page draws among the likeliest in exact arithmetic alone")
    return found


def _choices(asked: dict[str, Any]) -> dict[str, str]:
    """By case, the variant that a page found fastest; what its device does not admit is not taken."""
    choices = asked.get("choices", {})
    if not isinstance(choices, dict) or not all(isinstance(each, str) for each in choices.values()):
        raise InputError("choices are variants by case, as /tune names them")
    return choices


def _prompt(asked: dict[str, Any]) -> str:
    if not isinstance(prompt := asked.get("prompt"), str):
        raise InputError(f"the prompt is a text, not {prompt!r}")
    return prompt


def _messages(asked: dict[str, Any]) -> list[dict[str, str]]:
    messages = asked["messages"]
    if not isinstance(messages, list) or not messages:
        raise InputError("messages are a list of {role, content}")
    for each in messages:
        if not isinstance(each, dict) or each.keys() != {"role", "content"}:
            raise InputError("a message is {role, content}")
        if each["role"] not in ("system", "user", "assistant") or not isinstance(each["content"], str):
            raise InputError("a message's role is system, user or assistant, its content a text")
    return messages


def draw(state: State, asked: dict[str, Any]) -> dict[str, Any]:
    difficulty, seed, target = _whole(asked, "class"), _whole(asked, "seed"), _target(asked)
    return state.pictures.plan(difficulty, seed, target)


def _target(asked: dict[str, Any]) -> Target:
    """What a page's device is."""
    if not 1 <= (lanes := _whole(asked, "lanes")) <= LANES:
        raise InputError(f"{lanes} lanes are not allowed; 1 to {LANES}")
    features = frozenset(each for each in asked.get("features") or () if isinstance(each, str))
    return Target(lanes, asked.get("subgroups") is True, features)


def picture_weight(request: Request) -> Response:
    words = request.app.state.pictures.words(request.path_params["key"])
    if words is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return Response(words, media_type="application/octet-stream")


def text(state: State, asked: dict[str, Any]) -> dict[str, str]:
    name, tokens = state.models.known(asked.get("model"), "exact")[0], asked.get("tokens")
    with state.models.lock:
        text = state.models.text(name)
        if not isinstance(tokens, list) or not all(
            type(token) is int and 0 <= token < text.vocabulary for token in tokens
        ):
            raise InputError(f"tokens are a list of ids below {text.vocabulary}")
        end = state.models.model(name, "exact").end
        said = text.decode([token for token in tokens if token not in end])
        return {"text": said, "last": text.decode(tokens[-1:])}


def results(state: State, asked: dict[str, Any]) -> dict[str, Any]:
    state.on_result(asked)
    return {}


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


def _bad_input(request: Request, refused: Exception) -> Response:
    return error(HTTPStatus.BAD_REQUEST, str(refused))


def _no_route(request: Request, refused: Exception) -> Response:
    assert isinstance(refused, HTTPException)
    path, found = request.scope["path"], refused.status_code != HTTPStatus.NOT_FOUND
    return error(refused.status_code, f"{request.method} {path} is not allowed" if found else f"there is no {path}")


def _failed(request: Request, failure: Exception) -> Response:
    """What uvicorn then prints is a defect here."""
    return error(HTTPStatus.INTERNAL_SERVER_ERROR, f"the server failed: {type(failure).__name__}")


def _gone(request: Request, refused: Exception) -> Response:
    """To a browser that went away in the middle."""
    return Response()


def application(models: Models, on_result: Callable[[dict[str, Any]], None], key: str | None = None) -> Starlette:
    """Every route, and the one line of what is refused; completions ask for the key, where there is one."""
    app = Starlette(
        routes=[
            *(Route(path, page) for path in PAGES),
            Route("/conformance", conformance),
            Route("/kernels/{path:path}", kernel),
            Route("/models", names),
            Route("/weights/{model}/{arithmetic}/{key}", weight),
            Route("/pictures/{key}", picture_weight),
            *(Route(f"/{each.__name__}", posted(each), methods=["POST"]) for each in (run, draw, tune, text, results)),
            Mount("/v1", completions(models, local(models.backend), key)),
        ],
        exception_handlers={
            InputError: _bad_input,
            HTTPException: _no_route,
            ClientDisconnect: _gone,
            Exception: _failed,
        },
    )
    app.router.redirect_slashes = False
    app.state.models, app.state.pictures, app.state.on_result = models, Pictures(), on_result
    return app


def hosts(port: int) -> frozenset[str]:
    """What browsers call this machine; they leave the port of HTTP out."""
    return frozenset(name + ("" if port == 80 else f":{port}") for name in (HOST, "localhost"))


@dataclass(frozen=True)
class Serving:
    """A server that runs."""

    port: int
    models: Models
    thread: Thread
    """ends with the server"""


@contextmanager
def serving(
    port: int,
    on_result: Callable[[dict[str, Any]], None],
    path: str | None = None,
    on: Callable[[Model], Backend] = Reference,
    key: str | None = None,
    limits: Limits = Limits(),  # noqa: B008 it is frozen
) -> Iterator[Serving]:
    """The pages on a port of this machine, to the end of the block; ``on_result`` is told what they find.

    Port 0 takes a free one, ``path`` adds a model's file to those it has. Prompts are completed ``on`` a backend, for
    whoever has the ``key``.

    Raises:
        InputError: the port is taken, or not allowed.
    """
    if not 0 <= port < 2**16:
        raise InputError(f"port {port} is not allowed; 0 (a free one) to 65535")
    try:
        listener = socket.create_server((HOST, port), backlog=QUEUE)
    except OSError as error:
        raise InputError(f"port {port} of {HOST} cannot be used ({error.strerror}); --port takes another") from None
    port, models = listener.getsockname()[1], Models(path, on)
    app = guarded(application(models, on_result, key), hosts(port), limits)
    with served(app, listener, limits, not_http()) as thread:
        yield Serving(port, models, thread)
