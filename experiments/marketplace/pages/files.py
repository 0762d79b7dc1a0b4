"""What a page that gives compute loads: scripts, kernels, weights, and of a task its schedule and the steps of a leaf.

    GET  /js/PACKAGE/PATH.js                            a script
    GET  /kernels/PATH                                  a .wgsl file, unchanged
    GET  /models/NAME/manifest, /models/NAME/layouts    canonical JSON
    GET  /models/NAME/weights/KEY                       the words of a weight, as its kernel reads them
    GET  /models/NAME/tiles/CONSTANT/INDEX              {numbers, path}: a tile and its proof, in base64
    POST /models/NAME/schedule {prompt, limit, millionths, seed, lanes, subgroups, features, largest}
    gives what ``export.schedule`` does
    POST /models/NAME/steps {prompt, limit, millionths, seed, node, leaf}    [{kind, sources, numbers, words}]
    POST /models/NAME/text {tokens}                     {text}
    POST /models/NAME/tokens {utf8}                     {tokens}: of a text, whose bytes are given in base64

A page checks kernels and weights against the layouts, whose digest is in its lease's terms, and tiles against the
manifest, whose digest is the model's.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from http import HTTPStatus
from importlib.resources import files
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from experiments.marketplace.layouts import layouts_of, packed
from inference.browser.server import kernel_paths
from inference.device import export
from inference.device.target import Target
from inference.errors import InputError as InferenceError
from inference.kernels import alone
from inference.scheduled import Scheduled
from inference.steps import Step
from inference.tokens.text import Text
from verification.encoding.canonical import canonical, parsed
from verification.encoding.schema import binary, each, flag, name_text, number, proof_text, read
from verification.errors import InputError, Refusal
from verification.inference_models import Models, exact, found
from verification.manifest import manifest, tile_count, tile_place, tiles, type_of
from verification.merkle import TYPES, Tree, tile_digest
from verification.task import MOST_TOKENS, TASK, Task, task_from
from verification.trace import leaves

PACKAGES = ("inference", "verification", "experiments")
CHUNK = 1 << 18  # bytes of a weight between two looks at whether they are read
LARGEST = 1 << 31  # bytes of a body, or of a buffer, at most
LANES = 256  # invocations a workgroup that every adapter allows
POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'"
"""Of a worker that begins with a script: nothing but its own server's files and socket."""
SCHEDULE = {
    "lanes": number(1, LANES),
    "subgroups": flag,
    "features": each(name_text, 64),  # of WGSL, as the browser names them
    "largest": number(1, 2**53 - 1),
}
STEPS = {"node": number(0, 2**53 - 1), "leaf": number(0, 2**53 - 1)}
UTF8 = {"utf8": binary}
TEXT = {"tokens": each(number(0, 2**31 - 1), MOST_TOKENS)}


