"""Runs of a model: prompt, tokens one by one, digests of every node; perplexity of a text."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Protocol

import networkx as nx
import numpy as np
import numpy.typing as npt

from inference.arithmetic.threefry import threefry
from inference.errors import InputError
from inference.graph import digest, schedule
from inference.held import Held
from inference.likeliest import Likeliest
from inference.model import Model
from inference.models.llama import graph
from inference.outputs import Array, Observer, Outputs
from inference.passes import Link, Pass

CHUNK = 128
"""Tokens of a prompt taken in one pass: part of the schedule, so the same for everybody."""
LOGITS, CHOICE = "logits", "choice"
"""The nodes of a text's graphs from which tokens come."""
EMPTY = sha256(b"").hexdigest()


class Backend(Protocol):
    """What runs a graph: ``Reference`` or ``Runtime``."""

    model: Model
    name: str

    def run(
        self,
        graph: nx.DiGraph,
        inputs: dict[str, Array],
        outputs: list[str],
        observe: Observer | None = None,
    ) -> list[Array]: ...

    def read(self, graph: nx.DiGraph, name: str) -> Array: ...

    def write(self, graph: nx.DiGraph, name: str, places: Array, rows: Array) -> object: ...


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


def check_logits(model: Model, logits: Array) -> None:
    """Refuse logits that are no numbers.

    Raises:
        InputError: infinities or NaN, which only float32 can give.
    """
    if model.arithmetic == "float32" and not np.isfinite(logits).all():
        raise InputError(f"{model.name} gives logits that are not finite in float32: its weights are too large")


def check_run(model: Model, ids: list[int], limit: int) -> None:
    """Refuse a run the model cannot make.

    Raises:
        InputError: see ``check_prompt``; a limit below 1.
    """
    if limit < 1:
        raise InputError(f"{limit} tokens are not allowed; at least 1")
    check_prompt(model, ids, limit)


