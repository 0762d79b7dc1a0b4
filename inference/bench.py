"""Speed: the model in both arithmetics beside numpy and llama.cpp, all sides interleaved; kernels one by one.

Rates are medians over rounds in which every side runs once, so that what else the machine does falls on all alike.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from inference.errors import InputError
from inference.generate import placed
from inference.graph import Arithmetic, cost, schedule
from inference.models.llama import Model, graph
from inference.runtime import Runtime

PROMPT, DECODE, BATCH, ROUNDS = 128, 32, 8, 5
THREADS = 2
Sides = dict[str, Callable[[], dict[str, float]]]


@dataclass(frozen=True, slots=True)
class Rate:
    """Median tokens a second of one side."""

    side: str
    prefill: float
    decode: float
    batch: float
    """Of BATCH sequences together; NaN where the side has none."""


def rates(sides: Sides, rounds: int = ROUNDS) -> list[Rate]:
    """Every side once a round, the first round not counted."""
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
    for _ in range(rounds + 1):
        for name, measure in sides.items():
            seen[name].append(measure())

    def median(name: str, what: str) -> float:
        return float(np.median([measured.get(what, np.nan) for measured in seen[name][1:]]))

    return [Rate(name, *(median(name, what) for what in ("prefill", "decode", "batch"))) for name in sides]


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


def llama_cpp(path: str) -> Callable[[], dict[str, float]]:
    """llama.cpp on the processor, through the package xllamacpp.

    Raises:
        InputError: it is not installed.
    """
    try:
        import xllamacpp
    except ImportError:
        raise InputError("the peer llama.cpp needs the package xllamacpp") from None
    settings = xllamacpp.CommonParams()
    settings.model.path = path
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
    dispatches = dict(zip(schedule(built), runtime.program(built, ["choice"]).dispatches, strict=True))
    costs, kinds = cost(built), {}
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
        rows.append({"op": kind, "dispatches": len(names), "milliseconds": 1e3 * seconds, "gmac_per_second": operations / seconds / 1e9})
    return rows


def sides(models: dict[Arithmetic, Model], open_runtime: Callable[[Model], Runtime], peers: str | None) -> Sides:
    """Both arithmetics on one adapter, and llama.cpp on the model's file where it is asked for and installed."""
    found: Sides = {arithmetic: ours(open_runtime(model)) for arithmetic, model in models.items()}
    if peers is not None:
        found["llama.cpp"] = llama_cpp(peers)
    return found
