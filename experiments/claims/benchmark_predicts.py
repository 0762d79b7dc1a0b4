"""Whether a benchmark tells how long tasks take: M and Psi, and the bids that are made of them."""

import dataclasses
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from auction import generate as generate_market
from auction.data import hardware
from auction.data.devices import read_devices
from auction.data.hardware import Cards, Model
from auction.market import MICRO
from experiments import plots
from experiments.claims import Judgement, Results, Size, Verdict, undecided
from experiments.progress import track
from inference import models
from inference.device.adapters import is_swiftshader, stacks
from inference.device.device import Device
from inference.device.runtime import Runtime
from inference.generate import generate
from inference.measure import bench
from inference.measure.provider import provider
from inference.model import Checkpoint, layer
from inference.models.llama import model

TITLE = "Compute power is determined by benchmarking"
PART = "inference"
SECTION = "4.2"
STATEMENT = "Let M_i represent the compute power of R_i , which will be determined by benchmarking."
CLOSE, NEAR, MOST = 1.5, 3.0, 0.9
LEAST = 0.6  # of the processors
LAYERS = 8
SAME, OTHER = "SmolLM2", f"its first {LAYERS} layers"
TASKS = ((16, 4), (160, 8), (64, 12), (64, 2), (100, 24), (240, 16))  # tokens of prompt and answer
# Stacks, rounds of the benchmark, tasks, runs of each
GRID: dict[Size, tuple[int, int, int, int]] = {"tiny": (1, 1, 1, 1), "small": (1, 1, 3, 1), "full": (9, 5, 6, 3)}
ROUND = 3600.0  # seconds: what a processor's slot takes
VARIED = {"task": "prompts of {tasks.prompt} tokens, answers of {tasks.answer}", "model": "{tasks.model}"}
FIXED = {
    "arithmetic": "integers",
    "requests at once": "1",
    "benchmark": "a prompt of 128 tokens, 32 more",
    "adapter": "{tasks.adapter}",
}
TIMED = True


def shape(name: str, entry: dict[str, Any]) -> Model:
    """A measured model as the auction's catalogue describes one: FLOP a token, bytes of its weights."""
    return Model(name, "chat", 2.0 * entry["parameters"], float(entry["weight_bytes"]), 0.0)


def first_layers(llama: Checkpoint) -> Checkpoint:
    """The model cut after ``LAYERS`` layers: other operations and bytes, whose text nobody reads."""
    cut = tuple(f"{layer(index)}." for index in range(LAYERS, llama.layers))
    matrices = {name: matrix for name, matrix in llama.matrices.items() if not name.startswith(cut)}
    gains = {name: gain for name, gain in llama.gains.items() if not name.startswith(cut)}
    return dataclasses.replace(llama, layers=LAYERS, matrices=matrices, gains=gains, end=())


def run(size: Size, block: int = 0) -> Results:
    """Seconds of tasks as a benchmark predicts them, and as they took; and what the auction makes of the benchmark."""
    many, rounds, count, runs = GRID[size]
    found = [stack for stack in stacks() if not is_swiftshader(stack[1])][:many]
    rows, bids = [], []
    llama = models.find("smollm2")
    sides = {SAME: dataclasses.replace(llama, end=()), OTHER: first_layers(llama)}
    for backend, adapter in track(found, "tasks beside a benchmark"):
        device = Device(backend, adapter)
        runtimes = {name: Runtime(model(name, side, "exact"), device) for name, side in sides.items()}
        rates = bench.rates({"exact": bench.ours(runtimes[SAME], batch=0)}, rounds)[0]
        entry = provider(device, SAME, llama, rates)
        shapes = {name: shape(name, provider(device, name, side, rates)["models"][0]) for name, side in sides.items()}
        cards, market = _bids(entry)
        bids.append((backend, adapter, *market))
        for name, runtime in runtimes.items():
            for prompt, answer in TASKS[:count]:
                predicted = float(
                    hardware.seconds(shapes[name], np.array((prompt, answer)), cards.compute[0], cards.bandwidth[0])
                )
                seconds, processors = _seconds(runtime, prompt, answer, runs)
                rows.append((backend, adapter, name, prompt, answer, predicted, seconds, processors))
    columns = ["stack", "adapter", "model", "prompt", "answer", "predicted", "seconds", "processors"]
    named = ["stack", "adapter", "requests a round", "cost of a round"]
    return {
        "tasks": pd.DataFrame(rows, columns=columns),
        "bids": pd.DataFrame(bids, columns=named),
        "machine": pd.DataFrame({"processors": [len(os.sched_getaffinity(0))]}),
    }


