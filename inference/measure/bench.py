"""Speed of a model: sides interleaved, kernels one by one.

Rates are medians over rounds in which every side runs once, so that what else the machine does falls on all alike.
"""

import time
from collections.abc import Callable
from itertools import chain
from typing import Any, TypeVar

import networkx as nx
import numpy as np

from inference.device.runtime import Array, Runtime
from inference.generate import Backend, placed
from inference.graph import Arithmetic, cost, schedule
from inference.models.llama import graph

PROMPT, DECODE, BATCH = 128, 32, 8
ARITHMETICS: tuple[Arithmetic, ...] = ("exact", "float32")
KINDS = ("prefill", "decode", "batch")
Measure = Callable[[], dict[str, float]]
"""Measures once: tokens a second by kind."""
Result = TypeVar("Result")


def interleaved(sides: dict[str, Callable[[], Result]], rounds: int) -> dict[str, list[Result]]:
    """What every side measured, each once a round; a first round is not counted."""
    seen: dict[str, list[Result]] = {name: [] for name in sides}
    for _ in range(rounds + 1):
        for name, measure in sides.items():
            seen[name].append(measure())
    return {name: measured[1:] for name, measured in seen.items()}


def rates(sides: dict[str, Measure], rounds: int) -> list[dict[str, Any]]:
    """Median tokens a second of every side.

    Each row holds side, prefill, decode and batch (BATCH sequences together), None where a side has none.
    """
    rows = []
    for name, measured in interleaved(sides, rounds).items():
        kinds = {kind: [round_[kind] for round_ in measured if kind in round_] for kind in KINDS}
        medians = {kind: round(float(np.median(values)), 3) if values else None for kind, values in kinds.items()}
        rows.append({"side": name} | medians)
    return rows


def ours(backend: Backend, prompt: int = PROMPT, decode: int = DECODE, batch: int = BATCH) -> Measure:
    """A backend: a prompt, ``decode`` tokens after it, and a quarter as many of ``batch`` sequences at once, if any."""
    vocabulary, capacity = backend.model.measures["vocabulary"], prompt + decode
    ids = (np.arange(prompt) * 37 % vocabulary).tolist()
    whole = graph(backend.model, prompt, capacity=capacity, first=prompt - 1)
    one = graph(backend.model, 1, capacity=capacity)
    many = graph(backend.model, batch, capacity=capacity, sequences=batch) if batch else None

    def seconds(built: nx.DiGraph, inputs: list[dict[str, Array]]) -> float:
        started = time.perf_counter()
        for each in inputs:
            backend.run(built, each, ["choice"])
        return time.perf_counter() - started

    def measure() -> dict[str, float]:
        found = {
            "prefill": prompt / seconds(whole, [placed(ids, 0)]),
            "decode": decode / seconds(one, [placed([ids[step]], prompt + step) for step in range(decode)]),
        }
        if many is not None:
            tokens = np.array(ids[:batch], np.int32)
            places = [np.stack((np.arange(batch), np.full(batch, prompt + step)), 1) for step in range(decode // 4)]
            inputs = [{"tokens": tokens, "places": place.astype(np.int32)} for place in places]
            found["batch"] = batch * len(inputs) / seconds(many, inputs)
        return found

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
            runtime.device.submit(chain.from_iterable(dispatches[name] for name in names))
            runtime.finish()
            times.append(time.perf_counter() - started)
        seconds = float(np.median(times))
        operations = sum(costs[name].operations for name in names)
        row = {"op": kind, "dispatches": len(names), "milliseconds": round(1e3 * seconds, 4)}
        rows.append(row | {"gmac_per_second": round(operations / seconds / 1e9, 4)})
    return rows
