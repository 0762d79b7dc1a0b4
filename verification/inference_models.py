"""Inference as the source of the computations that are disputed. The one file here that imports inference."""

from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np

from inference import models
from inference.computation import Inference
from inference.generate import CHUNK
from inference.likeliest import among
from inference.model import Checkpoint, Model
from inference.models.llama import check, model
from inference.reference import Reference
from inference.tokens.text import Text
from verification.commands.source import Backend
from verification.encoding.canonical import digest
from verification.errors import InputError
from verification.manifest import ProvenTiles, manifest
from verification.task import MILLION, Task
from verification.tile_store import Store

COARSE = 1
"""Bits that the adversary of coarser weights leaves out of each."""


@cache
def found(name: str) -> Checkpoint:
    """A model's weights, read once."""
    return models.find(name)


@cache
def exact(name: str) -> Model:
    """A model in integers, made once."""
    return model(name, found(name), "exact")


@cache
def manifest_digest(name: str) -> str:
    """The digest by which parties name a model."""
    return digest(manifest(exact(name)))


def cheaper(right: Model, adversary: str) -> Model:
    """Of the same schedule and formats: the last third of the layers adding nothing, or weights of fewer bits."""
    constants = dict(right.constants)
    if adversary == "fewer-layers":
        first = right.measures["layers"] - max(1, right.measures["layers"] // 3)
        for name in constants:
            prefix, _, part = name.partition(".")
            if prefix.startswith("layer") and int(prefix[5:]) >= first and part in ("output.blocks", "down.blocks"):
                constants[name] = np.zeros_like(constants[name])
    else:
        for name in constants:
            if name.endswith(".q"):
                constants[name] = (constants[name] >> COARSE) << COARSE
    return replace(right, constants=constants)


@dataclass(frozen=True)
class Models:
    """Inference as a source of computations."""

    devices: dict[tuple[Backend, str | None], object] = field(default_factory=dict)
    prompt_chunk: int = CHUNK

    def tokens(self, name: str, prompt: str) -> list[int]:
        """The prompt, taken raw."""
        llama = found(name)
        return Text(llama.tokenizer, llama.vocabulary).encode(prompt)

    def model(self, name: str) -> Model:
        """In integers."""
        return exact(name)

    def computation(self, task: Task, backend: Backend, adapter: str | None) -> Inference:
        """The task's run."""
        return self._inference(exact(task.model), task, backend, adapter, manifest_digest(task.model))

    def stored(self, task: Task, store: Store) -> Inference:
        """The task's steps, whose constants are loaded from a store, tile by tile.

        Raises:
            InputError: the store's manifest is no Llama's.
        """
        sketched = replace(Model.sketched(store.content), name=str(store.folder))
        check(sketched)
        made = self._inference(sketched, task, "numpy", None, digest(store.content))
        made.tiles = ProvenTiles(store.content, store.tile)
        return made

    def substitute(self, task: Task, adversary: str, backend: Backend, adapter: str | None) -> Inference:
        """What the adversary runs instead.

        Raises:
            InputError: another seed where no choice is random.
        """
        right = exact(task.model)
        if adversary == "wrong-seed":
            if not task.temperature:
                raise InputError("wrong-seed needs --temperature above 0: at 0 no choice is random")
            return self._inference(right, replace(task, seed=(task.seed + 1) % 2**64), backend, adapter)
        if adversary == "wrong-input":
            last = (task.prompt[-1] + 1) % right.measures["vocabulary"]
            return self._inference(right, replace(task, prompt=(*task.prompt[:-1], last)), backend, adapter)
        return self._inference(cheaper(right, adversary), task, backend, adapter)

    def _inference(
        self, used: Model, task: Task, backend: Backend, adapter: str | None, named: str | None = None
    ) -> Inference:
        options: dict[str, Any] = {"limit": task.limit, "temperature": task.temperature, "seed": task.seed}
        options |= {
            "among": among(task.top_k, 1 if task.top_p is None else task.top_p / MILLION),
            "model_digest": named,
        }
        if backend == "numpy":
            return Inference(Reference(used), list(task.prompt), **options)
        from inference.device.device import Device
        from inference.device.runtime import Runtime

        if (backend, adapter) not in self.devices:
            self.devices[backend, adapter] = Device(backend, adapter)
        return Inference(Runtime(used, self.devices[backend, adapter]), list(task.prompt), **options)  # type: ignore[arg-type]