def _seconds(runtime: Runtime, prompt: int, answer: int, runs: int) -> tuple[float, float]:
    """Seconds of a task whose kernels are ready, and the processors it had: medians of so many runs."""
    ids = (np.arange(prompt) * 37 % runtime.model.measures["vocabulary"]).tolist()
    generate(runtime, ids, limit=1)
    seconds, processors = np.median([_once(runtime, ids, answer) for _ in range(runs)], axis=0)
    return float(seconds), float(processors)


def _once(runtime: Runtime, ids: list[int], answer: int) -> tuple[float, float]:
    started, used = time.perf_counter(), time.process_time()
    generate(runtime, ids, limit=answer)
    seconds = time.perf_counter() - started
    return seconds, (time.process_time() - used) / seconds


def _bids(entry: dict[str, Any]) -> tuple[Cards, tuple[int, float]]:
    """The measured machine as the auction reads it; requests that it offers a round, and what it asks, in tokens."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "devices.json"
        path.write_text(json.dumps({"devices": [entry]}), encoding="utf-8")
        market = generate_market(
            "marketplace", 5, 1, 4, 0, {"devices": str(path), "round_seconds": ROUND, "price_spread": 0.0}
        )
        return read_devices(path), (int(market.resource.sum()), float(market.cost[0]) / MICRO)


def check(results: Results) -> Verdict:
    """The criterion on the tasks of both models."""
    tasks, bids = results["tasks"], results["bids"]
    if tasks.empty:
        return undecided("There is no WebGPU adapter.")
    ratio = tasks["seconds"] / tasks["predicted"]
    got, there = tasks["processors"].median(), results["machine"]["processors"].item()
    if got < LEAST * there:
        return undecided(f"The machine is busy: tasks got {got:.1f} of {there} processors.")
    shares = {bound: ratio.between(1 / bound, bound).groupby(tasks["model"]).mean().min() for bound in (CLOSE, NEAR)}
    verdict: Judgement = "upheld" if shares[CLOSE] >= MOST else "qualified" if shares[NEAR] >= MOST else "refuted"
    by = ratio.groupby(tasks["model"], sort=False)
    middle, least, largest = by.median(), by.min(), by.max()
    told = ", ".join(f"{name} {middle[name]:.2f} ({least[name]:.2f} to {largest[name]:.2f})" for name in middle.index)
    offered = bids.iloc[0]
    return Verdict(
        verdict,
        f"seconds of a task over the benchmark's prediction: {told}",
        f"Medians and ranges of {len(tasks)} tasks on {tasks['adapter'].iloc[0]}. As a provider the machine offers "
        f"{offered['requests a round']} reference requests an hour for {offered['cost of a round']:.0f} tokens.",
    )


def figures(results: Results) -> dict[str, Figure]:
    """Seconds that tasks took over those predicted."""
    tasks = results["tasks"]
    figure, (axes,) = plots.canvas(width=6.5, height=3.6)
    for colour, (name, own) in zip(plots.PALETTE, tasks.groupby("model", sort=False), strict=False):
        axes.scatter(own["predicted"], own["seconds"], s=24, color=colour, label=name)
    ends = np.array((tasks["predicted"].min(), tasks["predicted"].max())) if len(tasks) else np.array((0.1, 10.0))
    for bound, style in ((1.0, "-"), (CLOSE, ":"), (1 / CLOSE, ":")):
        axes.plot(ends, bound * ends, color=plots.MUTED, linewidth=0.8, linestyle=style)
    axes.set(xscale="log", yscale="log", xlabel="seconds predicted", ylabel="seconds taken")
    if len(tasks):
        plots.legend(axes)
    return {"Every dot is a task; on the line the benchmark is exact, dotted: half as much again": figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """Every task; the machine as a provider."""
    return {
        "Seconds of tasks": results["tasks"],
        "The machine as a provider of a round of one hour, in tokens: one is a second of the reference card": results[
            "bids"
        ],
    }
