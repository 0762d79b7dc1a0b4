"""The networks of latent diffusion as graphs: CLIP's text encoder, the UNet, the autoencoder's decoder.

Nodes are named as the tensors that they read; images are (H, W, C), texts (T, C).
"""

from collections.abc import Mapping
from typing import Any

from inference.models.diffusion import structure
from inference.models.diffusion.parameters import projects
from inference.models.diffusion.structure import Block
from inference.models.diffusion.text_layers import TextLayers
from inference.models.layers import Tensor

TRANSFORMER_EPSILON, AUTOENCODER_EPSILON, LAYER_EPSILON = 1e-6, 1e-6, 1e-5
"""What diffusers' code has, not its config.json."""


def text_encoder(
    layers: TextLayers, config: Mapping[str, Any], tokens: Tensor, *, penultimate: bool, last: int, prefix: str = ""
) -> tuple[Tensor, Tensor | None]:
    """Hidden states (T, width), and a summary (1, projection_dim) of the text up to row ``last`` where it projects.

    Where ``penultimate``, the states before the last layer; else those after the final norm.
    """
    heads, epsilon, count = config["num_attention_heads"], config["layer_norm_eps"], config["num_hidden_layers"]
    x = layers.embedding(f"{prefix}text_model.embeddings", tokens, f"{prefix}text_model.embeddings")
    states = x
    for index in range(count if projects(config) or not penultimate else count - 1):
        states, name = x, f"{prefix}text_model.encoder.layers.{index}"
        y = layers.layer_norm(f"{name}.layer_norm1", x, f"{name}.layer_norm1", epsilon=epsilon)
        q, k, v = (layers.linear(f"{name}.self_attn.{part}_proj", y, f"{name}.self_attn.{part}_proj") for part in "qkv")
        y = layers.attention(f"{name}.self_attn", q, k, v, heads=heads, causal=True)
        y = layers.linear(f"{name}.self_attn.out_proj", y, f"{name}.self_attn.out_proj")
        x = layers.combine(f"{name}.attended", [(1, x), (1, y)])
        y = layers.layer_norm(f"{name}.layer_norm2", x, f"{name}.layer_norm2", epsilon=epsilon)
        y = layers.linear(f"{name}.mlp.fc1", y, f"{name}.mlp.fc1")
        y = layers.activation(f"{name}.mlp.activation", y, kind=config["hidden_act"])
        x = layers.combine(name, [(1, x), (1, layers.linear(f"{name}.mlp.fc2", y, f"{name}.mlp.fc2"))])
    if penultimate and not projects(config):
        return x, None
    name = f"{prefix}text_model.final_layer_norm"
    y = layers.layer_norm(name, x, name, epsilon=epsilon)
    if not projects(config):
        return y, None
    summary = layers.linear(f"{prefix}text_projection", layers.row(f"{name}.row", y, last), f"{prefix}text_projection")
    return (states if penultimate else y), summary


def unet(
    layers: TextLayers, config: Mapping[str, Any], latents: Tensor, step: Tensor, context: Tensor, added: Tensor | None
) -> Tensor:
    """The noise in latents (H, W, 4).

    ``step``: sinusoids (1, block_out_channels[0]) of the timestep; ``context``: hidden states (T, cross_attention_dim)
    of the text; ``added``: its summary and the sinusoids of the sizes, (1, projection_class_embeddings_input_dim).
    """
    build, blocks = _UNet(layers, config), structure.unet(config)
    time = build.embedding("time_embedding", step)
    if added is not None:
        time = layers.combine("embedding", [(1, time), (1, build.embedding("add_embedding", added))])
    time = layers.activation("embedding_activated", time)
    x = layers.conv("conv_in", latents, "conv_in")
    kept = [x]
    for block in blocks.down:
        for index in range(len(block.resnets)):
            x = build.layer(block, index, x, time, context)
            kept.append(x)
        if block.sampler:
            name = f"{block.name}.downsamplers.0.conv"
            x = layers.conv(name, x, name, stride=2)
            kept.append(x)
    x = build.resnet(f"{blocks.mid.name}.resnets.0", blocks.mid.resnets[0], x, time)
    x = build.transformer(blocks.mid, 0, x, context)
    x = build.resnet(f"{blocks.mid.name}.resnets.1", blocks.mid.resnets[1], x, time)
    for block in blocks.up:
        for index in range(len(block.resnets)):
            x = layers.concatenate(f"{block.name}.resnets.{index}.joined", x, kept.pop())
            x = build.layer(block, index, x, time, context)
        if block.sampler:
            x = layers.resize(f"{block.name}.upsamplers.0", x)
            x = layers.conv(f"{block.name}.upsamplers.0.conv", x, f"{block.name}.upsamplers.0.conv")
    x = layers.group_norm("conv_norm_out", x, "conv_norm_out", groups=build.groups, epsilon=build.epsilon, silu=True)
    return layers.conv("conv_out", x, "conv_out")


