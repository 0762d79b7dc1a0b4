"""Llama (1 to 3.3, TinyLlama, SmolLM) and whatever has its graph."""

from collections.abc import Mapping

from inference.errors import InputError
from inference.files.keys import Keys
from inference.models._architecture import LLAMA, Architecture, Fields, rotation
from inference.models._decoder import MEASURES, check, check_temperature, graph, model

__all__ = ["ARCHITECTURE", "MEASURES", "check", "check_temperature", "graph", "model"]


def of_gguf(keys: Keys, measures: Mapping[str, int]) -> Fields:
    """The base of its rotations; their scaling is a tensor of the file's, or the same for all."""
    kind = keys.text("llama.rope.scaling.type", "none")
    if kind not in ("none", "", "linear"):
        raise InputError(f"{keys.where}: rope scaling {kind!r} is not supported; none and linear are")
    scale = keys.number("llama.rope.scaling.factor", 1.0) if kind == "linear" else 1.0
    if keys.integer("llama.expert_count", 0):
        raise InputError(f"{keys.where}: mixtures of experts are not supported")
    factors = () if scale == 1 else (scale,) * (measures["head_width"] // 2)
    return {"theta": keys.number("llama.rope.freq_base", 10000.0), "rotation_factors": factors}


def of_config(keys: Keys, measures: Mapping[str, int]) -> Fields:
    """The base of its rotations and their scaling."""
    keys.refuse("attention_bias", "mlp_bias")
    theta, factors = rotation(keys, measures)
    return {"theta": theta, "rotation_factors": factors}


ARCHITECTURE = Architecture("llama", "LlamaForCausalLM", of_gguf, of_config, LLAMA, pairs=True)
