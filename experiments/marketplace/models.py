"""What a market knows of a model: its name, what a request of it comes to, and its run where a referee needs it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Protocol

import numpy as np

from experiments.marketplace.layouts import layouts_of
from inference.computation import Inference
from inference.errors import InputError as InferenceError
from inference.generate import CHUNK, check_run, digests
from inference.model import Model as Weights
from verification.computation import Computation
from verification.encoding.canonical import canonical, digest, parsed
from verification.errors import InputError, Refusal
from verification.inference_models import Models, exact, manifest_digest
from verification.manifest import layouts
from verification.numbers import PASSES, Numbers
from verification.several import Several
from verification.task import LIKELIEST, MILLION, Task

REMEMBERED = 2**12
"""Graphs of a model, and ways in which its tokens are drawn."""
Request = Mapping[str, Any]
"""Of an order: model, input (their digests), limit, temperature (millionths), seed (a text); perhaps ``LIKELIEST``."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What follows from a request without running it."""

    graph: str
    nodes: int
    rows: int
    words: int


class Known(Protocol):
    """A model that a market trades."""

    @property
    def name(self) -> str: ...

    @property
    def digest(self) -> str:
        """Of its manifest, by which orders and offers name it."""

    @property
    def layouts(self) -> str:
        """Digest of what devices are sent besides."""

    @property
    def memory(self) -> int:
        """Bytes that a device has to hold."""

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one token."""

    def words(self, request: Request, raw: bytes) -> int:
        """Of the output of a request with its input's bytes; known at once, however long the request.

        Raises:
            Refusal: unrunnable: no device could ever run it.
        """

    def shape(self, request: Request, raw: bytes) -> Shape:
        """Of a request, without its run.

        Raises:
            Refusal: see ``words``.
        """

    def computation(self, request: Request, raw: bytes) -> Computation:
        """Its run."""


def table(models: Sequence[Known]) -> dict[str, Known]:
    """Models by digest."""
    return {model.digest: model for model in models}


def request_of(
    model: Known,
    raw_digest: str,
    *,
    limit: int,
    temperature: float = 0,
    seed: int = 0,
    top_k: int | None = None,
    top_p: float = 1,
) -> dict[str, Any]:
    """A request as orders hold it."""
    terms: dict[str, Any] = {"model": model.digest, "input": raw_digest, "limit": limit}
    terms |= {"temperature": round(temperature * MILLION), "seed": str(seed)}
    return terms | ({"top_k": top_k} if top_k else {}) | ({"top_p": round(top_p * MILLION)} if top_p < 1 else {})


def asked_among(request: Request) -> dict[str, Any]:
    """Among which tokens a request's are drawn, where not among all."""
    return {name: request[name] for name in LIKELIEST if name in request}


def shape_of(models: Mapping[str, Known], requests: Sequence[Request], inputs: Mapping[str, bytes]) -> Shape:
    """What a lease of requests comes to; arguments as for ``computation_of``."""
    shapes = [models[asked["model"]].shape(asked, inputs[asked["input"]]) for asked in requests]
    if len(shapes) == 1:
        return shapes[0]
    nodes, words = sum(shape.nodes for shape in shapes) + 1, max(shape.words for shape in shapes)
    return Shape(digest([shape.graph for shape in shapes]), nodes, len(shapes), words)


def computation_of(
    models: Mapping[str, Known], requests: Sequence[Request], inputs: Mapping[str, bytes]
) -> Computation:
    """The run of a lease's requests, which are of one model; of several see ``Several``.

    Args:
        models: by digest.
        inputs: the bytes of their inputs, by digest.
    """
    runs = [models[asked["model"]].computation(asked, inputs[asked["input"]]) for asked in requests]
    return runs[0] if len(runs) == 1 else Several(runs)


@dataclass(frozen=True, eq=False)
class SmallNumbers:
    """``verification.numbers``, for markets of many orders: its input is a token in JSON, its limit ``PASSES``."""

    name: str = "numbers"
    weight: int = 7
    memory: int = 2**20

    @cached_property
    def _run(self) -> Numbers:
        return Numbers(weight=self.weight)

    @cached_property
    def digest(self) -> str:
        return self._run.digests["model"]

    @cached_property
    def layouts(self) -> str:
        return digest(layouts(self.digest, {}))

    @cached_property
    def macs(self) -> int:
        return self._run.macs // PASSES

    @cached_property
    def _shape(self) -> Shape:
        run = self._run
        return Shape(run.digests["graph"], len(run.nodes), run.nodes[-1].rows, run.nodes[-1].words)

    def words(self, request: Request, raw: bytes) -> int:
        shape = self.shape(request, raw)
        return shape.rows * shape.words

    def shape(self, request: Request, raw: bytes) -> Shape:
        _token(raw)
        if (
            request["limit"] != PASSES
            or request["temperature"]
            or int(request["seed"]) >= 2**20
            or asked_among(request)
        ):
            raise Refusal("unrunnable", f"{self.name}: the limit is {PASSES}, the temperature 0, a seed below 2^20")
        return self._shape

    def computation(self, request: Request, raw: bytes) -> Numbers:
        return Numbers(token=_token(raw), weight=self.weight, seed=int(request["seed"]))

    @staticmethod
    def input(token: int) -> bytes:
        """The bytes of an input."""
        return canonical(token)


