"""Names and shapes of the tensors of diffusers' files: convolutions OIHW, linears (out, in), by configuration."""

from collections.abc import Mapping
from typing import Any

from inference.models.diffusion import structure
from inference.models.diffusion.structure import Block
from inference.ops import Shape

Shapes = dict[str, Shape]


def affine(name: str, *shape: int, bias: bool = True) -> Shapes:
    """A weight, and a bias over its first axis."""
    return {f"{name}.weight": shape} | ({f"{name}.bias": shape[:1]} if bias else {})


def text_encoder(config: Mapping[str, Any]) -> Shapes:
    """``CLIPTextModel``, ``CLIPTextModelWithProjection``."""
    width, hidden = config["hidden_size"], config["intermediate_size"]
    shapes = affine("text_model.embeddings.token_embedding", config["vocab_size"], width, bias=False)
    positions = config["max_position_embeddings"]
    shapes |= affine("text_model.embeddings.position_embedding", positions, width, bias=False)
    for index in range(config["num_hidden_layers"]):
        prefix = f"text_model.encoder.layers.{index}"
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            shapes |= affine(f"{prefix}.self_attn.{part}", width, width)
        shapes |= affine(f"{prefix}.mlp.fc1", hidden, width) | affine(f"{prefix}.mlp.fc2", width, hidden)
        shapes |= affine(f"{prefix}.layer_norm1", width) | affine(f"{prefix}.layer_norm2", width)
    shapes |= affine("text_model.final_layer_norm", width)
    if projects(config):
        shapes |= affine("text_projection", config["projection_dim"], width, bias=False)
    return shapes


def projects(config: Mapping[str, Any]) -> bool:
    """Whether a text encoder gives a projected summary of a text besides."""
    return "CLIPTextModelWithProjection" in (config.get("architectures") or [])


def unet(config: Mapping[str, Any]) -> Shapes:
    """``UNet2DConditionModel``."""
    blocks, first = structure.unet(config), config["block_out_channels"][0]
    time, context = 4 * first, config["cross_attention_dim"]
    convolved = not config.get("use_linear_projection", False)
    shapes = affine("conv_in", first, config["in_channels"], 3, 3)
    shapes |= affine("time_embedding.linear_1", time, first) | affine("time_embedding.linear_2", time, time)
    if config.get("addition_embed_type"):
        added = config["projection_class_embeddings_input_dim"]
        shapes |= affine("add_embedding.linear_1", time, added) | affine("add_embedding.linear_2", time, time)
    for block in (*blocks.down, blocks.mid, *blocks.up):
        shapes |= _block(block, time)
        for index, depth in enumerate(block.depths):
            shapes |= _transformer(f"{block.name}.attentions.{index}", block.channels, context, depth, convolved)
    return shapes | affine("conv_norm_out", first) | affine("conv_out", config["out_channels"], first, 3, 3)


def _block(block: Block, time: int) -> Shapes:
    """Resnets and the change of size; ``time``: width of the embedding of a step, 0 where there is none."""
    shapes: Shapes = {}
    for index, (before, after) in enumerate(block.resnets):
        name = f"{block.name}.resnets.{index}"
        shapes |= affine(f"{name}.norm1", before) | affine(f"{name}.conv1", after, before, 3, 3)
        shapes |= affine(f"{name}.time_emb_proj", after, time) if time else {}
        shapes |= affine(f"{name}.norm2", after) | affine(f"{name}.conv2", after, after, 3, 3)
        shapes |= affine(f"{name}.conv_shortcut", after, before, 1, 1) if before != after else {}
    if block.sampler:
        shapes |= affine(f"{block.name}.{block.sampler}.0.conv", block.channels, block.channels, 3, 3)
    return shapes


def _transformer(name: str, channels: int, context: int, depth: int, convolved: bool) -> Shapes:
    ends = (channels, channels, 1, 1) if convolved else (channels, channels)
    shapes = affine(f"{name}.norm", channels) | affine(f"{name}.proj_in", *ends)
    for index in range(depth):
        block = f"{name}.transformer_blocks.{index}"
        for attention, width in (("attn1", channels), ("attn2", context)):
            shapes |= affine(f"{block}.{attention}.to_q", channels, channels, bias=False)
            shapes |= affine(f"{block}.{attention}.to_k", channels, width, bias=False)
            shapes |= affine(f"{block}.{attention}.to_v", channels, width, bias=False)
            shapes |= affine(f"{block}.{attention}.to_out.0", channels, channels)
        for norm in ("norm1", "norm2", "norm3"):
            shapes |= affine(f"{block}.{norm}", channels)
        shapes |= affine(f"{block}.ff.net.0.proj", 8 * channels, channels)
        shapes |= affine(f"{block}.ff.net.2", channels, 4 * channels)
    return shapes | affine(f"{name}.proj_out", *ends)


def autoencoder(config: Mapping[str, Any]) -> Shapes:
    """``AutoencoderKL``: decoder and encoder."""
    down, below = structure.encoder(config)
    channels, latent = config["block_out_channels"], config["latent_channels"]
    shapes = affine("encoder.conv_in", channels[0], config["in_channels"], 3, 3)
    shapes |= {name: shape for block in (*down, below) for name, shape in _autoencoding(block).items()}
    shapes |= affine("encoder.conv_norm_out", channels[-1]) | affine("encoder.conv_out", 2 * latent, channels[-1], 3, 3)
    return shapes | affine("quant_conv", 2 * latent, 2 * latent, 1, 1) | decoder(config)


def decoder(config: Mapping[str, Any]) -> Shapes:
    """What of it makes a picture from latents."""
    middle, up = structure.decoder(config)
    channels, latent = config["block_out_channels"], config["latent_channels"]
    shapes = affine("post_quant_conv", latent, latent, 1, 1) | affine("decoder.conv_in", channels[-1], latent, 3, 3)
    shapes |= {name: shape for block in (middle, *up) for name, shape in _autoencoding(block).items()}
    shapes |= affine("decoder.conv_norm_out", channels[0])
    return shapes | affine("decoder.conv_out", config["out_channels"], channels[0], 3, 3)


def _autoencoding(block: Block) -> Shapes:
    shapes = _block(block, 0)
    if block.name.endswith("mid_block"):
        name = f"{block.name}.attentions.0"
        shapes |= affine(f"{name}.group_norm", block.channels)
        for part in ("to_q", "to_k", "to_v", "to_out.0"):
            shapes |= affine(f"{name}.{part}", block.channels, block.channels)
    return shapes
