"""Inference as the source of the computations that are disputed. The one file here that imports inference."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

from inference import models
from inference.computation import Inference
from inference.generate import CHUNK
from inference.likeliest import among
from inference.model import Checkpoint, Model
from inference.models.diffusion.directory import GUIDANCE, STEPS, Directory, read
from inference.models.diffusion.latent import LatentDiffusion
from inference.models.llama import check, model
from inference.models.terrain import CLASSES, Terrain, inputs, terrain
from inference.picture import LatentPicture, Picture
from inference.reference import Reference
from inference.tokens.text import Text
from verification.commands.source import Backend, PictureAsked
from verification.encoding.canonical import digest
from verification.errors import InputError
from verification.manifest import ProvenTiles, manifest
from verification.task import MILLION, Task
from verification.tile_store import Store

COARSE = 1
"""Bits that the adversary of coarser weights leaves out of each."""
Run = Inference | Picture | LatentPicture


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


def prompted(name: str) -> bool:
    """Whether a model makes pictures of prompts: a directory as diffusers writes it."""
    return (Path(name) / "model_index.json").is_file()


@cache
def directory(name: str) -> Directory:
    """Such a directory, read once."""
    return read(Path(name))


@cache
def diffusion(name: str, size: int) -> LatentDiffusion:
    """Its model in integers for pictures of so many pixels a side, made once."""
    of = directory(name)
    return LatentDiffusion(Path(name).name, of.config, of.load, "exact", size)


@cache
def exact(name: str, size: int | None = None) -> Model:
    """A model in integers, made once; of pictures of so many pixels a side, where a task says."""
    if prompted(name):
        return diffusion(name, directory(name).size if size is None else size).model
    return drawing(name).model if draws(name) else model(name, found(name), "exact")


@cache
def manifest_digest(name: str, size: int | None = None) -> str:
    """The digest by which parties name a model."""
    return digest(manifest(exact(name, size)))


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


def cheaper_network(right: Model, graph: nx.DiGraph, adversary: str) -> Model:
    """Of the same schedule and formats: the last third of a graph's convolutions giving 0, or weights of fewer bits."""
    nodes = [node for _, node in graph.nodes(data=True) if node["kind"] == "op" and node["op"] == "conv"]
    weights = list(dict.fromkeys(node["inputs"][1] for node in nodes))
    constants = dict(right.constants)
    if adversary == "fewer-layers":
        constants |= {name: np.zeros_like(constants[name]) for name in weights[-(len(weights) // 3) :]}
    else:
        constants |= {name: (constants[name] >> COARSE) << COARSE for name in weights}
    return replace(right, constants=constants)


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
        if prompted(name):
            if text is None or drawn is not None:
                raise InputError(f"{name} draws what a text says: give a --prompt, and no --class")
            return _joined(directory(name).ids(text))
        if draws(name):
            if drawn is None or text is not None:
                raise InputError(f"{name} draws: give a --class, and no --prompt")
            inputs(None, drawn, 0)
            return [drawn]
        if text is None or drawn is not None:
            raise InputError("give a --prompt" if drawn is None else f"{name} does not draw: --class is for terrain")
        return self.tokens(name, text)

    def picture(self, name: str, asked: PictureAsked) -> dict[str, Any]:
        """Of a directory's model; else nothing may be asked for.

        Raises:
            InputError: it is, or a size that is not allowed.
        """
        if not prompted(name):
            if given := asked.given:
                raise InputError(f"{given[0]} is of a directory's model, which draws what a prompt says")
            return {}
        of = directory(name)
        negative, size = of.negative(asked.negative_prompt), of.size if asked.size is None else asked.size
        diffusion(name, size)
        said = {
            "guidance": round(GUIDANCE * MILLION) if asked.guidance is None else asked.guidance,
            "steps": STEPS if asked.steps is None else asked.steps,
            "size": size,
        }
        return said if negative is None else said | {"negative": tuple(_joined(negative))}

    def tokens(self, name: str, prompt: str) -> list[int]:
        """The prompt, taken raw."""
        llama = found(name)
        return Text(llama.tokenizer, llama.vocabulary).encode(prompt)

    def model(self, name: str) -> Model:
        """In integers."""
        return exact(name)

    def computation(self, task: Task, backend: Backend, adapter: str | None) -> Run:
        """The task's run."""
        named = manifest_digest(task.model, task.size)
        if prompted(task.model):
            used = _diffusion(task)
            return self._prompted(used, used.model, task, backend, adapter, named)
        if draws(task.model):
            return self._picture(drawing(task.model), task, backend, adapter, named)
        return self._inference(exact(task.model), task, backend, adapter, named)

    def stored(self, task: Task, store: Store) -> Inference:
        """The task's steps, whose constants are loaded from a store, tile by tile.

        Raises:
            InputError: the store's manifest is no Llama's.
        """
        if draws(task.model) or prompted(task.model):
            raise InputError(f"{task.model} is read from its own file: steps of pictures are not computed from tiles")
        sketched = replace(Model.sketched(store.content), name=str(store.folder))
        check(sketched)
        made = self._inference(sketched, task, "numpy", None, digest(store.content))
        made.tiles = ProvenTiles(store.content, store.tile)
        return made

    def substitute(self, task: Task, adversary: str, backend: Backend, adapter: str | None) -> Run:
        """What the adversary runs instead.

        Raises:
            InputError: another seed where no choice is random.
        """
        another = replace(task, seed=(task.seed + 1) % 2**64)
        if prompted(task.model):
            used = _diffusion(task)
            if adversary == "wrong-seed":
                return self._prompted(used, used.model, another, backend, adapter)
            if adversary == "wrong-input":  # another first word, after the token with which texts begin
                begin, first, *rest = task.prompt
                another = replace(task, prompt=(begin, int(not first), *rest))
                return self._prompted(used, used.model, another, backend, adapter)
            runs = cheaper_network(used.model, used.unet.graph, adversary)
            return self._prompted(used, runs, task, backend, adapter)
        if draws(task.model):
            drawn = drawing(task.model)
            if adversary == "wrong-seed":
                return self._picture(drawn, another, backend, adapter)
            if adversary == "wrong-input":
                other = (task.prompt[0] % CLASSES + 1,)
                return self._picture(drawn, replace(task, prompt=other), backend, adapter)
            cheap_one = replace(drawn, model=cheaper_network(drawn.model, drawn.graph, adversary))
            return self._picture(cheap_one, task, backend, adapter)
        right = exact(task.model)
        if adversary == "wrong-seed":
            if not task.temperature:
                raise InputError("wrong-seed needs --temperature above 0: at 0 no choice is random")
            return self._inference(right, another, backend, adapter)
        if adversary == "wrong-input":
            last = (task.prompt[-1] + 1) % right.measures["vocabulary"]
            return self._inference(right, replace(task, prompt=(*task.prompt[:-1], last)), backend, adapter)
        return self._inference(cheaper(right, adversary), task, backend, adapter)

    def _inference(
        self, used: Model, task: Task, backend: Backend, adapter: str | None, named: str | None = None
    ) -> Inference:
        _without_picture(task)
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
        _without_picture(task)
        on = self._on(used.model, backend, adapter)
        return Picture(on, used, task.prompt[0], task.seed, model_digest=named)

    def _prompted(
        self,
        used: LatentDiffusion,
        runs: Model,
        task: Task,
        backend: Backend,
        adapter: str | None,
        named: str | None = None,
    ) -> LatentPicture:
        if (task.limit, task.millionths) != (1, 0) or task.top_k or task.top_p:
            raise InputError("a picture's task has a seed: no temperature, top-k or top-p")
        if task.guidance is None or task.steps is None:
            raise InputError("the task of a picture of a prompt has guidance, steps and size")
        texts = _parted(used, task.prompt), None if task.negative is None else _parted(used, task.negative)
        passes = used.passes(*texts, guidance=task.guidance / MILLION, steps=task.steps, seed=task.seed)
        # As an order's: guidance and steps are of the graph and of what its passes are given, the size of the model.
        terms = {"seed": str(task.seed), "temperature": "0.0", "limit": "1"}
        return LatentPicture(self._on(runs, backend, adapter), passes, terms, model_digest=named)

    def _on(self, used: Model, backend: Backend, adapter: str | None) -> Reference | Any:
        """A model on a backend; a device is opened once."""
        if backend == "numpy":
            return Reference(used)
        from inference.device.device import Device
        from inference.device.runtime import Runtime

        if (backend, adapter) not in self.devices:
            self.devices[backend, adapter] = Device(backend, adapter)
        return Runtime(used, self.devices[backend, adapter])  # type: ignore[arg-type]


def _without_picture(task: Task) -> None:
    """Else one run would have many tasks."""
    if any(said is not None for said in (task.guidance, task.steps, task.size, task.negative)):
        raise InputError("guidance, steps, size and a negative prompt are of a directory's model, which draws prompts")


def _diffusion(task: Task) -> LatentDiffusion:
    return diffusion(task.model, directory(task.model).size if task.size is None else task.size)


def _joined(texts: dict[str, list[int]]) -> list[int]:
    """The ids of every encoder, one after another."""
    return [number for ids in texts.values() for number in ids]


def _parted(used: LatentDiffusion, ids: Sequence[int]) -> dict[str, list[int]]:
    """As ``_joined`` joins them.

    Raises:
        InputError: so many ids are of no text, or one is in no vocabulary.
    """
    places = [used.config[folder]["max_position_embeddings"] for folder in used.encoders]
    if len(ids) != sum(places):
        raise InputError(f"a text of {used.name} has {sum(places)} tokens, not {len(ids)}")
    texts = {}
    for index, folder in enumerate(used.encoders):
        start, most = sum(places[:index]), used.config[folder]["vocab_size"]
        texts[folder] = list(ids[start : start + places[index]])
        if wrong := [number for number in texts[folder] if number >= most]:
            raise InputError(f"token {wrong[0]} is not in the vocabulary of {used.name}: 0 to {most - 1}")
    return texts
