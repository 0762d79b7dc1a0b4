"""Whether a page serves as a native worker does: the same root, and what share of its speed, on the same adapter."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from experiments import plots, statistics
from experiments.claims import Judgement, Results, Size, Verdict, undecided
from experiments.marketplace.live.machine import PROBE, Machine
from experiments.marketplace.pages.files import routes
from experiments.progress import track
from experiments.statistics import AMOUNT
from inference.browser import headless
from inference.browser.connection import Limits, served
from inference.browser.devtools import Page, driven
from inference.device.adapters import is_swiftshader, stacks
from inference.errors import InputError
from verification.inference_models import manifest_digest
from verification.task import Task
from verification.trace import record

TITLE = "A browser is a provider"
PART = "market"
TIMED = True
SECTION = "2"
STATEMENT = "Specifically, service providers run inference tasks with WebGPU on behalf of users in exchange for token."
SHARE, LEAST = 0.5, 0.1
SECONDS = 240.0  # for a page to answer: a time-out, not a measure

# Model, measures in turn
GRID: dict[Size, tuple[str, int]] = {"tiny": ("tiny", 1), "small": ("tiny", 5), "full": ("smollm2", 5)}
PAGE, NATIVE = "page in Chromium", "Python worker"
VARIED = {"where": "{runs.where}"}
FIXED = {
    "adapter": "SwiftShader, on the processors of this machine: the one that both have here",
    "model": "{runs.model}, in integers, committed to as it runs",
    "task": f"a prompt of {len(PROBE[0])} tokens and {PROBE[1]} more",
}


@contextmanager
def _page() -> Iterator[Page]:
    """A page with the provider's modules and the models' files at hand."""
    app = Starlette(routes=[Route("/", lambda request: HTMLResponse("")), *routes(("tiny", "smollm2"))])
    with socket.create_server(("127.0.0.1", 0)) as listener, served(app, listener, Limits(), b""), driven() as browser:
        yield browser.page(f"http://127.0.0.1:{listener.getsockname()[1]}/")


def _begin(name: str, digest: str, task: Task) -> str:
    asked = f"{{ prompt: {list(task.prompt)}, limit: {task.limit}, millionths: 0, seed: '0' }}"
    return f"""(async () => {{
      const {{ machine }} = await import("/js/experiments/marketplace/pages/machine.js");
      window.device ??= machine();
      const {{ macs, seconds, root, trace }} = await device.run({name!r}, {digest!r}, {asked});
      trace.computation.close();
      const hex = Array.from(root, (byte) => byte.toString(16).padStart(2, "0")).join("");
      return JSON.stringify({{ speed: macs / seconds, root: hex }});
    }})().catch((error) => JSON.stringify({{ error: `${{error}}` }})).then((told) => {{ window.told = told; }})"""


def run(size: Size, block: int = 0) -> Results:
    """Speeds of a run that is committed to, by page and by Python in turn after one of each that warms up; roots.

    Empty where there is no Chromium, or no adapter that both have.
    """
    name, many = GRID[size]
    columns = ["where", "model", "speed", "same root"]
    found = [backend for backend, adapter in stacks() if is_swiftshader(adapter)]
    if not found or "chromium" not in headless.installed():
        return {"runs": pd.DataFrame([], columns=columns)}
    prompt, limit = PROBE
    task = Task(name, tuple(each + block for each in prompt), limit, 0, 0)
    worker = Machine([name], found[0], "SwiftShader", 2**32)
    worker.prepare()
    rows = []
    with _page() as page:
        for turn in track(range(-1, many), "a page and a worker"):
            native = _native(worker, task)
            told = _paged(page, task)
            same = told["root"] == native["root"]
            if turn >= 0:
                rows += [(PAGE, name, told["speed"], same), (NATIVE, name, native["speed"], same)]
    return {"runs": pd.DataFrame(rows, columns=columns)}


def _native(worker: Machine, task: Task) -> dict[str, Any]:
    """Multiply-accumulates a second of a worker's run, and its root."""
    made = worker.run(task.model, list(task.prompt), limit=task.limit)
    began = time.perf_counter()
    trace = record(made)
    return {"speed": made.macs / (time.perf_counter() - began), "root": trace.tree.root.hex()}


def _paged(page: Page, task: Task) -> dict[str, Any]:
    """The same of a page's.

    Raises:
        InputError: the page cannot run it.
    """
    page.evaluate("window.told = ''")
    page.evaluate(f"void {_begin(task.model, manifest_digest(task.model), task)}")
    page.wait("window.told", SECONDS)
    told: dict[str, Any] = json.loads(page.evaluate("window.told"))
    if "error" in told:
        raise InputError(f"a page cannot run {task.model}: {told['error']}")
    return told


def check(results: Results) -> Verdict:
    """The criterion on the page's speed over the worker's, turn by turn."""
    runs = results["runs"]
    if runs.empty:
        return undecided("Not tested: there is no Chromium here, or no adapter that a page and a worker both have.")
    share, many = _share(runs), len(runs) // 2
    if runs["same root"].all() and share[1] < LEAST and share[2] >= SHARE:
        return undecided(
            f"The machine is busy: {many} turns do not tell {LEAST:.0%} of the worker's speed from {SHARE:.0%}."
        )
    return Verdict(
        by_the_mean(results),
        f"a page serves at {share[0]:.0%} ({share[1]:.0%} to {share[2]:.0%}) of a native worker's speed",
        f"{int(runs['same root'].sum() / 2)} of {many} pairs of runs commit to the same root. Both compile the "
        "same kernels for SwiftShader, which runs on processors; on a GPU the share may be another one.",
    )


def by_the_mean(results: Results) -> Judgement:
    """The criterion as first fixed: on the mean, however wide its interval."""
    runs = results["runs"]
    if runs.empty:
        return "undecided"
    share, *_ = _share(runs)
    if not runs["same root"].all() or share < LEAST:
        return "refuted"
    return "upheld" if share >= SHARE else "qualified"


def _share(runs: pd.DataFrame) -> tuple[float, float, float]:
    page, native = (runs[runs["where"] == where]["speed"].to_numpy() for where in (PAGE, NATIVE))
    return statistics.mean_interval(page / native, AMOUNT)


def figures(results: Results) -> dict[str, Figure]:
    """Speeds, turn by turn."""
    figure, (axes,) = plots.canvas()
    for colour, where in zip(plots.PALETTE, (PAGE, NATIVE), strict=False):
        own = results["runs"][results["runs"]["where"] == where]["speed"]
        axes.plot(range(1, len(own) + 1), own / 1e6, marker="o", color=colour, label=where)
    axes.set(xlabel="turn", ylabel="million multiply-accumulates a second", ylim=(0, None))
    plots.legend(axes)
    return {"Speed of a page and of a Python worker on the same adapter": figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """Means over turns."""
    means = results["runs"].groupby(["where", "model"], as_index=False, sort=False)["speed"].agg(["mean", "min", "max"])
    return {"Multiply-accumulates a second": means}
