"""What an architecture of decoders says of its files: names and shapes of its tensors, what its keys mean.

One file an architecture lies beside this one (``llama``, ``qwen3``); its ``ARCHITECTURE`` names tensors as GGUF and as
Hugging Face have them, and reads from the keys of either what the graph needs besides measures. Names here: ``q``,
``k``, ``v``, ``output``, ``gate``, ``up``, ``down`` are matrices of a layer (rows, columns), ``q.bias`` and so on
vectors added to their products, all others gains of norms.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, NamedTuple

from inference.errors import InputError
from inference.files.keys import Keys
from inference.model import layer


class Tensor(NamedTuple):
    """A tensor of a layer, or one outside them."""

    gguf: str
    hugging_face: str
    shape: tuple[str, ...]
    """By the names of measures; ``queries`` and ``keys`` are heads and key heads times their width."""


TOP: Mapping[str, Tensor] = {
    "embedding": Tensor("token_embd.weight", "model.embed_tokens.weight", ("vocabulary", "width")),
    "norm": Tensor("output_norm.weight", "model.norm.weight", ("width",)),
    "head": Tensor("output.weight", "lm_head.weight", ("vocabulary", "width")),
}
LLAMA: Mapping[str, Tensor] = {
    "q": Tensor("attn_q.weight", "self_attn.q_proj.weight", ("queries", "width")),
    "k": Tensor("attn_k.weight", "self_attn.k_proj.weight", ("keys", "width")),
    "v": Tensor("attn_v.weight", "self_attn.v_proj.weight", ("keys", "width")),
    "output": Tensor("attn_output.weight", "self_attn.o_proj.weight", ("width", "queries")),
    "gate": Tensor("ffn_gate.weight", "mlp.gate_proj.weight", ("hidden", "width")),
    "up": Tensor("ffn_up.weight", "mlp.up_proj.weight", ("hidden", "width")),
    "down": Tensor("ffn_down.weight", "mlp.down_proj.weight", ("width", "hidden")),
    "attention_norm": Tensor("attn_norm.weight", "input_layernorm.weight", ("width",)),
    "feed_forward_norm": Tensor("ffn_norm.weight", "post_attention_layernorm.weight", ("width",)),
}
HEAD_NORMS: Mapping[str, Tensor] = {
    "query_norm": Tensor("attn_q_norm.weight", "self_attn.q_norm.weight", ("head_width",)),
    "key_norm": Tensor("attn_k_norm.weight", "self_attn.k_norm.weight", ("head_width",)),
}
BIASES: Mapping[str, Tensor] = {
    f"{part}.bias": Tensor(f"attn_{part}.bias", f"self_attn.{part}_proj.bias", (rows,))
    for part, rows in (("q", "queries"), ("k", "keys"), ("v", "keys"))
}
ROTATED = ("q", "k", "q.bias", "k.bias", "query_norm", "key_norm")
"""Tensors whose rows are rotated pairs, which are kept as 2 i, 2 i + 1 of a head."""

Fields = dict[str, Any]
"""Of ``Checkpoint``, by name, besides measures and weights."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """An architecture of decoders."""

    gguf: str | None
    """``general.architecture`` of its GGUF files, which begins their keys."""
    hugging_face: str
    """Its class in config.json."""
    of_gguf: Callable[[Keys, Mapping[str, int]], Fields]
    of_config: Callable[[Keys, Mapping[str, int]], Fields]
    tensors: Mapping[str, Tensor]
    """Of a layer, in order."""
    pairs: bool = False
    """Whether rotated pairs lie in a GGUF as 2 i, 2 i + 1 of a head; else, as in Hugging Face's, as i, i + w / 2."""
    added: float = 0
    """What is added to Hugging Face's gains."""
    tied: bool = False
    """Whether the head is the embedding where config.json does not say."""

    def expected(self, measures: Mapping[str, int], *, tied: bool) -> dict[str, tuple[int, ...]]:
        """Every tensor's name and shape."""
        sizes = dict(measures)
        sizes["queries"], sizes["keys"] = (sizes[heads] * sizes["head_width"] for heads in ("heads", "kv_heads"))
        named = {name: each for name, each in TOP.items() if name != "head" or not tied}
        for index in range(measures["layers"]):
            named |= {f"{layer(index)}.{name}": each for name, each in self.tensors.items()}
        return {name: tuple(sizes[size] for size in each.shape) for name, each in named.items()}

    def in_gguf(self, name: str) -> str:
        """A tensor's name in a GGUF."""
        index, each = self._named(name)
        return each.gguf if index is None else f"blk.{index}.{each.gguf}"

    def in_hugging_face(self, name: str) -> str:
        """A tensor's name in safetensors."""
        index, each = self._named(name)
        return each.hugging_face if index is None else f"model.layers.{index}.{each.hugging_face}"

    def _named(self, name: str) -> tuple[int | None, Tensor]:
        if name in TOP:
            return None, TOP[name]
        prefix, _, part = name.partition(".")
        return int(prefix.strip("layerx")), self.tensors[part]


