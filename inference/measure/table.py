"""Speed as a table that can be compared: prompts and answers of several lengths, several sequences at once, repeated.

A rate is set against what the adapter does at most (``roofline``): the bytes that the ops read and write, each once,
against a copy's, and the multiply-accumulates against those of ``dot4I8Packed``.
"""

import csv
import io
import statistics
import time
from collections.abc import Sequence
from typing import Any

import networkx as nx
import numpy as np

from inference.device.runtime import Runtime
from inference.generate import CHUNK
from inference.graph import cost
from inference.measure.roofline import Roofline
from inference.models.llama import graph

COLUMNS = (
    "model",
    "arithmetic",
    "test",
    "sequences",
    "tokens_per_second",
    "deviation",
    "repetitions",
    "bandwidth_share",
    "rate_share",
)


def rows(
    runtime: Runtime,
    prompts: Sequence[int],
    answers: Sequence[int],
    sequences: Sequence[int],
    repetitions: int,
    limits: Roofline,
) -> list[dict[str, Any]]:
    """A row for each prompt, of one sequence, and for each answer and number of sequences written at once.

    ``tokens_per_second`` is the mean over ``repetitions``, of all sequences together, after one that is not counted;
    ``deviation`` the standard deviation.
    """
    found = [_row(runtime, f"prompt {tokens}", 1, _prompt(runtime, tokens), repetitions, limits) for tokens in prompts]
    for tokens in answers:
        for many in sequences:
            passes = _answer(runtime, tokens, many)
            found.append(_row(runtime, f"answer {tokens}", many, passes, repetitions, limits))
    return found


Passes = list[tuple[nx.DiGraph, dict[str, Any]]]


def _prompt(runtime: Runtime, tokens: int) -> Passes:
    """In chunks, as prompts are read."""
    graphs: dict[int, nx.DiGraph] = {}
    passes = []
    for start in range(0, tokens, CHUNK):
        count = min(CHUNK, tokens - start)
        if count not in graphs:
            graphs[count] = graph(runtime.model, count, capacity=tokens, first=count - 1)
        passes.append((graphs[count], _inputs(runtime, np.zeros(count), np.arange(start, start + count))))
    return passes


def _answer(runtime: Runtime, tokens: int, sequences: int) -> Passes:
    built = graph(runtime.model, sequences, capacity=tokens, sequences=sequences)
    each = np.arange(sequences)
    return [(built, _inputs(runtime, each, np.full(sequences, position))) for position in range(tokens)]


def _inputs(runtime: Runtime, sequence: Any, position: Any) -> dict[str, Any]:
    places = np.stack((sequence, position), axis=1).astype(np.int32)
    tokens = places.sum(1, dtype=np.int64) * 37 % runtime.model.measures["vocabulary"]
    return {"tokens": tokens.astype(np.int32), "places": places}


def _row(
    runtime: Runtime, test: str, sequences: int, passes: Passes, repetitions: int, limits: Roofline
) -> dict[str, Any]:
    tokens = sum(len(inputs["tokens"]) for _, inputs in passes)
    costs = [cost(built).values() for built, _ in passes[:1]]
    moved, operations = (sum(getattr(each, part) for each in costs[0]) for part in ("bytes", "operations"))
    seconds = []
    for _ in range(repetitions + 1):
        started = time.perf_counter()
        for built, inputs in passes:
            runtime.run(built, inputs, ["choice"])
        seconds.append(time.perf_counter() - started)
    rates = [tokens / each for each in seconds[1:]]
    passed = statistics.mean(rates) * len(passes) / tokens  # a second
    return {
        "model": runtime.model.name,
        "arithmetic": runtime.model.arithmetic,
        "test": test,
        "sequences": sequences,
        "tokens_per_second": round(statistics.mean(rates), 3),
        "deviation": round(statistics.stdev(rates), 3) if repetitions > 1 else None,
        "repetitions": repetitions,
        "bandwidth_share": round(passed * moved / limits.bandwidth, 4),
        "rate_share": round(passed * operations / limits.rate, 4),
    }


def as_csv(about: dict[str, Any], rows: Sequence[dict[str, Any]]) -> str:
    """One line a row, what all share in the first columns."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*about, *COLUMNS])
    writer.writerows([*about.values(), *(row[column] for column in COLUMNS)] for row in rows)
    return out.getvalue()


def as_markdown(about: dict[str, Any], rows: Sequence[dict[str, Any]]) -> str:
    """A line of what all share, and a table."""
    lines = ["; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in about.items()), ""]
    lines += ["| " + " | ".join(column.replace("_", " ") for column in COLUMNS) + " |"]
    lines += ["| --- | --- | --- |" + " ---: |" * (len(COLUMNS) - 3)]
    for row in rows:
        values = dict(row)
        for share in ("bandwidth_share", "rate_share"):
            values[share] = f"{row[share]:.1%}"
        lines.append("| " + " | ".join("" if values[c] is None else str(values[c]) for c in COLUMNS) + " |")
    return "\n".join(lines) + "\n"
