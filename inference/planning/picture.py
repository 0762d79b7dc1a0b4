"""The plan of a latent diffusion model: text encoders, a call of the UNet, the decoder of a picture.

Graphs are those of ``models.diffusion`` in exact arithmetic, without numbers. Ops that have no kernel yet (layer norm,
GELU, GEGLU) stand in them with their shapes and work alone: such a graph is planned and cannot be run.
"""

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np

from inference import ops
from inference.device.target import Target
from inference.errors import InputError
from inference.files.blocks import pack_plain
from inference.graph import WORD, Cost, plan, schedule
from inference.graph import cost_of as of_op
from inference.models import configurations
from inference.models.diffusion import networks, parameters
from inference.models.layers import Layers, Tensor
from inference.ops import Shape
from inference.planning.plan import Plan
from inference.planning.stage import GPU, Stage, packed

PLANNED = ("layer_norm", "gelu", "quick_gelu", "geglu", "causal_attention")
"""Ops without a kernel yet."""
LATENT = 8
"""Pixels of a side that one latent stands for, where the autoencoder has four blocks."""
SMALLEST, LARGEST = 64, 2048


class Planned(Layers):
    """Layers without numbers, those among them that no op computes yet."""

    def _planned(self, name: str, op: str, inputs: list[str], shape: Shape, work: int) -> Tensor:
        self.graph.add_node(
            name, kind="op", op=op, inputs=tuple(inputs), attributes={}, state=None, shape=shape, work=work
        )
        self.graph.add_edges_from((source, name) for source in inputs)
        return self.made(name)

    def layer_norm(self, name: str, x: Tensor, parameters: str, *, epsilon: float) -> Tensor:
        """Of each pixel or token."""
        affine, _ = self._affine(f"{name}.affine", parameters, None)
        return self._planned(name, "layer_norm", [x.node, affine], x.shape, 4 * prod(x.shape))

    def activation(self, name: str, x: Tensor, *, kind: str = "silu") -> Tensor:
        """silu, gelu or quick_gelu."""
        if kind == "silu":
            return super().activation(name, x)
        return self._planned(name, kind, [x.node], x.shape, 2 * prod(x.shape))

    def geglu(self, name: str, x: Tensor) -> Tensor:
        """Half of the channels times gelu of the others."""
        shape = (*x.shape[:-1], x.shape[-1] // 2)
        return self._planned(name, "geglu", [x.node], shape, 3 * prod(shape))

    def attention(self, name: str, q: Tensor, k: Tensor, v: Tensor, *, heads: int, causal: bool = False) -> Tensor:
        """Of all keys, or of those up to each query's place."""
        if not causal:
            return super().attention(name, q, k, v, heads=heads)
        work = 2 * q.shape[0] * k.shape[0] * q.shape[1]
        return self._planned(name, "causal_attention", [q.node, k.node, v.node], q.shape, work)

    def embedding(self, name: str, ids: Tensor, parameters: str) -> Tensor:
        """Of a text at its places."""
        names = [f"{parameters}.{part}_embedding.weight" for part in ("token", "position")]
        weights = [self.weight(each, np.broadcast_to(np.zeros((), np.int16), self.shapes[each])) for each in names]
        self._op(name, "text_embedding", [ids.node, *weights], {})
        return Tensor(name, self.fixed(2**16, 0), self.graph.nodes[name]["shape"])

    def row(self, name: str, x: Tensor, index: int) -> Tensor:
        """One row of a text."""
        self._op(name, "row", [x.node], {}, index=index)
        return self._kept(name, x)


def configuration(name: str) -> Mapping[str, Any] | None:
    """The configuration of a diffusion model by name; None where the name is another model's or nobody's."""
    found = configurations.named(name) if name in configurations.names() else {}
    return found if "unet" in found else None


def picture_plan(name: str, config: Mapping[str, Any], size: int | None = None) -> Plan:
    """Every network once, for a picture of so many pixels a side: where None as many as the model was made for.

    Raises:
        InputError: a size that is not allowed.
    """
    unet, vae = config["unet"], config["vae"]
    scale = LATENT if size is None else 2 ** (len(vae["block_out_channels"]) - 1)
    if size is None:
        size = unet["sample_size"] * scale
    multiple = scale * 2 ** (len(unet["block_out_channels"]) - 1)
    if size % multiple or not SMALLEST <= size <= LARGEST:
        raise InputError(
            f"--size {size} is not allowed; multiples of {multiple} from {SMALLEST} to {LARGEST} pixels are"
        )
    side = size // scale
    counts = {
        key: count(parameters.text_encoder(config[key])) for key in ("text_encoder", "text_encoder_2") if key in config
    }
    counts |= {"unet": count(parameters.unet(unet)), "vae": count(parameters.autoencoder(vae))}
    stages = [_text(key, config[key], two="text_encoder_2" in config) for key in counts if key.startswith("text")]
    stages += [unet_stage(unet, side), decoder_stage(vae, side)]
    return Plan(name, None, counts, stages, "16 bits", size=size)


def count(shapes: Mapping[str, Shape]) -> int:
    """Numbers of parameters."""
    return sum(map(prod, shapes.values()))


def _text(name: str, config: Mapping[str, Any], two: bool) -> Stage:
    layers = Planned("exact", parameters.text_encoder(config))
    positions = config["max_position_embeddings"]
    ids = layers.input("tokens", (positions,))
    networks.text_encoder(layers, config, ids, penultimate=two, last=positions - 1)
    return picture_stage(name, layers)


def unet_stage(config: Mapping[str, Any], side: int) -> Stage:
    """A call of the UNet for latents of so many a side."""
    layers = Planned("exact", parameters.unet(config))
    latents = layers.input("latents", (side, side, config["in_channels"]))
    step = layers.input("step", (1, config["block_out_channels"][0]))
    context = layers.input("context", (77, config["cross_attention_dim"]))
    summed = config.get("addition_embed_type")
    added = layers.input("added", (1, config["projection_class_embeddings_input_dim"])) if summed else None
    networks.unet(layers, config, latents, step, context, added)
    return picture_stage("unet", layers)


def decoder_stage(config: Mapping[str, Any], side: int) -> Stage:
    """The decoder of latents of so many a side."""
    layers = Planned("exact", parameters.decoder(config))
    latents = layers.input("latents", (side, side, config["latent_channels"]))
    networks.decoder(layers, config, latents)
    return picture_stage("vae", layers)


def picture_stage(name: str, layers: Layers, target: Target = GPU) -> Stage:
    """What a graph takes of whose ops some have no kernel: what those read lies as it is."""
    graph, arithmetic = layers.graph, layers.arithmetic
    costs: dict[str, Cost] = {}
    weights: dict[str, int] = {}
    workspace, most = 0, 0
    for node in schedule(graph):
        described = graph.nodes[node]
        shapes = [graph.nodes[source]["shape"] for source in described["inputs"]]
        packs: list[Any] = [pack_plain] * len(shapes)
        if described["op"] in PLANNED:
            moved = WORD * (prod(described["shape"]) + sum(map(prod, shapes)))
            costs[node] = Cost(described["work"], moved)
        else:
            module, attributes = ops.load(described["op"]), described["attributes"]
            costs[node] = of_op(graph, node)
            given = ops.arguments(described["op"], arithmetic, attributes)
            packs = [getattr(module, "PACK", {}).get(argument, pack_plain) for argument in given]
            if hasattr(module, "workspace"):
                workspace = max(workspace, WORD * module.workspace(*shapes, lanes=target.lanes, **attributes))
            groups = module.workgroups(described["shape"], lanes=target.lanes, arithmetic=arithmetic, **attributes)
            most = max(most, *groups)
        for source, pack in zip(described["inputs"], packs, strict=False):
            if graph.nodes[source]["kind"] == "weight":
                weights[f"{name} weight {source} {pack.__name__}"] = packed(pack, layers.constants[source])
    sizes = {f"{name} activation {index}": WORD * words for index, words in enumerate(plan(graph).words)}
    for node, described in graph.nodes.items():
        if described["kind"] == "input":
            sizes[f"{name} input {node}"] = WORD * prod(described["shape"])
    return Stage(name, graph, costs, weights, sizes | ({f"{name} workspace": workspace} if workspace else {}), most)