def passes(
    model: Model,
    ids: list[int],
    limit: int,
    *,
    every: bool = False,
    temperature: float = 0,
    seed: int = 0,
    among: Likeliest | None = None,
    held: Held | None = None,
) -> list[Pass]:
    """The passes of a run of up to ``limit`` tokens: the prompt's, then one for each token but the last.

    The tokens of the latter are linked to the choice of the pass before, after whose end tokens they are null.
    ``every`` asks for each prompt token's logits, not for each pass's last; ``among`` which tokens is drawn, in exact
    arithmetic, where not among all. The tokens that are ``held`` have no pass; chunks end where they do without.
    """
    begin, capacity = (len(held.ids), held.capacity) if held else (0, len(ids) + limit)
    starts = [max(start, begin) for start in range(begin // CHUNK * CHUNK, len(ids), CHUNK)]
    ends = [*(start // CHUNK * CHUNK for start in starts[1:]), len(ids)]
    plan = [(f"prompt{start // CHUNK:03d}", start, end - start) for start, end in zip(starts, ends, strict=True)]
    plan += [(f"step{index:04d}", len(ids) + index - 1, 1) for index in range(1, limit)]
    drawn: dict[str, Any] = {"temperature": temperature, "among": among}
    ready = (temperature, among)
    graphs: dict[int, nx.DiGraph] = {1: held.graphs[ready]} if held and ready in held.graphs else {}
    found = []
    for index, (name, start, count) in enumerate(plan):
        if count not in graphs:
            graphs[count] = graph(model, count, capacity=capacity, first=0 if every else count - 1, **drawn)
        given = placed(ids[start : start + count] or [0], start)
        if temperature:
            given |= {"draws": draw(seed, start + count)}
        if start < len(ids):
            found.append(Pass(name, graphs[count], given, start=start, count=count))
            continue
        del given["tokens"]
        choice = Link(index - 1, CHOICE)
        found.append(Pass(name, graphs[count], given, {"tokens": choice}, start=start, count=count, guard=choice))
    if held and 1 in graphs:
        held.graphs = {ready: graphs[1]}
    return found


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
    among: Likeliest | None = None,
    held: Held | None = None,
    progress: Callable[[int], bool | None] = lambda token: None,
) -> Run:
    """Up to ``limit`` tokens after a prompt, an end token the last.

    ``among`` which tokens is drawn, where not among all. ``progress`` is told each token; if it gives True,
    that token is the last. What the backend's states have ``held`` since its last run is not computed again.

    Raises:
        InputError: see ``check_run`` and ``check_logits``; a temperature that is not allowed.
    """
    model = backend.model
    check_run(model, ids, limit)
    if among is not None:
        among.check(temperature)
    outside = among if model.arithmetic == "float32" else None
    drawn: dict[str, Any] = {} if outside else {"temperature": temperature, "seed": seed, "among": among}
    total, run, started = sha256(), Run([], "", 0.0, 0.0), time.perf_counter()
    if held is not None:
        held.keep(ids)
        held.grow(backend, len(ids) + limit)
        for _, words in sorted(held.logits.items()):
            total.update(words)
    for each in passes(model, ids, limit, held=held, **drawn):
        if run.tokens and run.tokens[-1] in model.end:
            if not trace:
                break
            run.trace += [{"node": f"{each.name}.{node}", "digest": EMPTY} for node in schedule(each.graph)]
            continue

        def observe(outputs: Outputs, name: str = each.name) -> None:
            run.trace += [{"node": f"{name}.{node}", "digest": digest_of(output)} for node, output in outputs.items()]

        inputs = each.inputs((ids + run.tokens)[each.span])
        logits, choice = backend.run(each.graph, inputs, [LOGITS, CHOICE], observe if trace else None)
        check_logits(model, logits)
        total.update(words := np.ascontiguousarray(logits).tobytes())
        if held is not None:
            held.take((ids + run.tokens)[each.span], words, ends_chunk=each.span.stop % CHUNK == 0)
        if each.start + each.count < len(ids):
            continue
        word = draw(seed, each.start + each.count)
        run.tokens.append(outside.drawn(logits[-1], temperature, word) if outside else int(choice[0]))
        last = progress(run.tokens[-1])
        if len(run.tokens) == 1:
            run.prefill_seconds, started = time.perf_counter() - started, time.perf_counter()
        if last:
            break
    run.decode_seconds = time.perf_counter() - started
    total.update(np.array(run.tokens, "<i4").tobytes())
    run.digest = total.hexdigest()
    return run


def digests(
    model: Model,
    ids: list[int],
    limit: int,
    temperature: float,
    model_digest: str | None = None,
    among: Likeliest | None = None,
) -> dict[str, str]:
    """What a run is bound to, as SHA-256 in hex: "model" (weights, tables, formats), "graph" and "input"."""
    one = graph(model, 1, capacity=len(ids) + limit, temperature=temperature, among=among)
    return {"model": model_digest or model.digest, "graph": digest(one), "input": digest_of(placed(ids, 0)["tokens"])}


def digest_of(output: Array) -> str:
    """SHA-256 of an output's words, little-endian."""
    return sha256(np.ascontiguousarray(output).tobytes()).hexdigest()


def next_scores(backend: Backend, ids: list[int]) -> npt.NDArray[np.float64]:
    """(vocabulary,): the raw logits of the token after a prompt.

    Raises:
        InputError: see ``check_prompt`` and ``check_logits``.
    """
    check_prompt(backend.model, ids, 0)
    logits: Array = np.empty(0)
    for each in passes(backend.model, ids, 0):
        [logits] = backend.run(each.graph, each.inputs(ids[each.span]), [LOGITS])
    check_logits(backend.model, logits)
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
        InputError: see ``check_prompt`` and ``check_logits``; fewer than two tokens.
    """
    check_prompt(backend.model, ids, 0)
    if len(ids) < 2:
        raise InputError("perplexity needs at least 2 tokens")
    nll, top, done = [], [], 0
    for each in passes(backend.model, ids, 0, every=True):
        [logits] = backend.run(each.graph, each.inputs(ids[each.span]), [LOGITS])
        check_logits(backend.model, logits)
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
    with np.errstate(over="ignore"):
        return float(np.exp(nll))
