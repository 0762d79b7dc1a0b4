"""The plan of a latent diffusion model: text encoders, a call of the UNet, the decoder of a picture.

Graphs are those of ``models.diffusion`` in exact arithmetic, without numbers.
"""

from collections.abc import Mapping
from math import prod
from typing import Any

from inference import ops
from inference.device.target import Target
from inference.errors import InputError
from inference.graph import WORD, Cost, cost_of, plan, schedule
from inference.models import configurations
from inference.models.bands import BandedLayers
from inference.models.diffusion import networks, parameters, structure
from inference.models.layers import Layers
from inference.ops import Shape
from inference.planning.plan import Plan
from inference.planning.stage import GPU, Stage, packed

LATENT = 8
"""Pixels of a side that one latent stands for, where the autoencoder has four blocks."""
SMALLEST = 64


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
    largest = structure.largest_side(vae) // multiple * multiple
    if size % multiple or not SMALLEST <= size <= largest:
        raise InputError(
            f"--size {size} is not allowed; multiples of {multiple} from {SMALLEST} to {largest} pixels are"
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
    layers = Layers("exact", parameters.text_encoder(config))
    positions = config["max_position_embeddings"]
    ids = layers.tokens("tokens", positions)
    networks.text_encoder(layers, config, ids, penultimate=two, last=positions - 1)
    return picture_stage(name, layers)


def unet_stage(config: Mapping[str, Any], side: int) -> Stage:
    """A call of the UNet for latents of so many a side."""
    layers = Layers("exact", parameters.unet(config))
    latents = layers.input("latents", (side, side, config["in_channels"]))
    step = layers.input("step", (1, config["block_out_channels"][0]))
    context = layers.input("context", (77, config["cross_attention_dim"]))
    summed = config.get("addition_embed_type")
    added = layers.input("added", (1, config["projection_class_embeddings_input_dim"])) if summed else None
    networks.unet(layers, config, latents, step, context, added)
    return picture_stage("unet", layers)


def decoder_stage(config: Mapping[str, Any], side: int) -> Stage:
    """The decoder of latents of so many a side."""
    layers = BandedLayers("exact", parameters.decoder(config))
    latents = layers.input("latents", (side, side, config["latent_channels"]))
    networks.decoder(layers, config, latents)
    return picture_stage("vae", layers)


def picture_stage(name: str, layers: Layers, target: Target = GPU) -> Stage:
    """What a graph takes."""
    graph = layers.graph
    costs: dict[str, Cost] = {}
    weights: dict[str, int] = {}
    workspace, most = 0, 0
    for node in schedule(graph):
        described = graph.nodes[node]
        shapes = [graph.nodes[source]["shape"] for source in described["inputs"]]
        module, attributes = ops.load(described["op"]), described["attributes"]
        costs[node] = cost_of(graph, node)
        if hasattr(module, "workspace"):
            workspace = max(workspace, WORD * module.workspace(*shapes, lanes=target.lanes, **attributes))
        groups = module.workgroups(described["shape"], lanes=target.lanes, arithmetic=layers.arithmetic, **attributes)
        most = max(most, *groups)
        given = ops.arguments(described["op"], layers.arithmetic, attributes)
        for source, argument in zip(described["inputs"], given, strict=False):
            if graph.nodes[source]["kind"] == "weight":
                pack = module.PACK[argument]
                weights[f"{name} weight {source} {pack.__name__}"] = packed(pack, layers.constants[source])
    sizes = {f"{name} activation {index}": WORD * words for index, words in enumerate(plan(graph).words)}
    for node, described in graph.nodes.items():
        if described["kind"] == "input":
            sizes[f"{name} input {node}"] = WORD * prod(described["shape"])
    return Stage(name, graph, costs, weights, sizes | ({f"{name} workspace": workspace} if workspace else {}), most)
