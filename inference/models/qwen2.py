"""Qwen 2 and 2.5: queries, keys and values have biases."""

from collections.abc import Mapping

from inference.errors import InputError
from inference.files.keys import Keys
from inference.models._architecture import BIASES, LLAMA, Architecture, Fields, rotation
from inference.models._decoder import windows


def of_gguf(keys: Keys, measures: Mapping[str, int], name: str = "qwen2") -> Fields:
    """The base of its rotations."""
    kind = keys.text(f"{name}.rope.scaling.type", "none")
    if kind not in ("none", ""):
        raise InputError(f"{keys.where}: rope scaling {kind!r} is not supported; none is")
    return {"theta": keys.number(f"{name}.rope.freq_base", 10000.0)}


def of_config(keys: Keys, measures: Mapping[str, int]) -> Fields:
    """Rotations, and the window of the layers from ``max_window_layers`` on."""
    keys.refuse("attention_bias")
    theta, factors = rotation(keys, measures)
    fields: Fields = {"theta": theta, "rotation_factors": factors}
    if keys.flag("use_sliding_window", False):
        first = keys.integer("max_window_layers", measures["layers"])
        fields["windows"] = windows(measures, keys.window("sliding_window"), lambda index: index >= first)
    return fields


ARCHITECTURE = Architecture("qwen2", "Qwen2ForCausalLM", of_gguf, of_config, {**LLAMA, **BIASES})
