"""A latent diffusion model ready to run: a picture as passes over graphs, from a prompt and a seed.

    text, negative     what the text encoders say of the prompt and of what the picture is not to be
    start              noise of the seed, at the deviation at which the schedule begins: latents
    eps 01, negative 01, step 01, eps 02 ..     the UNet for either text, and a step of the scheduler with guidance
    picture            the decoder, kept to -1 .. 1

Latents are words of 20 fraction bits, kept to ±511. Without guidance (1 or less) nothing is negative.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt

from inference.arithmetic import tables
from inference.errors import InputError
from inference.graph import Arithmetic
from inference.model import Model
from inference.models.bands import BandedLayers
from inference.models.diffusion import networks, parameters, scheduler, structure
from inference.models.layers import Layers, Tensor
from inference.ops import Shape
from inference.passes import Link, Pass

ENCODERS = ("text_encoder", "text_encoder_2")
LATENTS, LIMIT = 20, 511
"""Fraction bits of latents, and what they are kept to."""
PICTURE = 24
"""Fraction bits of the exact picture."""
SINUSOIDS = 14
"""Fraction bits of cosines and sines, as in a table of rotations."""
BASE = 10000.0
Array = npt.NDArray[Any]
Load = Callable[[str, str], Array]
"""A parameter by folder and name."""


@dataclass(slots=True, eq=False)
class Made:
    """A graph and what of it later passes take."""

    graph: nx.DiGraph
    outputs: dict[str, Tensor]

    def links(self, index: int, **named: str) -> dict[str, Link]:
        """Inputs of a later pass, by their names there, from outputs of this one, pass ``index``, by theirs here."""
        found = {}
        for name, output in named.items():
            tensor = self.outputs[output]
            found[name] = Link(index, tensor.node)
            if tensor.scale in self.graph and self.graph.nodes[tensor.scale]["kind"] == "op":
                found[f"{name}.scale"] = Link(index, str(tensor.scale))
        return found


@dataclass(slots=True, eq=False)
class LatentDiffusion:
    """Networks of diffusers' configurations (``config``, by folder) for pictures of ``size`` pixels a side.

    Raises:
        InputError: a size that is not allowed, or what no network of ours has.
    """

    name: str
    config: Mapping[str, Any]
    load: Load | None
    """Without it constants have no numbers: passes to be planned, not run."""
    arithmetic: Arithmetic
    size: int
    model: Model = field(init=False)
    shape: Shape = field(init=False)
    """Of latents."""
    constants: dict[str, Array] = field(init=False, default_factory=dict)
    formats: dict[str, dict[str, int]] = field(init=False, default_factory=dict)
    texts: dict[tuple[int, ...], Made] = field(init=False, default_factory=dict)
    """By the rows that summaries are of."""
    unet: Made = field(init=False)
    decoder: Made = field(init=False)

    def __post_init__(self) -> None:
        unet, scale = self.config["unet"], 2 ** (len(self.config["vae"]["block_out_channels"]) - 1)
        multiple = scale * 2 ** (len(unet["block_out_channels"]) - 1)
        largest = structure.largest_side(self.config["vae"]) // multiple * multiple
        if self.size % multiple or not 0 < self.size <= largest:
            raise InputError(f"--size {self.size} is not allowed; multiples of {multiple} up to {largest} are")
        side = self.size // scale
        self.shape = (side, side, unet["in_channels"])
        text = self._text((0,) * len(self.encoders))
        start = self._start(scheduler.Schedule(1.0, [scheduler.Step(0, 1.0, 1.0, 0.0)]))
        self.unet = self._unet(start.outputs["scaled"], text)
        self.decoder = self._decoder(start.outputs["latents"])
        measures = {"height": self.size, "width": self.size}
        self.model = Model(self.name, self.arithmetic, measures, self.constants, {})

    @property
    def exact(self) -> bool:
        return self.arithmetic == "exact"

    @property
    def encoders(self) -> list[str]:
        """Folders of the text encoders."""
        return [folder for folder in ENCODERS if folder in self.config]

    def layers(
        self, shapes: Mapping[str, Shape], load: Callable[[str], Array] | None = None, kind: type[Layers] = Layers
    ) -> Layers:
        """A graph to be put together, its constants this model's."""
        return kind(self.arithmetic, shapes, load, constants=self.constants, formats=self.formats)

    def folder(self, *folders: str, kind: type[Layers] = Layers) -> Layers:
        """Layers of the parameters in some folders; those of text encoders begin with their folder's name."""
        read = {"unet": parameters.unet, "vae": parameters.decoder} | dict.fromkeys(ENCODERS, parameters.text_encoder)
        named = {
            (f"{folder}.{name}" if folder in ENCODERS else name): (folder, name, shape)
            for folder in folders
            for name, shape in read[folder](self.config[folder]).items()
        }
        shapes = {name: shape for name, (_, _, shape) in named.items()}
        load = self.load
        return self.layers(shapes, load and (lambda name: load(*named[name][:2])), kind)

    def _text(self, rows: tuple[int, ...]) -> Made:
        """Both encoders of a text whose summaries are of these rows."""
        if rows not in self.texts:
            layers, states, summary, two = self.folder(*self.encoders), [], None, len(self.encoders) == 2
            for folder, last in zip(self.encoders, rows, strict=True):
                config = self.config[folder]
                tokens = layers.tokens(f"{folder}.tokens", config["max_position_embeddings"])
                found, summary = networks.text_encoder(
                    layers, config, tokens, penultimate=two, last=last, prefix=f"{folder}."
                )
                states.append(found)
            outputs = {"context": layers.concatenate("context", *states) if two else states[0]}
            self.texts[rows] = Made(layers.graph, outputs | ({"summary": summary} if summary else {}))
        return self.texts[rows]

    def _nothing(self, text: Made) -> Made:
        """A text of zeros."""
        layers = self.layers({})
        terms = {name: layers.linked(f"{name}.of", tensor) for name, tensor in text.outputs.items()}
        return Made(layers.graph, {name: layers.combine(name, [(0.0, tensor)]) for name, tensor in terms.items()})

    def _start(self, schedule: scheduler.Schedule) -> Made:
        layers = self.layers({})
        latents = layers.combine(
            "latents", [(schedule.start, layers.noise("noise", self.shape))], limit=LIMIT, fixed=LATENTS
        )
        return Made(layers.graph, self._scaled(layers, latents, schedule.steps[0]))

    def _scaled(self, layers: Layers, latents: Tensor, step: scheduler.Step | None) -> dict[str, Tensor]:
        """Latents, and what the UNet reads of them at the next step."""
        outputs = {"latents": latents}
        return outputs | ({"scaled": layers.combine("scaled", [(step.input, latents)])} if step else {})

    def _unet(self, scaled: Tensor, text: Made) -> Made:
        layers, config, added = self.folder("unet"), self.config["unet"], None
        latents, context = layers.linked("latents", scaled), layers.linked("context", text.outputs["context"])
        step = layers.input("step", (1, config["block_out_channels"][0]), fraction=SINUSOIDS)
        if config.get("addition_embed_type"):
            sizes = layers.input("sizes", (1, 6 * config["addition_time_embed_dim"]), fraction=SINUSOIDS)
            added = layers.concatenate("added", layers.linked("summary", text.outputs["summary"]), sizes)
        return Made(layers.graph, {"eps": networks.unet(layers, config, latents, step, context, added)})

    def _step(self, step: scheduler.Step, following: scheduler.Step | None, guidance: float) -> Made:
        layers = self.layers({})
        eps = layers.linked("eps", self.unet.outputs["eps"])
        if guidance > 1:
            negative = layers.linked("negative", self.unet.outputs["eps"])
            eps = layers.combine("guided", [(guidance, eps), (1 - guidance, negative)])
        before = self._start_latents(layers)
        terms = [(step.kept, before), (step.added, eps)]
        latents = layers.combine("stepped", terms, limit=LIMIT, fixed=LATENTS)
        return Made(layers.graph, self._scaled(layers, latents, following))

    def _start_latents(self, layers: Layers) -> Tensor:
        """Latents of the pass before."""
        return layers.linked("latents", Tensor("latents", layers.fixed(LIMIT << LATENTS, -LATENTS), self.shape))

    def _decoder(self, latents: Tensor) -> Made:
        layers = self.folder("vae", kind=BandedLayers)
        drawn = networks.decoder(layers, self.config["vae"], layers.linked("latents", latents))
        return Made(layers.graph, {"picture": layers.combine("picture", [(1, drawn)], limit=1, fixed=PICTURE)})

    def passes(
        self,
        prompt: Mapping[str, list[int]],
        negative: Mapping[str, list[int]] | None,
        *,
        guidance: float,
        steps: int,
        seed: int,
    ) -> list[Pass]:
        """A picture; ``prompt`` and ``negative``: ids by the encoder's folder, as many as it has places; None: zeros.

        The last node of the last pass is the picture. The node ``latents`` of "start" and ``stepped`` of each step are
        the latents.

        Raises:
            InputError: steps, guidance or a seed that is not allowed.
        """
        schedule = scheduler.schedule(self.config["scheduler"], steps)
        made, guided = list[Pass](), guidance > 1
        texts = dict[str, dict[str, Link]]()
        for name, ids in {"text": prompt, "negative": negative}.items():
            if name == "negative" and not guided:
                continue
            if ids is None:
                zeros = self._nothing(self._text((0,) * len(self.encoders)))
                texts[name] = zeros.links(len(made), **{output: output for output in zeros.outputs})
                links = {f"{key}.of": link for key, link in texts["text"].items() if key in zeros.outputs}
                links |= {f"{key}.of.scale": texts["text"][f"{key}.scale"] for key in zeros.outputs if self.exact}
                made.append(Pass(name, zeros.graph, {}, links, count=0))
                continue
            text = self._text(tuple(last_row(self.config[folder], ids[folder]) for folder in self.encoders))
            texts[name] = text.links(len(made), **{output: output for output in text.outputs})
            given = {f"{folder}.tokens": np.array(ids[folder], np.int32) for folder in self.encoders}
            made.append(Pass(name, text.graph, given, count=0))
        begun = self._start(schedule)
        before, index = begun, len(made)
        made.append(Pass("start", begun.graph, {"seed": seed_words(seed)}, count=0))
        for at, step in enumerate(schedule.steps):
            eps = {}
            given = self._times(step.timestep)
            for name, text_links in texts.items():
                eps["eps" if name == "text" else name] = len(made)
                links = text_links | before.links(index, latents="scaled")
                label = "eps" if name == "text" else name
                made.append(Pass(f"{label} {at + 1:02d}", self.unet.graph, given, links, count=0))
            following = schedule.steps[at + 1] if at + 1 < len(schedule.steps) else None
            stepped = self._step(step, following, guidance)
            links = before.links(index, latents="latents")
            for name, of in eps.items():
                links |= self.unet.links(of, **{name: "eps"})
            before, index = stepped, len(made)
            made.append(Pass(f"step {at + 1:02d}", stepped.graph, {}, links, count=0))
        made.append(Pass("picture", self.decoder.graph, {}, before.links(index, latents="latents"), count=0))
        return made

    def _times(self, timestep: int) -> dict[str, Array]:
        """What the UNet is told of the step, and of the sizes."""
        config = self.config["unet"]
        given = {"step": self._sinusoids([timestep], config["block_out_channels"][0])}
        if config.get("addition_embed_type"):
            sizes = [self.size, self.size, 0, 0, self.size, self.size]
            given["sizes"] = self._sinusoids(sizes, config["addition_time_embed_dim"])
        return given

    def _sinusoids(self, values: list[int], width: int) -> Array:
        if self.arithmetic == "float32":
            return scheduler.sinusoids([float(value) for value in values], width)
        turned = tables.rotations(max(values) + 1, width, BASE)[values]
        return np.concatenate((turned[..., 0], turned[..., 1]), axis=1).reshape(1, -1)


def last_row(config: Mapping[str, Any], ids: list[int]) -> int:
    """The row of which a text's summary is: that of its end, or, as transformers reads configurations whose
    ``eos_token_id`` is 2, of its largest id."""
    end = config.get("eos_token_id", 2)
    if end == 2 or end not in ids:
        return int(np.argmax(ids))
    return ids.index(end)


def seed_words(seed: int) -> npt.NDArray[np.int32]:
    """Of the node that draws noise.

    Raises:
        InputError: a seed that is not allowed.
    """
    if not 0 <= seed < 2**64:
        raise InputError(f"--seed {seed} is not allowed; 0 to 2^64 - 1")
    return np.array([seed & 2**32 - 1, seed >> 32], np.uint32).view(np.int32)
