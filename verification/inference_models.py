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
from inference.models.terrain import CLASSES, Terrain, inputs, terrain
from inference.picture import Picture
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
def drawing(name: str) -> Terrain:
    """A model of pictures in integers, made once."""
    return terrain(name, "exact")


def draws(name: str) -> bool:
    """Whether a model makes pictures."""
    return name == "terrain" or name.endswith(".onnx")


@cache
def exact(name: str) -> Model:
    """A model in integers, made once."""
    return drawing(name).model if draws(name) else model(name, found(name), "exact")


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


def cheaper_drawing(right: Terrain, adversary: str) -> Terrain:
    """Of the same schedule and formats: the last third of the convolutions giving 0, or weights of fewer bits."""
    nodes = [node for _, node in right.graph.nodes(data=True) if node["kind"] == "op" and node["op"] == "conv"]
    weights = list(dict.fromkeys(node["inputs"][1] for node in nodes))
    constants = dict(right.model.constants)
    if adversary == "fewer-layers":
        constants |= {name: np.zeros_like(constants[name]) for name in weights[-(len(weights) // 3) :]}
    else:
        constants |= {name: (constants[name] >> COARSE) << COARSE for name in weights}
    return replace(right, model=replace(right.model, constants=constants))


@dataclass(frozen=True)
class Models:
    """Inference as a source of computations."""

    devices: dict[tuple[Backend, str | None], object] = field(default_factory=dict)
    prompt_chunk: int = CHUNK

    def prompt(self, name: str, text: str | None, drawn: int | None) -> list[int]:
        """The text's tokens, taken raw, or the picture's class.

        Raises:
            InputError: the one that the model wants is not given, or the other one is.
        """
        if draws(name):
            if drawn is None or text is not None:
                raise InputError(f"{name} draws: give a --class, and no --prompt")
            inputs(None, drawn, 0)
            return [drawn]
        if text is None or drawn is not None:
            raise InputError("give a --prompt" if drawn is None else f"{name} does not draw: --class is for terrain")
        return self.tokens(name, text)

    def tokens(self, name: str, prompt: str) -> list[int]:
        """The prompt, taken raw."""
        llama = found(name)
        return Text(llama.tokenizer, llama.vocabulary).encode(prompt)

    def model(self, name: str) -> Model:
        """In integers."""
        return exact(name)

    def computation(self, task: Task, backend: Backend, adapter: str | None) -> Inference | Picture:
        """The task's run."""
        named = manifest_digest(task.model)
        if draws(task.model):
            return self._picture(drawing(task.model), task, backend, adapter, named)
        return self._inference(exact(task.model), task, backend, adapter, named)

    def stored(self, task: Task, store: Store) -> Inference:
        """The task's steps, whose constants are loaded from a store, tile by tile.

        Raises:
            InputError: the store's manifest is no Llama's.
        """
        if draws(task.model):
            raise InputError(f"{task.model} is read from its own file: steps of pictures are not computed from tiles")
        sketched = replace(Model.sketched(store.content), name=str(store.folder))
        check(sketched)
        made = self._inference(sketched, task, "numpy", None, digest(store.content))
        made.tiles = ProvenTiles(store.content, store.tile)
        return made

    def substitute(self, task: Task, adversary: str, backend: Backend, adapter: str | None) -> Inference | Picture:
        """What the adversary runs instead.

        Raises:
            InputError: another seed where no choice is random.
        """
        if draws(task.model):
            drawn = drawing(task.model)
            if adversary == "wrong-seed":
                return self._picture(drawn, replace(task, seed=(task.seed + 1) % 2**64), backend, adapter)
            if adversary == "wrong-input":
                other = (task.prompt[0] % CLASSES + 1,)
                return self._picture(drawn, replace(task, prompt=other), backend, adapter)
            return self._picture(cheaper_drawing(drawn, adversary), task, backend, adapter)
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
        return Inference(self._on(used, backend, adapter), list(task.prompt), **options)

    def _picture(
        self, used: Terrain, task: Task, backend: Backend, adapter: str | None, named: str | None = None
    ) -> Picture:
        if (len(task.prompt), task.limit, task.millionths) != (1, 1, 0) or task.top_k or task.top_p:
            raise InputError("a picture's task has a class and a seed: no temperature, top-k or top-p")
        on = self._on(used.model, backend, adapter)
        return Picture(on, used, task.prompt[0], task.seed, model_digest=named)

    def _on(self, used: Model, backend: Backend, adapter: str | None) -> Reference | Any:
        """A model on a backend; a device is opened once."""
        if backend == "numpy":
            return Reference(used)
        from inference.device.device import Device
        from inference.device.runtime import Runtime

        if (backend, adapter) not in self.devices:
            self.devices[backend, adapter] = Device(backend, adapter)
        return Runtime(used, self.devices[backend, adapter])  # type: ignore[arg-type]
