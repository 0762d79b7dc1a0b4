"""What a worker computes with: models in integers on one backend, committed to as they run."""

import time
from collections.abc import Callable, Mapping
from functools import cache
from itertools import accumulate
from typing import Any

from experiments.marketplace.messages import Preflight
from experiments.marketplace.models import Known, Language, computation_of
from inference.commands.backends import opened
from inference.computation import Inference
from inference.generate import Backend
from verification.computation import Computation, Outputs, output_of
from verification.inference_models import exact, manifest_digest
from verification.several import Several
from verification.task import MILLION
from verification.trace import Trace, record

PROBE = list(range(1, 9)), 4
"""Prompt and limit of what is measured."""
Told = Callable[[float, int, int | None], None]
"""Is told what share of a lease is done, and of which of its requests there is a new token, if there is one."""


class Machine:
    """Models on a backend. Everything but ``preflight`` takes long and is called in one thread.

    Args:
        memory: bytes that a model may take.
    """

    def __init__(self, names: list[str], backend: str, adapter: str | None, memory: int) -> None:
        self.names, self.memory = names, memory
        self.known: Mapping[str, Known] = {}
        self.adapter = backend
        self._open = lambda name: opened(exact(name), backend, adapter)
        self._backend = cache(self._opened)

    def prepare(self) -> Preflight:
        """Read the models, open the backend; what the device can hold.

        Raises:
            InputError: see ``opened``.
        """
        languages = [Language(name) for name in self.names]
        self.known = {model.digest: model for model in languages}
        for model in languages:
            self._backend(model.name)
        return Preflight(adapter=self.adapter, memory=self.memory)

    def _opened(self, name: str) -> Backend:
        backend, self.adapter = self._open(name)
        return backend

    def measure(self, name: str) -> tuple[float, float]:
        """Multiply-accumulates and new tokens a second of a run that is committed to, the second: when all is warm."""
        prompt, limit = PROBE
        for _ in range(2):
            run = self.run(name, prompt, limit=limit)
            began = time.perf_counter()
            record(run)
            seconds = time.perf_counter() - began
        return run.macs / seconds, limit / seconds

    def compute(self, requests: list[dict[str, Any]], inputs: Mapping[str, bytes], told: Told) -> Trace:
        """The trace of a lease, computed on the backend, from which disputes are played in numpy."""
        referee = computation_of(self.known, requests, inputs)
        runs = [self._run_of(asked, inputs) for asked in requests]
        run: Computation = runs[0] if len(runs) == 1 else Several(runs)
        starts = [0, *accumulate(len(each.nodes) for each in runs)]
        choices = {starts[at] + node: at for at, each in enumerate(runs) for node in each.choices}

        def see(first: int, outputs: Outputs) -> None:
            last = first + len(outputs.starts)
            chosen = [node for node in range(first, last) if node in choices]
            share = last / len(run.nodes)
            for node in chosen:
                words = output_of(outputs, node - first)
                if len(words):
                    told(share, choices[node], int(words[-1, 0]))
            if not chosen:
                told(share, 0, None)

        trace = record(run, see=see)
        trace.computation = referee
        return trace

    def _run_of(self, asked: Mapping[str, Any], inputs: Mapping[str, bytes]) -> Inference:
        prompt = computation_of(self.known, [asked], inputs)
        assert isinstance(prompt, Inference)
        terms = {"temperature": asked["temperature"] / MILLION, "seed": int(asked["seed"]), "among": prompt.among}
        return self.run(self.known[asked["model"]].name, prompt.ids, limit=asked["limit"], **terms)

    def run(self, name: str, ids: list[int], **terms: Any) -> Inference:
        """A run of a prompt on the backend; ``terms`` as ``Inference`` takes them."""
        return Inference(self._backend(name), ids, model_digest=manifest_digest(name), **terms)
