"""Speed: the model in both arithmetics beside numpy and llama.cpp, all sides interleaved; kernels one by one.

Rates are medians over rounds in which every side runs once, so that what else the machine does falls on all alike.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from inference.errors import InputError
from inference.generate import placed
from inference.graph import Arithmetic, cost, schedule
from inference.models.llama import graph
from inference.runtime import Runtime

PROMPT, DECODE, BATCH = 128, 32, 8
THREADS = 2
ARITHMETICS: tuple[Arithmetic, ...] = ("exact", "float32")
KINDS = ("prefill", "decode", "batch")
Sides = dict[str, Callable[[], dict[str, float]]]


def rates(sides: Sides, rounds: int) -> list[dict[str, Any]]:
    """Median tokens a second of every side, run once a round; a first round is not counted.

    Each row holds side, prefill, decode and batch (BATCH sequences together), None where a side has none.
    """
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
    for _ in range(rounds + 1):
        for name, measure in sides.items():
            seen[name].append(measure())
    rows = []
    for name, measured in seen.items():
        kinds = {kind: [round_[kind] for round_ in measured[1:] if kind in round_] for kind in KINDS}
        medians = {kind: round(float(np.median(values)), 3) if values else None for kind, values in kinds.items()}
        rows.append({"side": name} | medians)
    return rows


def ours(runtime: Runtime) -> Callable[[], dict[str, float]]:
    """A runtime: a prompt of 128 tokens, 32 tokens after it, and 8 sequences at once."""
    vocabulary = runtime.model.measures["vocabulary"]
    ids = (np.arange(PROMPT) * 37 % vocabulary).tolist()
    whole = graph(runtime.model, PROMPT, capacity=PROMPT + DECODE, first=PROMPT - 1)
    one = graph(runtime.model, 1, capacity=PROMPT + DECODE)
    many = graph(runtime.model, BATCH, capacity=PROMPT + DECODE, sequences=BATCH)

    def measure() -> dict[str, float]:
        started = time.perf_counter()
        runtime.run(whole, placed(ids, 0), ["choice"])
        prefill = time.perf_counter() - started
        started = time.perf_counter()
        for step in range(DECODE):
            runtime.run(one, placed([ids[step]], PROMPT + step), ["choice"])
        decode = time.perf_counter() - started
        started = time.perf_counter()
        for step in range(DECODE // 4):
            places = np.array([[sequence, PROMPT + step] for sequence in range(BATCH)], np.int32)
            runtime.run(many, {"tokens": np.array(ids[:BATCH], np.int32), "places": places}, ["choice"])
        batch = time.perf_counter() - started
        return {"prefill": PROMPT / prefill, "decode": DECODE / decode, "batch": BATCH * (DECODE // 4) / batch}

    return measure


def llama_cpp(path: Path) -> Callable[[], dict[str, float]]:
    """llama.cpp on the processor, through the package xllamacpp.

    Raises:
        InputError: it is not installed.
    """
    try:
        import xllamacpp
    except ImportError:
        raise InputError("the peer llama.cpp needs the package xllamacpp") from None
    settings = xllamacpp.CommonParams()
    settings.model.path = str(path)
    settings.n_ctx, settings.n_gpu_layers, settings.verbosity = 512, 0, -1
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = THREADS
    server = xllamacpp.Server(settings)
    request = {"prompt": list(range(1000, 1000 + PROMPT)), "n_predict": DECODE, "temperature": 0}
    request |= {"cache_prompt": False, "ignore_eos": True}

    def measure() -> dict[str, float]:
        timings = server.handle_completions(request)["timings"]
        return {"prefill": timings["prompt_per_second"], "decode": timings["predicted_per_second"]}

    return measure


def kernels(runtime: Runtime, tokens: int, repeat: int = 5) -> list[dict[str, Any]]:
    """Milliseconds and multiply-accumulates a second of each kind of op in one pass of the model."""
    built = graph(runtime.model, tokens, capacity=PROMPT + DECODE, first=tokens - 1)
    runtime.run(built, placed([0] * tokens, 0), ["choice"])
    dispatches = dict(zip(schedule(built), runtime.load(built, ["choice"]).dispatches, strict=True))
    costs = cost(built)
    kinds: dict[str, list[str]] = {}
    for name in dispatches:
        kind = built.nodes[name]["op"] + (f" {name.rpartition('.')[2]}" if "matmul" in built.nodes[name]["op"] else "")
        kinds.setdefault(kind, []).append(name)
    rows = []
    for kind, names in sorted(kinds.items()):
        times = []
        for _ in range(repeat):
            started = time.perf_counter()
            runtime.device.submit([dispatches[name] for name in names])
            runtime.finish()
            times.append(time.perf_counter() - started)
        seconds = float(np.median(times))
        operations = sum(costs[name].operations for name in names)
        row = {"op": kind, "dispatches": len(names), "milliseconds": round(1e3 * seconds, 4)}
        rows.append(row | {"gmac_per_second": round(operations / seconds / 1e9, 4)})
    return rows
