"""Whether every WebGPU stack computes the same: one model on all of them, in floating point and in integers."""

import time

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments import plots
from experiments.claims import Judgement, Results, Size, Verdict, undecided
from experiments.progress import track
from inference import conformance, models
from inference.device.adapters import stacks
from inference.device.device import Device
from inference.device.runtime import Runtime
from inference.generate import Backend, generate
from inference.graph import Arithmetic
from inference.model import Model
from inference.models.llama import model
from inference.reference import Reference

TITLE = "WebGPU gives consistent performance and implementation across devices"
PART = "inference"
TIMED = True
SECTION = "2"
STATEMENT = (
    "Moreover, WebGPU offers cross-platform support for hardware acceleration, allowing for consistent performance and "
    "implementation across a variety of devices."
)
SEVERAL = 2  # stacks
SLOWER = 2  # times

# Tokens after the prompt, stacks at most, whether SmolLM2 runs too where a stack is fast enough for it
GRID = {"tiny": (2, 2, False), "small": (16, 8, False), "full": (32, 8, True)}
PROMPT = list(b"The capital of France is")
SMOLLM2_PROMPT = [504, 3575, 282, 4649, 314]
SLOW = "SwiftShader"
ARITHMETICS: tuple[Arithmetic, ...] = ("float32", "exact")
VARIED = {
    "stack": "{runs.implementation}; on {runs.driver}",
    "arithmetic": "{runs.arithmetic}",
}
FIXED = {
    "devices": "processors of one machine",
    "model": "{runs.model}",
    "prompt": "one",
}


def run(size: Size, block: int = 0) -> Results:
    """Digests of all nodes of a greedy run in both arithmetics by stack, numpy's beside them; corner cases."""
    limit, most, real = GRID[size]
    devices = {(backend, adapter): Device(backend, adapter) for backend, adapter in stacks()[:most]}
    tasks: list[tuple[str, list[int], Arithmetic]] = []
    tasks += [("tiny", PROMPT, arithmetic) for arithmetic in ARITHMETICS]
    if real:
        tasks += [("smollm2", SMOLLM2_PROMPT, arithmetic) for arithmetic in ARITHMETICS]
    rows = []
    for name, prompt, arithmetic in track(tasks, "one model on every stack"):
        built = model(name, models.find(name), arithmetic)
        expected = generate(Reference(built), prompt, limit=limit, trace=True)
        rows.append(
            (name, arithmetic, "numpy", "numpy", expected.digest, 0, len(expected.trace), expected.tokens, np.nan)
        )
        for (backend, adapter), device in devices.items():
            if name == "smollm2" and SLOW in adapter:
                continue
            rows.append((name, arithmetic, backend, adapter, *_compared(built, device, prompt, expected)))
    columns = ["model", "arithmetic", "implementation", "driver", "digest", "nodes that differ", "nodes", "tokens"]
    corner = [(*stack, "; ".join(conformance.failures(device))) for stack, device in devices.items()]
    return {
        "runs": pd.DataFrame(rows, columns=[*columns, "tokens per second"]),
        "corner cases": pd.DataFrame(corner, columns=["implementation", "driver", "wrong"]),
    }


def _compared(built: Model, device: Device, prompt: list[int], expected):  # type: ignore[no-untyped-def]
    backend: Backend = Runtime(built, device)
    found = generate(backend, prompt, limit=len(expected.tokens), trace=True)
    differ = sum(ours != theirs for ours, theirs in zip(found.trace, expected.trace, strict=False))
    started = time.perf_counter()
    again = generate(backend, prompt, limit=len(expected.tokens))
    rate = len(again.tokens) / (time.perf_counter() - started)
    return found.digest, differ, len(found.trace), found.tokens, rate


def check(results: Results) -> Verdict:
    """The criterion on digests, corner cases and rates."""
    runs, corner = results["runs"], results["corner cases"]
    devices = runs[runs["implementation"] != "numpy"]
    if len(corner) < SEVERAL:
        return undecided(f"At least two WebGPU stacks are needed; there are {len(corner)}.")
    one = {key: part["digest"].nunique() == 1 for key, part in runs.groupby(["model", "arithmetic"])}
    exact = all(same for (_, arithmetic), same in one.items() if arithmetic == "exact")
    exact &= not runs.loc[runs["arithmetic"] == "exact", "nodes that differ"].any() and not corner["wrong"].any()
    floats = devices[devices["arithmetic"] == "float32"]
    same = all(part["digest"].nunique() == 1 for _, part in floats.groupby("model"))
    spread = float((floats.groupby("model")["tokens per second"].agg(lambda rate: rate.max() / rate.min())).max())
    verdict: Judgement = "refuted" if not exact else "upheld" if same and spread <= SLOWER else "qualified"
    share = (floats["nodes that differ"] / floats["nodes"]).max()
    return Verdict(
        verdict,
        f"{len(corner)} stacks: {floats['digest'].nunique()} digests in float32, "
        f"{devices.loc[devices['arithmetic'] == 'exact', 'digest'].nunique()} in integers",
        f"In float32 up to {share:.0%} of the nodes differ from numpy's, and the fastest stack is {spread:.1f} times "
        "as fast as the slowest. In integers every node has the same bits on every stack and in numpy. All stacks "
        "here run on a processor; real GPUs are still to be tried.",
    )


def figures(results: Results) -> dict[str, Figure]:
    """How many nodes differ, by stack."""
    runs = results["runs"]
    devices = runs[(runs["implementation"] != "numpy") & (runs["model"] == "tiny")]
    figure, (axes,) = plots.canvas(width=6.5, height=2.8)
    names = list(dict.fromkeys(devices["implementation"] + " on " + devices["driver"].str.split(" ").str[0]))
    for offset, (arithmetic, colour) in zip((-0.18, 0.18), plots.colours(("float32", "exact")).items(), strict=True):
        part = devices[devices["arithmetic"] == arithmetic]
        share = 100 * part["nodes that differ"] / part["nodes"]
        axes.barh(np.arange(len(share)) + offset, share, height=0.34, color=colour, label=arithmetic)
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="nodes that differ from numpy's, %", xlim=(0, 100))
    axes.legend()
    return {"Nodes of a greedy run of the tiny model whose bits are not the numpy reference's.": figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """Every run, and the corner cases."""
    runs = results["runs"].drop(columns=["tokens"]).assign(digest=results["runs"]["digest"].str[:16])
    corner = results["corner cases"].replace("", "none")
    return {"Runs: one digest over the logits of all steps and the tokens.": runs, "Corner cases of integers.": corner}