def routes(names: tuple[str, ...]) -> list[Route]:
    """The routes of some models, by name."""

    def known(request: Request) -> str:
        if (name := request.path_params["model"]) not in names:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return str(name)

    def got(answer: Callable[..., Response]) -> Callable[[Request], Response]:
        def endpoint(request: Request) -> Response:
            name, given = known(request), {key: v for key, v in request.path_params.items() if key != "model"}
            try:
                return answer(name, **given)
            except (KeyError, Refusal):
                raise HTTPException(HTTPStatus.NOT_FOUND) from None

        return endpoint

    def posted(answer: Callable[[str, dict[str, Any]], Any]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            name, raw = known(request), await request.body()
            try:
                return JSONResponse(await run_in_threadpool(answer, name, parsed(raw)))
            except (InputError, InferenceError, Refusal) as refused:
                return JSONResponse({"error": str(refused)}, HTTPStatus.BAD_REQUEST)

        return endpoint

    return [
        Route("/js/{path:path}", _script),
        Route("/kernels/{path:path}", _kernel),
        Route("/models/{model}/manifest", got(lambda name: _canonical(manifest_of(name)))),
        Route("/models/{model}/layouts", got(lambda name: _canonical(layouts_of(name)))),
        Route("/models/{model}/weights/{key}", got(_weight)),
        Route("/models/{model}/tiles/{constant}/{index:int}", got(_tile)),
        *(
            Route(f"/models/{{model}}/{each.__name__}", posted(each), methods=["POST"])
            for each in (schedule, steps, text, tokens)
        ),
    ]


@cache
def manifest_of(name: str) -> dict[str, Any]:
    """The manifest of a model."""
    return manifest(exact(name))


def schedule(name: str, asked: dict[str, Any]) -> dict[str, Any]:
    """A task's run, as a device of that kind makes it."""
    own, device = _parted(asked, SCHEDULE)
    target = Target(device["lanes"], device["subgroups"], frozenset(device["features"]))
    return export.schedule(computation(task(name, own)), target=target, largest=device["largest"])


def steps(name: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
    """The steps of a leaf of a task's run."""
    own, place = _parted(asked, STEPS)
    run = computation(task(name, own))
    if place["node"] >= len(run.nodes) or place["leaf"] >= leaves(run.nodes[place["node"]]):
        raise InputError(f"there is no leaf {place['leaf']} of node {place['node']}")
    return [_plain(step) for step in run.steps(place["node"], place["leaf"])]


def text(name: str, asked: dict[str, Any]) -> dict[str, str]:
    """The text of tokens."""
    llama = found(name)
    tokens = read(TEXT, asked)["tokens"]
    if wrong := [token for token in tokens if token >= llama.vocabulary]:
        raise InputError(f"token {wrong[0]} is not in the vocabulary of {name}: 0 to {llama.vocabulary - 1}")
    return {"text": Text(llama.tokenizer, llama.vocabulary).decode(tokens)}


def tokens(name: str, asked: dict[str, Any]) -> dict[str, list[int]]:
    """The tokens of a text."""
    llama = found(name)
    try:
        text = read(UTF8, asked)["utf8"].decode()
    except UnicodeDecodeError:
        raise InputError("the text is not in UTF-8") from None
    return {"tokens": Text(llama.tokenizer, llama.vocabulary).encode(text)}


def task(name: str, asked: dict[str, Any]) -> Task:
    """A task of a model as a page asks of it.

    Raises:
        Refusal: malformed.
    """
    return task_from(TASK({"model": name, **asked}))


@lru_cache(16)
def computation(asked: Task) -> Scheduled:
    """A task's run in numpy, which is not made.

    Raises:
        InputError: the model cannot make it.
    """
    return Models().computation(asked, "numpy", None)


def _parted(asked: Any, schema: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The task, and what else is asked for."""
    if not isinstance(asked, dict):
        raise Refusal("malformed", "a request is a JSON object")
    return {key: asked[key] for key in asked.keys() - schema.keys()}, read(
        schema, {key: asked[key] for key in asked.keys() & schema.keys()}
    )


def _plain(step: Step) -> dict[str, Any]:
    return {"kind": step.kind, "sources": step.sources, "numbers": step.numbers, "words": step.words}


def _script(request: Request) -> Response:
    package, *parts = request.path_params["path"].split("/")
    path = files(package).joinpath(*parts) if package in PACKAGES and parts and ".." not in parts else None
    if path is None or not path.name.endswith(".js") or not path.is_file():
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return Response(path.read_text(), media_type="text/javascript", headers={"Content-Security-Policy": POLICY})


def _kernel(request: Request) -> Response:
    if (path := request.path_params["path"]) not in kernel_paths():
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return PlainTextResponse(alone(path.removesuffix(".wgsl")))


def _canonical(content: dict[str, Any]) -> Response:
    return Response(canonical(content), media_type="application/json")


def _weight(name: str, key: str) -> Response:
    words = packed(name, key)

    def chunks() -> Iterator[bytes]:
        for start in range(0, len(words), CHUNK):
            yield words[start : start + CHUNK]

    headers = {"Content-Length": str(len(words))}
    return StreamingResponse(chunks(), media_type="application/octet-stream", headers=headers)


def _tile(name: str, constant: str, index: int) -> Response:
    array = exact(name).constants[constant]
    matrix = array.reshape(1, -1) if array.ndim == 1 else array.reshape(len(array), -1)
    if index >= tile_count(array.shape):
        raise Refusal("no-such-tile", f"there is no tile {index} of {constant}")
    numbers = matrix[tile_place(array.shape, index)].astype(TYPES[type_of(constant, array)]).tobytes()
    path = proof_text(_tree(name, constant).path(index))
    return JSONResponse({"numbers": b64encode(numbers).decode(), "path": path})


@lru_cache(256)
def _tree(name: str, constant: str) -> Tree:
    """Over the tiles of a constant."""
    array = exact(name).constants[constant]
    kind = type_of(constant, array)
    return Tree(b"".join(tile_digest(kind, tile) for tile in tiles(array)))
