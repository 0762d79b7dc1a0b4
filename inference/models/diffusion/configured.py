"""What config.json says of a network of latent diffusion: each key of the type and size that are allowed."""

from collections.abc import Mapping
from reprlib import repr as shortened
from typing import Any

from inference.errors import InputError
from inference.files.keys import Keys

MOST = {
    "hidden_size": 8192,
    "intermediate_size": 2**15,
    "num_attention_heads": 256,
    "num_hidden_layers": 256,
    "max_position_embeddings": 1024,
    "vocab_size": 2**20,
    "projection_dim": 8192,
    "eos_token_id": 2**20,
    "layers_per_block": 8,
    "cross_attention_dim": 8192,
    "in_channels": 64,
    "out_channels": 64,
    "latent_channels": 64,
    "norm_num_groups": 1024,
    "sample_size": 4096,
    "addition_time_embed_dim": 4096,
    "projection_class_embeddings_input_dim": 2**15,
    "num_train_timesteps": 10**5,
    "steps_offset": 10**5,
}
"""Of a measure, the most that is read."""
BLOCKS, CHANNELS, DEPTH = 8, 8192, 64
"""Most blocks, channels of one, heads and layers of its transformers."""
TEXT = ("hidden_size", "intermediate_size", "num_attention_heads", "num_hidden_layers", "vocab_size")
EXPECTED: Mapping[str, Mapping[str, Any]] = {
    "unet": {
        "act_fn": "silu",
        "attention_type": "default",
        "conv_in_kernel": 3,
        "conv_out_kernel": 3,
        "downsample_padding": 1,
        "flip_sin_to_cos": True,
        "freq_shift": 0,
        "mid_block_scale_factor": 1,
        "mid_block_type": "UNetMidBlock2DCrossAttn",
        "resnet_out_scale_factor": 1.0,
        "resnet_time_scale_shift": "default",
        "time_embedding_type": "positional",
    },
    "vae": {"act_fn": "silu", "mid_block_add_attention": True, "use_post_quant_conv": True, "out_channels": 3},
    "scheduler": {"final_sigmas_type": "zero", "interpolation_type": "linear", "timestep_type": "discrete"},
}
"""What our networks compute, where config.json says something of it."""
REFUSED: Mapping[str, tuple[str, ...]] = {
    "unet": (
        "center_input_sample",
        "class_embed_type",
        "cross_attention_norm",
        "dual_cross_attention",
        "encoder_hid_dim",
        "encoder_hid_dim_type",
        "mid_block_only_cross_attention",
        "num_attention_heads",
        "num_class_embeds",
        "only_cross_attention",
        "resnet_skip_time_act",
        "reverse_transformer_layers_per_block",
        "time_cond_proj_dim",
        "time_embedding_act_fn",
        "time_embedding_dim",
        "timestep_post_act",
    ),
    "vae": ("latents_mean", "latents_std", "shift_factor"),
    "scheduler": (
        "clip_sample",
        "rescale_betas_zero_snr",
        "thresholding",
        "trained_betas",
        "use_beta_sigmas",
        "use_exponential_sigmas",
        "use_karras_sigmas",
    ),
}
"""What they do not, where config.json says something of it."""


def _whole(keys: Keys, name: str, default: int | None = None, least: int = 1) -> int:
    value = keys.integer(name, default)
    if not least <= value <= MOST[name]:
        raise InputError(f"{keys.where}: {name} is {value}; {least} to {MOST[name]} are allowed")
    return value


def _measures(keys: Keys, name: str, most: int) -> list[int]:
    """A list of one to eight whole numbers."""
    found = keys.listed(name)
    if not 1 <= len(found) <= BLOCKS or any(type(each) is not int or not 1 <= each <= most for each in found):
        raise InputError(f"{keys.where}: {name} is {shortened(found)}, not up to {BLOCKS} numbers from 1 to {most}")
    return found


def _each(keys: Keys, name: str, most: int, default: int | None = None) -> int | list[int]:
    """A number for every block, or one for each."""
    if isinstance(keys.values.get(name), list):
        return _measures(keys, name, most)
    value = keys.integer(name, default)
    if not 1 <= value <= most:
        raise InputError(f"{keys.where}: {name} is {value}; 1 to {most} are allowed")
    return value


def _agrees(keys: Keys, folder: str) -> None:
    """Refuse what our networks do not compute."""
    for name, right in EXPECTED[folder].items():
        if (value := keys.values.get(name)) is not None and value != right:
            raise InputError(f"{keys.where}: {name} is {shortened(value)}; {right!r} is supported")
    keys.refuse(*REFUSED[folder])


