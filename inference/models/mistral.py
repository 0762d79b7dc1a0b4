"""Mistral: a Llama each of whose layers may see a window of positions only. Its GGUF files say llama."""

from collections.abc import Mapping

from inference.files.keys import Keys
from inference.models import llama
from inference.models._architecture import LLAMA, Architecture, Fields
from inference.models._decoder import windows


def of_config(keys: Keys, measures: Mapping[str, int]) -> Fields:
    """Llama's, and the window."""
    window = keys.window("sliding_window")
    return llama.of_config(keys, measures) | {"windows": windows(measures, window, lambda index: True)}


ARCHITECTURE = Architecture(None, "MistralForCausalLM", llama.of_gguf, of_config, LLAMA)
