"""A page in a headless browser that calls functions of a test's module, and the files that it loads."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from queue import Queue
from typing import Any

import engines
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from experiments.marketplace.pages.files import routes
from inference.browser import headless
from verification.inference_models import manifest_digest
from verification.task import Task

SECONDS = 240  # for a browser to start and answer: a time-out, not a measure
MODULE = "tests/experiments/marketplace/pages/calls.js"
PAGE = """<script type="module">
import * as calls from "/%s";
while (true) {
  const { name, given } = await (await fetch("/call")).json();
  const found = await calls[name](given).catch((error) => ({ error: `${error.stack}` }));
  await fetch("/answer", { method: "POST", body: JSON.stringify(found) });
}
</script>"""


@pytest.fixture(scope="session")
def browser() -> Iterator[Callable[..., Any]]:
    """Calls a function of calls.js by its name in Chromium, with what it is given, and gives what it answers."""
    if "chromium" not in headless.installed():
        pytest.skip("chromium is not installed")
    calls: Queue[Any] = Queue()
    answers: Queue[Any] = Queue()

    async def call(request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(calls.get))

    async def answer(request: Request) -> Response:
        answers.put(json.loads(await request.body()))
        return Response(status_code=204)

    def module(request: Request) -> Response:
        return FileResponse(engines.ROOT / MODULE, media_type="text/javascript")

    app = Starlette(
        routes=[
            Route("/", lambda request: HTMLResponse(PAGE % MODULE)),
            Route("/" + MODULE, module),
            Route("/call", call),
            Route("/answer", answer, methods=["POST"]),
            *routes(("tiny", "smollm2")),
        ]
    )
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()

    def called(name: str, /, **given: Any) -> Any:
        calls.put({"name": name, "given": given})
        found = answers.get(timeout=SECONDS)
        assert not (isinstance(found, dict) and "error" in found), found["error"]
        return found

    with headless.opened("chromium", f"http://127.0.0.1:{listener.getsockname()[1]}/"):
        yield called
    server.should_exit = server.force_exit = True
    calls.put({"name": "close", "given": {}})
    thread.join()


@pytest.fixture(scope="session")
def asked():
    """What a page is told of a task."""

    def asked(task: Task) -> dict[str, Any]:
        terms = {name: value for name, value in task.plain().items() if name != "model"}
        return {"model": task.model, "digest": manifest_digest(task.model), "task": terms}

    return asked
