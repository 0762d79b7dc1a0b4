"""Seeded small models of the families there are, for tests: diffusers' configurations and weights at random."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.models import configurations
from inference.models.diffusion import parameters
from inference.ops import Shape

Tensors = dict[str, npt.NDArray[np.float32]]
SILU = 0.356
"""The mean square of SiLU of a Gaussian of unit deviation."""
CLIP = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_attention_heads": 2,
    "num_hidden_layers": 3,
    "projection_dim": 32,
    "vocab_size": 600,
}
UNET = {"block_out_channels": [32, 64, 64], "norm_num_groups": 8, "sample_size": 16}
VAE = {"block_out_channels": [32, 64], "norm_num_groups": 8, "layers_per_block": 1, "sample_size": 32}
CHANGES: dict[str, dict[str, dict[str, Any]]] = {
    "sdxl": {
        "text_encoder": CLIP,
        "text_encoder_2": CLIP,
        "unet": UNET
        | {
            "attention_head_dim": [2, 4, 4],
            "transformer_layers_per_block": [1, 1, 2],
            "cross_attention_dim": 64,
            "addition_time_embed_dim": 8,
            "projection_class_embeddings_input_dim": 80,
        },
        "vae": VAE,
    },
    "sd15": {
        "text_encoder": CLIP,
        "unet": UNET
        | {
            "attention_head_dim": 4,
            "cross_attention_dim": 32,
            "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
            "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
        },
        "vae": VAE,
    },
    "sd-turbo": {
        "text_encoder": CLIP,
        "unet": UNET
        | {
            "attention_head_dim": [2, 4, 4],
            "cross_attention_dim": 32,
            "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
            "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
        },
        "vae": VAE,
    },
}
"""What a reduced configuration has other than the one of its name."""
FOLDERS = {
    "text_encoder": parameters.text_encoder,
    "text_encoder_2": parameters.text_encoder,
    "unet": parameters.unet,
    "vae": parameters.autoencoder,
}


def configuration(name: str) -> dict[str, Any]:
    """The configuration of a name, reduced."""
    changes = CHANGES[name]
    return {
        key: {**value, **changes.get(key, {})} if isinstance(value, dict) else value
        for key, value in configurations.named(name).items()
    }


def weights(config: Mapping[str, Any], seed: int = 0) -> dict[str, Tensors]:
    """Gaussian weights by folder and name, scaled so that a layer keeps a deviation; the UNet's output has unit one."""
    return {
        folder: _tensors(shapes(config[folder]), np.random.default_rng([seed, index]))
        for index, (folder, shapes) in enumerate(FOLDERS.items())
        if folder in config
    }


def _tensors(shapes: Mapping[str, Shape], generator: np.random.Generator) -> Tensors:
    return {name: _tensor(name, shape, generator).astype(np.float32) for name, shape in shapes.items()}


def _tensor(name: str, shape: Shape, generator: np.random.Generator) -> npt.NDArray[np.float64]:
    values = generator.standard_normal(shape)
    if len(shape) == 1:  # a norm's gain, or a bias
        return values / 8 + name.endswith(".weight")
    if "embedding.weight" in name:
        return values / 2
    return values / np.sqrt(np.prod(shape[1:]) * (SILU if "conv" in name else 1))
