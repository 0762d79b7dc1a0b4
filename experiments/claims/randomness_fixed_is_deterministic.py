"""Whether fixing the randomness makes inference deterministic: the same seed on several stacks and workgroup sizes."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments import plots
from experiments.claims import Judgement, Results, Size, Verdict
from experiments.progress import track
from inference import models
from inference.device.adapters import stacks
from inference.device.device import Device
from inference.device.runtime import Runtime
from inference.generate import generate
from inference.graph import Arithmetic
from inference.models.llama import model

TITLE = "Fixing the randomness makes inference deterministic"
PART = "inference"
SECTION = "5"
STATEMENT = (
    "Since the inference can be represented as a directed acyclic graph (DAG), we can fix the source of randomness to "
    "produce deterministic inference processes."
)

# Prompts, tokens after each, stacks at most, workgroup sizes
GRID = {
    "tiny": (1, 2, 1, (16, 64)),
    "small": (4, 10, 3, (16, 64)),
    "full": (100, 64, 4, (16, 32, 64, 128, 256)),
}
ARITHMETICS: tuple[Arithmetic, ...] = ("float32", "exact")
VARIED = {
    "stack": "{runs.implementation}; on {runs.driver}",
    "arithmetic": "{runs.arithmetic}",
    "prompt, seed": "{runs.prompt:count} prompts",
}
FIXED = {
    "model": "the tiny one",
    "devices": "processors of one machine",
}


def run(size: Size, block: int = 0) -> Results:
    """Every prompt on every stack and workgroup size: how many nodes differ from the first run, and from which on."""
    prompts, limit, most, sizes = GRID[size]
    generator = np.random.default_rng(block)
    drawn = [generator.integers(0, 256, 12).tolist() for _ in range(prompts)]
    built = {arithmetic: model("tiny", models.find("tiny"), arithmetic) for arithmetic in ARITHMETICS}
    first: dict[tuple[str, int], list[dict[str, str]]] = {}
    rows = []
    settings = [(backend, adapter, lanes) for backend, adapter in stacks()[:most] for lanes in sizes]
    for backend, adapter, lanes in track(settings, "the same seed on stacks and workgroup sizes"):
        device = Device(backend, adapter, lanes=lanes)
        for arithmetic in ARITHMETICS:
            runtime = Runtime(built[arithmetic], device)
            for index, prompt in enumerate(drawn):
                found = generate(runtime, prompt, limit=limit, temperature=1.0, seed=index, trace=True)
                expected = first.setdefault((arithmetic, index), found.trace)
                differ = [ours != theirs for ours, theirs in zip(found.trace, expected, strict=True)]
                chosen = [
                    ours["digest"] != theirs["digest"]
                    for ours, theirs in zip(found.trace, expected, strict=True)
                    if ours["node"].endswith(".choice")
                ]
                rows.append((arithmetic, index, backend, adapter, lanes, len(differ), sum(differ), sum(chosen)))
    columns = [
        "arithmetic",
        "prompt",
        "implementation",
        "driver",
        "workgroup",
        "nodes",
        "nodes that differ",
        "tokens that differ",
    ]
    return {"runs": pd.DataFrame(rows, columns=columns)}


def check(results: Results) -> Verdict:
    """The criterion on the runs."""
    runs = results["runs"]
    if not len(runs):
        return Verdict("qualified", "no stack", "Undecided: a WebGPU adapter is needed.")
    different = runs.groupby("arithmetic")["nodes that differ"].agg(lambda nodes: int((nodes > 0).sum()))
    verdict: Judgement = "refuted" if different["exact"] else "qualified" if different["float32"] else "upheld"
    floats = runs[runs["arithmetic"] == "float32"]
    tokens = int((floats["tokens that differ"] > 0).sum())
    return Verdict(
        verdict,
        f"{different['float32']} of {len(floats)} runs differ in float32, {different['exact']} in integers",
        "A seed fixes the choices, not the arithmetic: the order of a sum follows the workgroup's size, the compiler "
        f"and the driver. Of the float32 runs that differ, {tokens} chose another token. In integers the same seed "
        "gives the same bits in every node on every stack and with every workgroup size.",
    )


def figures(results: Results) -> dict[str, Figure]:
    """The share of nodes that differ, by workgroup size."""
    figure, (axes,) = plots.canvas(width=6.5, height=3.0)
    runs = results["runs"].assign(share=100 * results["runs"]["nodes that differ"] / results["runs"]["nodes"])
    for arithmetic, colour in plots.colours(ARITHMETICS).items():
        for (backend, adapter), part in runs[runs["arithmetic"] == arithmetic].groupby(["implementation", "driver"]):
            line = part.groupby("workgroup")["share"].mean()
            style = "--" if backend == "dawn" else "-"
            name = f"{arithmetic}, {backend} on {adapter.split(' ')[0]}"
            axes.plot(line.index, line, style, marker="o", markersize=4, color=colour, label=name)
    axes.set(xlabel="invocations a workgroup", ylabel="nodes that differ, %", xscale="log", ylim=(-3, 103))
    axes.legend(fontsize=8)
    return {"Nodes whose bits differ from the first run's, the seed being the same: mean over prompts.": figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """By stack and workgroup size."""
    keys = ["arithmetic", "implementation", "driver", "workgroup"]
    runs = results["runs"]
    table = runs.groupby(keys, sort=False)[["nodes", "nodes that differ", "tokens that differ"]].sum().reset_index()
    return {"The same prompts and seeds on every stack and workgroup size, against the first row's runs.": table}
