"""Gemma 3 (text): norms after attention and feed-forward too, and of queries and keys; GELU; most layers see a window,
with rotations of a base of their own; embeddings times the root of the width."""

import math
from collections.abc import Mapping

from inference.errors import InputError
from inference.files.keys import Keys
from inference.models._architecture import HEAD_NORMS, LLAMA, Architecture, Fields, Tensor
from inference.models._decoder import windows

EVERY = 6
"""Of so many layers the last sees all positions."""
LOCAL_THETA = 10000.0
TENSORS = {
    **LLAMA,
    **HEAD_NORMS,
    "attention_after": Tensor("post_attention_norm.weight", "post_attention_layernorm.weight", ("width",)),
    "feed_forward_norm": Tensor("ffn_norm.weight", "pre_feedforward_layernorm.weight", ("width",)),
    "feed_forward_after": Tensor("post_ffw_norm.weight", "post_feedforward_layernorm.weight", ("width",)),
}


def _fields(measures: Mapping[str, int], window: int, **fields: object) -> Fields:
    sees = windows(measures, window, lambda index: (index + 1) % EVERY != 0)
    return {"gelu": True, "embedding_scale": math.sqrt(measures["width"]), "windows": sees, **fields}


def of_gguf(keys: Keys, measures: Mapping[str, int]) -> Fields:
    """Window and bases; only rotations of layers that see all positions are scaled."""
    kind = keys.text("gemma3.rope.scaling.type", "none")
    if kind not in ("none", "", "linear"):
        raise InputError(f"{keys.where}: rope scaling {kind!r} is not supported; none and linear are")
    keys.refuse("gemma3.attn_logit_softcapping", "gemma3.final_logit_softcapping")
    scale = keys.number("gemma3.rope.scaling.factor", 1.0) if kind == "linear" else 1.0
    if measures["layers"] == 62:  # llama.cpp knows the largest by its layers: its scores are over the root of 168
        raise InputError(f"{keys.where}: Gemma 3 of 62 layers is not supported")
    return _fields(
        measures,
        keys.window("gemma3.attention.sliding_window"),
        theta=keys.number("gemma3.rope.freq_base", 1e6),
        local_theta=keys.number("gemma3.rope.freq_base_swa", LOCAL_THETA),
        rotation_factors=() if scale == 1 else (scale,) * (measures["head_width"] // 2),
    )


def of_config(keys: Keys, measures: Mapping[str, int]) -> Fields:
    """The same, of config.json in either of its layouts."""
    keys.refuse("attention_bias", "attn_logit_softcapping", "final_logit_softcapping", "use_bidirectional_attention")
    every = keys.integer("sliding_window_pattern", keys.integer("_sliding_window_pattern", EVERY))
    full = [(index + 1) % EVERY == 0 for index in range(measures["layers"])]
    said = [kind == "full_attention" for kind in keys.listed("layer_types")] or full
    if every != EVERY or said != full:
        raise InputError(f"{keys.where}: of {EVERY} layers the last sees all positions; others are not supported")
    if keys.number("query_pre_attn_scalar", 256.0) != measures["head_width"]:
        raise InputError(f"{keys.where}: query_pre_attn_scalar is not head_dim, which is not supported")
    parameters = keys.table("rope_parameters")
    whole, local = parameters.table("full_attention"), parameters.table("sliding_attention")
    scaling = whole if whole.values else keys.table("rope_scaling")
    kind = scaling.text("rope_type", scaling.text("type", "default"))
    if kind not in ("default", "linear") or local.text("rope_type", "default") != "default":
        raise InputError(f"{scaling.where}: rope scaling {kind!r:.40} is not supported; default and linear are")
    factor = scaling.number("factor", 1.0) if kind == "linear" else 1.0
    return _fields(
        measures,
        keys.window("sliding_window", 4096),
        theta=keys.number("rope_theta", whole.number("rope_theta", 1e6)),
        local_theta=keys.number("rope_local_base_freq", local.number("rope_theta", LOCAL_THETA)),
        rotation_factors=() if factor == 1 else (factor,) * (measures["head_width"] // 2),
    )


ARCHITECTURE = Architecture("gemma3", "Gemma3ForCausalLM", of_gguf, of_config, TENSORS, added=1, tied=True)
