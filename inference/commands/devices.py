"""Commands about devices: adapters, serve, conformance."""

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from inference import models
from inference.commands.arguments import AdapterName, BackendName, Json
from inference.commands.backends import opened
from inference.commands.output import write
from inference.commands.progress import working
from inference.errors import InputError
from inference.generate import Backend
from inference.model import Model
from inference.models.llama import model


def adapters(as_json: Json = False) -> None:
    """List the adapters that are there, of every implementation that is installed.

    Example: python -m inference adapters
    """
    from inference.device import adapters

    found, absent = [], []
    for backend in adapters.MODULES:
        try:
            found += [adapters.describe(adapter, backend) for adapter in adapters.adapters(backend)]
        except InputError as error:
            absent.append(str(error))
    if as_json:
        print(json.dumps(found))
        return
    for adapter in found:
        print(f"{adapter['backend']}: {adapter['name']} ({adapter['type']}, {adapter['api']}; {adapter['driver']})")
    for line in absent:
        print(line, file=sys.stderr)
    if not found:
        raise InputError(f"there is no adapter; {adapters.INSTALL}")


def serve(
    port: Annotated[int, typer.Option(help="of 127.0.0.1; 0: a free one")] = 8000,
    path: Annotated[
        str | None,
        typer.Option("--model", help="a .gguf file or Hugging Face directory, beside the named", show_default=False),
    ] = None,
    backend: BackendName = "wgpu",
    adapter: AdapterName = None,
    api_key: Annotated[
        str | None,
        typer.Option(envvar="DISTRIBUTE_LAB_API_KEY", help="that completions ask for", show_default="none"),
    ] = None,
) -> None:
    """Serve this machine: prompts at /, pictures at /picture, conformance at /conformance, OpenAI's API at /v1. Ctrl-C
    ends it.

    The pages run in the browser, /v1/chat/completions and /v1/completions here, in integers.

    Example: python -m inference serve --port 8080 --model llama.gguf --backend numpy
    """
    from inference.browser.server import HOST, serving

    def show(result: dict[str, Any]) -> None:
        print(json.dumps(result), flush=True)

    if path is not None:
        models.find(path)  # a bad file is refused here, not in the page

    def on(built: Model) -> Backend:
        return opened(built, backend, adapter)[0]

    with serving(port, show, path, on, api_key) as server, suppress(KeyboardInterrupt):
        there = f"http://{HOST}:{server.port}"
        print(
            f"{there}/ has prompts, /picture pictures, /conformance tests, /v1 an API; Ctrl-C ends it", file=sys.stderr
        )
        sys.stderr.flush()
        server.thread.join()


def conformance(
    page: Annotated[
        Path | None, typer.Option(help="write the same as one HTML file for any browser, and stop", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Corner cases of integers, the tiny model and a picture on every stack present, browsers among them: one table.

    Example: python -m inference conformance --page conformance.html
    """
    from inference import conformance as suite
    from inference.browser import headless
    from inference.browser.page import conformance_page

    tiny = model("tiny", models.find("tiny"), "exact")
    if page is not None:
        write(page, conformance_page(tiny))
        return
    with working("every stack runs the tiny model and draws"):
        rows = suite.conformance(tiny)
    for browser in headless.installed():
        try:
            with working(f"{browser} runs the tiny model and draws"):
                rows.append(headless.conformance(browser))
        except InputError as error:
            print(error, file=sys.stderr)
    agreed = len({(row.digest, row.picture) for row in rows}) == 1 and not any(row.failures for row in rows)
    if as_json:
        print(json.dumps({"agreed": agreed, "digest": rows[0].digest, "stacks": [row.as_json() for row in rows]}))
    else:
        for row in rows:
            said = "; ".join(row.failures) or "corner cases as specified"
            print(f"{row.backend:<8} {row.adapter:<34} {row.digest[:16]}  {row.picture[:16]}  {said}")
    if not agreed:
        raise typer.Exit(1)
