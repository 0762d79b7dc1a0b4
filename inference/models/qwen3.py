"""Qwen 3: each head of queries and keys is normed before it is rotated."""

from collections.abc import Mapping

from inference.files.keys import Keys
from inference.models import qwen2
from inference.models._architecture import HEAD_NORMS, LLAMA, Architecture, Fields


def of_gguf(keys: Keys, measures: Mapping[str, int]) -> Fields:
    """As of Qwen 2."""
    return qwen2.of_gguf(keys, measures, "qwen3")


ARCHITECTURE = Architecture("qwen3", "Qwen3ForCausalLM", of_gguf, qwen2.of_config, {**LLAMA, **HEAD_NORMS})