def text(keys: Keys, *, projects: bool) -> dict[str, Any]:
    """``CLIPTextModel``, or that with a projection.

    Raises:
        InputError: a key that is missing, of another type, too large, or that means what our networks do not compute.
    """
    right = "CLIPTextModelWithProjection" if projects else "CLIPTextModel"
    if (found := keys.listed("architectures")) != [right]:
        raise InputError(f"{keys.where}: architectures are {shortened(found)}; {right} is supported")
    config: dict[str, Any] = {name: _whole(keys, name) for name in TEXT}
    config["max_position_embeddings"] = _whole(keys, "max_position_embeddings", 77, 3)
    config |= {"projection_dim": _whole(keys, "projection_dim", 512), "architectures": found}
    config["hidden_act"] = keys.text("hidden_act", "quick_gelu")
    if config["hidden_act"] not in ("gelu", "quick_gelu"):
        raise InputError(f"{keys.where}: hidden_act is {config['hidden_act']!r:.40}; gelu or quick_gelu is supported")
    config["layer_norm_eps"] = keys.number("layer_norm_eps", 1e-5)
    config["eos_token_id"] = _whole(keys, "eos_token_id", 2, 0)
    return config


def unet(keys: Keys, *, summed: bool) -> dict[str, Any]:
    """``UNet2DConditionModel``; ``summed``: it is told a text's summary and sizes.

    Raises:
        InputError: as ``text``.
    """
    _agrees(keys, "unet")
    config: dict[str, Any] = {"block_out_channels": _measures(keys, "block_out_channels", CHANNELS)}
    count = len(config["block_out_channels"])
    for name in ("down_block_types", "up_block_types"):
        config[name] = keys.listed(name)
        if len(config[name]) != count or any(type(kind) is not str for kind in config[name]):
            raise InputError(f"{keys.where}: {name} is {shortened(config[name])}, not {count} names of blocks")
    for name in ("layers_per_block", "in_channels", "out_channels", "norm_num_groups", "sample_size"):
        config[name] = _whole(keys, name)
    config["cross_attention_dim"] = _whole(keys, "cross_attention_dim")
    config["attention_head_dim"] = _each(keys, "attention_head_dim", DEPTH)
    config["transformer_layers_per_block"] = _each(keys, "transformer_layers_per_block", DEPTH, 1)
    config["norm_eps"] = keys.number("norm_eps", 1e-5)
    config["use_linear_projection"] = keys.flag("use_linear_projection", False)
    kind = keys.values.get("addition_embed_type")
    if kind != ("text_time" if summed else None):
        right = "text_time" if summed else None
        raise InputError(f"{keys.where}: addition_embed_type is {shortened(kind)}, not {right}")
    if summed:
        config |= {"addition_embed_type": kind, "addition_time_embed_dim": _whole(keys, "addition_time_embed_dim")}
        config["projection_class_embeddings_input_dim"] = _whole(keys, "projection_class_embeddings_input_dim")
    return config


def autoencoder(keys: Keys) -> dict[str, Any]:
    """``AutoencoderKL``.

    Raises:
        InputError: as ``text``.
    """
    _agrees(keys, "vae")
    config: dict[str, Any] = {"block_out_channels": _measures(keys, "block_out_channels", CHANNELS)}
    for name in ("layers_per_block", "in_channels", "out_channels", "latent_channels", "norm_num_groups"):
        config[name] = _whole(keys, name)
    return config | {"scaling_factor": keys.number("scaling_factor", 0.18215)}


def scheduler(keys: Keys) -> dict[str, Any]:
    """What a schedule is made of.

    Raises:
        InputError: as ``text``.
    """
    _agrees(keys, "scheduler")
    names = ("_class_name", "beta_schedule", "prediction_type", "timestep_spacing")
    spacing = "leading" if keys.text("_class_name", "") == "DDIMScheduler" else "linspace"
    defaults = ("none", "linear", "epsilon", spacing)
    config: dict[str, Any] = {name: keys.text(name, default) for name, default in zip(names, defaults, strict=True)}
    for name in ("beta_start", "beta_end"):
        config[name] = keys.number(name)
        if config[name] >= 1:
            raise InputError(f"{keys.where}: {name} is {config[name]:g}, not below 1")
    config["num_train_timesteps"] = _whole(keys, "num_train_timesteps", 1000)
    config["steps_offset"] = _whole(keys, "steps_offset", 0, 0)
    return config | {"set_alpha_to_one": keys.flag("set_alpha_to_one", True)}