def architectures() -> list[Architecture]:
    """All of this folder."""
    package = __name__.rpartition(".")[0]
    modules = [each.name for each in iter_modules(import_module(package).__path__)]
    found = [getattr(import_module(f"{package}.{name}"), "ARCHITECTURE", None) for name in sorted(modules)]
    return [each for each in found if each is not None]


def of_gguf(where: object, name: str) -> Architecture:
    """The architecture of a GGUF.

    Raises:
        InputError: there is none of that name.
    """
    known = {each.gguf: each for each in architectures() if each.gguf}
    if name not in known:
        raise InputError(f"{where}: the architecture is {name!r:.60}; {', '.join(sorted(known))} are allowed")
    return known[name]


def of_hugging_face(where: object, names: Any) -> Architecture:
    """The architecture of a config.json.

    Raises:
        InputError: there is none of those names.
    """
    known = {each.hugging_face: each for each in architectures()}
    found = (
        [known[name] for name in names if isinstance(name, str) and name in known] if isinstance(names, list) else []
    )
    if not found:
        said = "there are no architectures" if names is None else f"the architecture is {names!r:.60}"
        raise InputError(f"{where}: {said}; {', '.join(sorted(known))} are allowed")
    return found[0]


def rotation(keys: Keys, measures: Mapping[str, int], default: float = 10000.0) -> tuple[float, tuple[float, ...]]:
    """Base and divisors of the rotary angles that a config.json says, in either of its layouts.

    Raises:
        InputError: a scaling that is not one of default, linear and llama3.
    """
    said = keys.table("rope_parameters")
    return keys.number("rope_theta", said.number("rope_theta", default)), _factors(
        said if said.values else keys.table("rope_scaling"),
        keys.number("rope_theta", said.number("rope_theta", default)),
        measures["head_width"],
    )


def _factors(said: Keys, theta: float, head_width: int) -> tuple[float, ...]:
    kind = said.text("rope_type", said.text("type", "default"))
    if said.number("partial_rotary_factor", 1.0) != 1:
        raise InputError(f"{said.where}: heads that are rotated in part are not supported")
    if kind == "default":
        return ()
    if kind == "linear":
        return (said.number("factor"),) * (head_width // 2)
    if kind != "llama3":
        raise InputError(f"{said.where}: rope scaling {kind!r:.40} is not supported; default, linear and llama3 are")
    return llama3(
        theta,
        head_width,
        said.number("factor"),
        said.number("low_freq_factor"),
        said.number("high_freq_factor"),
        said.number("original_max_position_embeddings"),
    )


def llama3(
    theta: float, head_width: int, factor: float, low: float, high: float, positions: float
) -> tuple[float, ...]:
    """Divisors of the angles of Llama 3.1: ``factor`` for wavelengths beyond positions / low, 1 below positions / high,
    and between them 1 / ((1 - s) / factor + s), s = (positions / wavelength - low) / (high - low)."""
    found = []
    for pair in range(head_width // 2):
        wavelength = 2 * math.pi * theta ** (2 * pair / head_width)
        smooth = min(max((positions / wavelength - low) / (high - low), 0.0), 1.0) if high > low else 0.0
        found.append(1 / ((1 - smooth) / factor + smooth))
    return tuple(found)
