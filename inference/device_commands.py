"""Commands about devices: adapters, bench, serve, conformance."""

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from inference import models
from inference.arguments import AdapterName, Json, ModelName
from inference.errors import InputError
from inference.files import write
from inference.models.llama import model


def adapters(as_json: Json = False) -> None:
    """List the adapters that are there, of every implementation that is installed."""
    from inference import runtime

    found, absent = [], []
    for backend in runtime.MODULES:
        try:
            found += [runtime.describe(adapter, backend) for adapter in runtime.adapters(backend)]
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
        raise InputError(f"there is no adapter; {runtime.INSTALL}")


def bench(
    model_name: ModelName = "smollm2",
    peers: Annotated[bool, typer.Option("--peers", help="llama.cpp beside it, where xllamacpp is installed")] = False,
    adapter: AdapterName = None,
    backend: Annotated[Literal["wgpu", "dawn"], typer.Option(help="the implementation")] = "wgpu",
    rounds: Annotated[int, typer.Option(help="how often each side runs")] = 5,
    as_json: Json = False,
) -> None:
    """Tokens a second in both arithmetics, medians of interleaved rounds, and the time of each kernel."""
    from inference import bench as measured
    from inference.runtime import Device, Runtime

    if rounds < 1:
        raise InputError(f"--rounds {rounds} is not allowed; at least 1")
    llama, device = models.find(model_name), Device(backend, adapter)
    runtimes = {name: Runtime(model(model_name, llama, name), device) for name in measured.ARITHMETICS}
    sides: measured.Sides = {name: measured.ours(runtime) for name, runtime in runtimes.items()}
    if peers:
        sides["llama.cpp"] = measured.llama_cpp(models.path_of(model_name))
    result: dict[str, Any] = {
        "adapter": device.name,
        "backend": backend,
        "rates": measured.rates(sides, rounds),
        "kernels": {tokens: measured.kernels(runtimes["exact"], tokens) for tokens in (1, measured.PROMPT)},
    }
    if as_json:
        print(json.dumps(result))
        return
    print(
        f"{device.name} ({backend}), tokens a second: "
        f"prompt of {measured.PROMPT}, one sequence, {measured.BATCH} sequences"
    )
    for rate in result["rates"]:
        shown = ("-" if rate[key] is None else f"{rate[key]:.1f}" for key in ("prefill", "decode", "batch"))
        print(f"{rate['side']:<10}" + "".join(f"{value:>10}" for value in shown))
    for tokens, rows in result["kernels"].items():
        print(f"kernels of the exact arithmetic, {tokens} tokens")
        for row in rows:
            rate = f"{row['gmac_per_second']:>9.2f} GMAC/s"
            print(f"  {row['op']:<22}{row['dispatches']:>4}{row['milliseconds']:>10.2f} ms{rate}")


def serve(
    port: Annotated[int, typer.Option(help="of 127.0.0.1; 0: a free one")] = 8000,
    path: Annotated[
        str | None,
        typer.Option("--model", help="a .gguf file or Hugging Face directory, beside the named", show_default=False),
    ] = None,
) -> None:
    """Serve the browser pages on this machine: prompts at /, conformance at /conformance. Ctrl-C ends it.

    Example: python -m inference serve --port 8080 --model llama.gguf
    """
    from inference.browser.server import HOST, serving

    def show(result: dict[str, Any]) -> None:
        print(json.dumps(result), flush=True)

    if path is not None:
        models.find(path)  # a bad file is refused here, not in the page
    with serving(port, show, path) as server:
        print(f"http://{HOST}:{server.server_port}/ and /conformance; Ctrl-C ends it", file=sys.stderr, flush=True)
        with suppress(KeyboardInterrupt):
            server.serve_forever()


def conformance(
    page: Annotated[
        Path | None, typer.Option(help="write the same as one HTML file for any browser, and stop", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Corner cases of integers and the tiny model on every stack present, browsers among them: one table, one digest.

    Example: python -m inference conformance --page conformance.html
    """
    from inference import conformance as suite
    from inference.browser import headless
    from inference.browser.page import conformance_page

    tiny = model("tiny", models.find("tiny"), "exact")
    if page is not None:
        write(page, conformance_page(tiny))
        return
    rows = suite.conformance(tiny)
    for browser in headless.installed():
        try:
            rows.append(headless.conformance(browser))
        except InputError as error:
            print(error, file=sys.stderr)
    agreed = len({row.digest for row in rows}) == 1 and not any(row.failures for row in rows)
    if as_json:
        print(json.dumps({"agreed": agreed, "digest": rows[0].digest, "stacks": [row.as_json() for row in rows]}))
    else:
        for row in rows:
            said = "; ".join(row.failures) or "corner cases as specified"
            print(f"{row.backend:<8} {row.adapter:<34} {row.digest[:16]}  {said}")
    if not agreed:
        raise typer.Exit(1)
