"""Runs of a model: prompt, tokens one by one, digests of every node; perplexity of a text."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Protocol

import networkx as nx
import numpy as np
import numpy.typing as npt

from inference.errors import InputError
from inference.graph import schedule
from inference.models.llama import Model, graph
from inference.reference import Array, Observer
from inference.threefry import threefry

CHUNK = 128
"""Tokens of a prompt taken in one pass: part of the schedule, so the same for everybody."""
EMPTY = sha256(b"").hexdigest()


class Backend(Protocol):
    """What runs a graph: ``Reference`` or ``Runtime``."""

    model: Model
    name: str

    def run(
        self, graph: nx.DiGraph, inputs: dict[str, Array], outputs: list[str], observe: Observer | None = None
    ) -> list[Array]: ...


@dataclass(slots=True)
class Run:
    """What a run gave."""

    tokens: list[int]
    digest: str
    """SHA-256 over the logits of every step, as their words, and the tokens: the same wherever every bit is."""
    prefill_seconds: float
    decode_seconds: float
    trace: list[dict[str, str]] = field(default_factory=list)
    """Names and digests of all nodes, in schedule order; null nodes after an end token have the digest of nothing."""


def check_prompt(model: Model, ids: list[int], more: int) -> None:
    """Refuse a prompt the model cannot take.

    Raises:
        InputError: empty, tokens beyond the vocabulary, or longer with what is to come than the context.
    """
    measures = model.measures
    if not ids:
        raise InputError("the prompt is empty; at least one token is needed")
    wrong = [token for token in ids if not 0 <= token < measures["vocabulary"]]
    if wrong:
        raise InputError(
            f"token {wrong[0]} is not in the vocabulary of {model.name}: 0 to {measures['vocabulary'] - 1}"
        )
    if len(ids) + more > measures["context"]:
        raise InputError(
            f"a prompt of {len(ids)} tokens and {more} more exceed the context of {model.name}: {measures['context']}"
        )


def passes(model: Model, ids: list[int], capacity: int, *, every: bool, temperature: float) -> Iterator[Any]:
    """The prompt in passes: name, graph, inputs. ``every`` asks for each token's logits, not for each pass's last."""
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        first = 0 if every else len(part) - 1
        built = graph(model, len(part), capacity=capacity, first=first, temperature=temperature)
        yield f"prompt{start // CHUNK:03d}", built, placed(part, start)


def placed(ids: list[int], start: int) -> dict[str, Array]:
    """Inputs of one sequence whose next position is ``start``."""
    places = np.zeros((len(ids), 2), np.int32)
    places[:, 1] = np.arange(start, start + len(ids))
    return {"tokens": np.array(ids, np.int32), "places": places}


def draw(seed: int, position: int) -> Array:
    """The random word that chooses the token of a position: the task's, so the same on every provider."""
    return np.array([threefry(seed, position)[0]], np.uint32).view(np.int32)


def generate(
    backend: Backend,
    ids: list[int],
    *,
    limit: int,
    temperature: float = 0,
    seed: int = 0,
    trace: bool = False,
    progress: Callable[[int], None] = lambda token: None,
) -> Run:
    """Up to ``limit`` tokens after a prompt, an end token the last.

    Raises:
        InputError: see ``check_prompt``; a limit below 1, a temperature that is not allowed.
    """
    model = backend.model
    if limit < 1:
        raise InputError(f"{limit} tokens are not allowed; at least 1")
    check_prompt(model, ids, limit)
    capacity = len(ids) + limit
    total, run = sha256(), Run([], "", 0.0, 0.0)

    def step(name: str, built: nx.DiGraph, inputs: dict[str, Array], position: int) -> int:
        def observe(node: str, output: Array) -> None:
            run.trace.append({"node": f"{name}.{node}", "digest": digest_of(output)})

        if temperature:
            inputs["draws"] = draw(seed, position)
        logits, choice = backend.run(built, inputs, ["logits", "choice"], observe if trace else None)
        total.update(np.ascontiguousarray(logits).tobytes())
        return int(choice[0])

    started = time.perf_counter()
    position, token = 0, -1
    for name, built, inputs in passes(model, ids, capacity, every=False, temperature=temperature):
        position += len(inputs["tokens"])
        token = step(name, built, inputs, position)
    run.tokens.append(token)
    progress(token)
    run.prefill_seconds = time.perf_counter() - started

    built = graph(model, 1, capacity=capacity, temperature=temperature)
    started = time.perf_counter()
    while len(run.tokens) < limit and token not in model.end:
        token = step(f"step{len(run.tokens):04d}", built, placed([token], position), position + 1)
        position += 1
        run.tokens.append(token)
        progress(token)
    run.decode_seconds = time.perf_counter() - started
    if trace:
        for index in range(len(run.tokens), limit):
            run.trace += [{"node": f"step{index:04d}.{node}", "digest": EMPTY} for node in schedule(built)]
    total.update(np.array(run.tokens, "<i4").tobytes())
    run.digest = total.hexdigest()
    return run


def digest_of(output: Array) -> str:
    """SHA-256 of an output's words, little-endian."""
    return sha256(np.ascontiguousarray(output).tobytes()).hexdigest()


def next_scores(backend: Backend, ids: list[int]) -> npt.NDArray[np.float64]:
    """(vocabulary,): the raw logits of the token after a prompt."""
    check_prompt(backend.model, ids, 0)
    logits: Array = np.empty(0)
    for _, built, inputs in passes(backend.model, ids, len(ids), every=False, temperature=0):
        [logits] = backend.run(built, inputs, ["logits"])
    return scores(backend.model, logits[0])


def scores(model: Model, logits: Array) -> npt.NDArray[np.float64]:
    """Raw logits as numbers."""
    return logits.astype(np.float64) / 2.0**model.logit_fraction


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """How well a model predicts a text."""

    nll: npt.NDArray[np.float64]
    """(n - 1,): -log p of tokens 2..n."""
    top: npt.NDArray[np.int64]
    """(n - 1,): the likeliest token at each of them."""


def fit(backend: Backend, ids: list[int], progress: Callable[[int], None] = lambda done: None) -> Fit:
    """Negative log-likelihoods of a text in one window.

    Raises:
        InputError: see ``check_prompt``; fewer than two tokens.
    """
    check_prompt(backend.model, ids, 0)
    if len(ids) < 2:
        raise InputError("perplexity needs at least 2 tokens")
    nll, top, done = [], [], 0
    for _, built, inputs in passes(backend.model, ids, len(ids), every=True, temperature=0):
        [logits] = backend.run(built, inputs, ["logits"])
        after = ids[done + 1 : done + 1 + len(logits)]
        x = scores(backend.model, logits[: len(after)])
        peak = x.max(1)
        nll.append(peak + np.log(np.exp(x - peak[:, None]).sum(1)) - x[np.arange(len(after)), after])
        top.append(x.argmax(1))
        done += len(logits)
        progress(done)
    return Fit(np.concatenate(nll), np.concatenate(top))


def exponential(nll: float) -> float:
    """Perplexity of a mean negative log-likelihood."""
    return float(np.exp(nll))