def _token(raw: bytes) -> int:
    try:
        token = parsed(raw)
    except Refusal:
        token = None
    if type(token) is not int or not 0 <= token < 2**20:
        raise Refusal("unrunnable", "numbers: an input is a token from 0 to 2^20 - 1")
    return token


@dataclass(frozen=True, eq=False)
class Language:
    """A Llama of ``inference`` by name, in integers: its input is the prompt's tokens, 4 bytes each, little-endian."""

    name: str
    models: Models = field(default_factory=Models)

    @cached_property
    def _weights(self) -> Weights:
        return exact(self.name)

    @cached_property
    def digest(self) -> str:
        return manifest_digest(self.name)

    @cached_property
    def layouts(self) -> str:
        return digest(layouts_of(self.name))

    @cached_property
    def memory(self) -> int:
        return sum(constant.nbytes for constant in self._weights.constants.values())

    @cached_property
    def macs(self) -> int:
        return sum(constant.size for name, constant in self._weights.constants.items() if constant.ndim > 1)

    def words(self, request: Request, raw: bytes) -> int:
        try:
            check_run(self._weights, self._ids(raw), request["limit"])
            self._pass_nodes(request["temperature"], *asked_among(request).items())
        except (InputError, InferenceError) as error:
            raise Refusal("unrunnable", f"{self.name}: {error}") from None
        return int(request["limit"])

    def shape(self, request: Request, raw: bytes) -> Shape:
        limit, terms = self.words(request, raw), (request["temperature"], *asked_among(request).items())
        tokens = len(raw) // 4
        passes = -(-tokens // CHUNK) + limit - 1
        return Shape(self._graph(tokens + limit, *terms), passes * self._pass_nodes(*terms) + 1, 1, limit)

    @cached_property
    def _pass_nodes(self) -> Callable[..., int]:
        """Nodes of each pass, by temperature and among which tokens is drawn."""

        def nodes(temperature: int, *among: tuple[str, int]) -> int:
            return len(self._least(temperature, among).nodes) - 1

        return lru_cache(REMEMBERED)(nodes)

    @cached_property
    def _graph(self) -> Callable[..., str]:
        """Digest of the graph, by tokens in all and how they are drawn."""

        def graph(tokens: int, temperature: int, *among: tuple[str, int]) -> str:
            least = self._least(temperature, among)
            drawn = least.temperature, least.model_digest, least.among
            return digests(self._weights, [0], tokens - 1, *drawn)["graph"]

        return lru_cache(REMEMBERED)(graph)

    def _least(self, temperature: int, among: tuple[tuple[str, int], ...]) -> Inference:
        """The run of one token that is drawn so."""
        request = {"limit": 1, "temperature": temperature, "seed": "0", **dict(among)}
        return self._inference(request, [0])

    def computation(self, request: Request, raw: bytes) -> Computation:
        return self._inference(request, self._ids(raw))

    def _inference(self, request: Request, ids: list[int]) -> Inference:
        task = Task(
            self.name,
            tuple(ids),
            request["limit"],
            request["temperature"],
            int(request["seed"]),
            **asked_among(request),
        )
        run = self.models.computation(task, "numpy", None)
        assert isinstance(run, Inference), "of a model of language"
        return run

    def _ids(self, raw: bytes) -> list[int]:
        vocabulary = self._weights.measures["vocabulary"]
        ids = np.frombuffer(raw, "<i4").tolist() if len(raw) % 4 == 0 else []
        if not ids or not 0 <= min(ids) <= max(ids) < vocabulary:
            raise Refusal("unrunnable", f"{self.name}: an input is tokens from 0 to {vocabulary - 1}, 4 bytes each")
        return ids

    def input(self, prompt: str | Sequence[int]) -> bytes:
        """The bytes of a prompt: its text, taken raw, or its tokens."""
        ids = self.models.tokens(self.name, prompt) if isinstance(prompt, str) else list(prompt)
        return np.array(ids, "<i4").tobytes()