class _UNet:
    """Adds the blocks of a UNet to a graph."""

    def __init__(self, layers: TextLayers, config: Mapping[str, Any]) -> None:
        self.layers, self.groups, self.epsilon = layers, config["norm_num_groups"], config["norm_eps"]
        self.convolved = not config.get("use_linear_projection", False)

    def embedding(self, name: str, x: Tensor) -> Tensor:
        """Two linears around a SiLU."""
        x = self.layers.linear(f"{name}.linear_1", x, f"{name}.linear_1")
        x = self.layers.activation(f"{name}.activation", x)
        return self.layers.linear(f"{name}.linear_2", x, f"{name}.linear_2")

    def layer(self, block: Block, index: int, x: Tensor, time: Tensor, context: Tensor) -> Tensor:
        """A resnet and the transformer after it."""
        x = self.resnet(f"{block.name}.resnets.{index}", block.resnets[index], x, time)
        return self.transformer(block, index, x, context) if block.depths else x

    def resnet(self, name: str, channels: tuple[int, int], x: Tensor, time: Tensor | None) -> Tensor:
        """Two convolutions beside a shortcut; the embedding of the step is added between them."""
        layers = self.layers
        y = layers.group_norm(f"{name}.norm1", x, f"{name}.norm1", groups=self.groups, epsilon=self.epsilon, silu=True)
        y = layers.conv(f"{name}.conv1", y, f"{name}.conv1")
        if time is not None:
            shift = layers.linear(f"{name}.time_emb_proj", time, f"{name}.time_emb_proj")
            y = layers.combine(f"{name}.shifted", [(1, y), (1, shift)])
        y = layers.group_norm(f"{name}.norm2", y, f"{name}.norm2", groups=self.groups, epsilon=self.epsilon, silu=True)
        y = layers.conv(f"{name}.conv2", y, f"{name}.conv2")
        if channels[0] != channels[1]:
            x = layers.conv(f"{name}.conv_shortcut", x, f"{name}.conv_shortcut")
        return layers.combine(name, [(1, x), (1, y)])

    def transformer(self, block: Block, index: int, x: Tensor, context: Tensor) -> Tensor:
        """Blocks of attention to the image, to the text, and a gated layer, beside a shortcut."""
        layers, name = self.layers, f"{block.name}.attentions.{index}"
        project = layers.conv if self.convolved else layers.linear
        y = layers.group_norm(f"{name}.norm", x, f"{name}.norm", groups=self.groups, epsilon=TRANSFORMER_EPSILON)
        y = project(f"{name}.proj_in", y, f"{name}.proj_in")
        for at in range(block.depths[index]):
            of = f"{name}.transformer_blocks.{at}"
            y = self._attention(f"{of}.attn1", y, f"{of}.norm1", None, block.heads)
            y = self._attention(f"{of}.attn2", y, f"{of}.norm2", context, block.heads)
            z = layers.layer_norm(f"{of}.norm3", y, f"{of}.norm3", epsilon=LAYER_EPSILON)
            z = layers.linear(f"{of}.ff.net.0.proj", z, f"{of}.ff.net.0.proj")
            z = layers.linear(f"{of}.ff.net.2", layers.geglu(f"{of}.ff.net.0", z), f"{of}.ff.net.2")
            y = layers.combine(of, [(1, y), (1, z)])
        y = project(f"{name}.proj_out", y, f"{name}.proj_out")
        return layers.combine(name, [(1, x), (1, y)])

    def _attention(self, name: str, x: Tensor, norm: str, context: Tensor | None, heads: int) -> Tensor:
        """Attention of a normed image to itself or to a text, beside a shortcut."""
        layers = self.layers
        y = layers.layer_norm(norm, x, norm, epsilon=LAYER_EPSILON)
        of = y if context is None else context
        q = layers.linear(f"{name}.to_q", y, f"{name}.to_q")
        k, v = (layers.linear(f"{name}.to_{part}", of, f"{name}.to_{part}") for part in "kv")
        y = layers.linear(
            f"{name}.to_out.0", layers.attention(f"{name}.mixed", q, k, v, heads=heads), f"{name}.to_out.0"
        )
        return layers.combine(name, [(1, x), (1, y)])


def decoder(layers: TextLayers, config: Mapping[str, Any], latents: Tensor) -> Tensor:
    """A picture (8 H, 8 W, 3) in -1..1, where the autoencoder has four blocks, from latents (H, W, 4)."""
    build = _UNet(layers, {**config, "norm_eps": AUTOENCODER_EPSILON})
    middle, up = structure.decoder(config)
    x = layers.combine("latents_scaled", [(1 / config["scaling_factor"], latents)])
    x = layers.conv("post_quant_conv", x, "post_quant_conv")
    x = layers.conv("decoder.conv_in", x, "decoder.conv_in")
    x = build.resnet(f"{middle.name}.resnets.0", middle.resnets[0], x, None)
    name = f"{middle.name}.attentions.0"
    y = layers.group_norm(f"{name}.group_norm", x, f"{name}.group_norm", groups=build.groups, epsilon=build.epsilon)
    q, k, v = (layers.linear(f"{name}.to_{part}", y, f"{name}.to_{part}") for part in "qkv")
    y = layers.linear(f"{name}.to_out.0", layers.attention(f"{name}.mixed", q, k, v, heads=1), f"{name}.to_out.0")
    x = layers.combine(name, [(1, x), (1, y)])
    x = build.resnet(f"{middle.name}.resnets.1", middle.resnets[1], x, None)
    for block in up:
        for index, channels in enumerate(block.resnets):
            x = build.resnet(f"{block.name}.resnets.{index}", channels, x, None)
        if block.sampler:
            x = layers.resize(f"{block.name}.upsamplers.0", x)
            x = layers.conv(f"{block.name}.upsamplers.0.conv", x, f"{block.name}.upsamplers.0.conv")
    x = layers.group_norm(
        "decoder.conv_norm_out", x, "decoder.conv_norm_out", groups=build.groups, epsilon=build.epsilon, silu=True
    )
    return layers.conv("decoder.conv_out", x, "decoder.conv_out")
