"""GGUF files of the Llama architecture."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from gguf import dequantize

from inference.errors import InputError
from inference.files.blocks import Weights, eight_bits
from inference.files.checks import LARGEST_WEIGHT, check_factors, check_finite, check_measures, check_tokens
from inference.files.gguf_header import Tensor, read_header
from inference.model import Llama, expected_shapes
from inference.tokens.ends import KEYS, ends

NAMES = {
    "attention_norm": "attn_norm",
    "feed_forward_norm": "ffn_norm",
    "q": "attn_q",
    "k": "attn_k",
    "v": "attn_v",
    "output": "attn_output",
    "gate": "ffn_gate",
    "up": "ffn_up",
    "down": "ffn_down",
}
SPECIAL = (*KEYS, "tokenizer.ggml.bos_token_id")


def read_gguf(path: Path) -> Llama:
    """A GGUF file as a model.

    Raises:
        InputError: see ``read_model``.
    """
    values, tensors = read_header(path)
    keys = _Keys(path, values)
    if (architecture := keys.text("general.architecture", "none")) != "llama":
        raise InputError(f"{path}: the architecture is {architecture!r}; llama is allowed")
    if "token_embd.weight" not in tensors:
        raise InputError(f"{path}: the tensor token_embd.weight is missing")
    measures = _measures(keys, tensors["token_embd.weight"].shape[0])
    if keys.integer("llama.rope.dimension_count", measures["head_width"]) != measures["head_width"]:
        raise InputError(f"{path}: heads that are rotated in part are not supported")
    if (scaling := keys.text("llama.rope.scaling.type", "none")) not in ("none", ""):
        raise InputError(f"{path}: rope scaling {scaling!r} is not supported; none is")
    if keys.integer("llama.expert_count", 0):
        raise InputError(f"{path}: mixtures of experts are not supported")
    for name in SPECIAL:
        check_tokens(path, measures["vocabulary"], name, [values[name]] if name in values else [])

    tokenizer = {name: value for name, value in values.items() if name.startswith("tokenizer.")}
    shapes = expected_shapes(measures, tied="output.weight" not in tensors)
    factors = tensors.pop("rope_freqs.weight", None)
    for name, shape in shapes.items():
        key = _file_name(name)
        if key not in tensors:
            raise InputError(f"{path}: the tensor {key} is missing")
        if tensors[key].shape != shape:
            raise InputError(f"{path}: tensor {key} has shape {tensors[key].shape}, not {shape}")
    if foreign := tensors.keys() - {_file_name(name) for name in shapes}:
        raise InputError(f"{path}: tensor {min(foreign)} is not one of a Llama's")
    matrices: dict[str, Weights] = {}
    gains: dict[str, npt.NDArray[np.float32]] = {}
    for name, shape in shapes.items():
        tensor = tensors[_file_name(name)]
        if len(shape) == 1:
            gains[name] = _floats(path, tensor)
        else:
            matrices[name] = _weights(path, tensor, keep_four_bits=name not in ("embedding", "head"))
    matrices.setdefault("head", matrices["embedding"])
    return Llama(
        **measures,
        epsilon=keys.number("llama.attention.layer_norm_rms_epsilon", 1e-5),
        theta=keys.number("llama.rope.freq_base", 10000.0),
        matrices=matrices,
        gains=gains,
        tokenizer=tokenizer,
        rotation_factors=()
        if factors is None
        else check_factors(str(path), _floats(path, factors), measures["head_width"]),
        end=tuple(token for token in ends(tokenizer) if token < measures["vocabulary"]),
    )


def header_shape(path: Path) -> tuple[dict[str, int], bool, bool]:
    """What a header says: measures, whether the head is the embedding, whether layers have 8 bits, not 4.

    Raises:
        InputError: not a GGUF file of a Llama.
    """
    values, tensors = read_header(path)
    keys = _Keys(path, values)
    if (architecture := keys.text("general.architecture", "none")) != "llama":
        raise InputError(f"{path}: the architecture is {architecture!r}; llama is allowed")
    if "token_embd.weight" not in tensors:
        raise InputError(f"{path}: the tensor token_embd.weight is missing")
    measures = _measures(keys, tensors["token_embd.weight"].shape[0])
    up = tensors.get(_file_name("layer00.up"))
    return measures, "output.weight" not in tensors, up is None or up.kind.name not in ("Q4_0", "Q4_1")


def _measures(keys: "_Keys", vocabulary: int) -> dict[str, int]:
    heads, width = keys.integer("llama.attention.head_count"), keys.integer("llama.embedding_length")
    measures = {
        "layers": keys.integer("llama.block_count"),
        "width": width,
        "heads": heads,
        "kv_heads": keys.integer("llama.attention.head_count_kv", heads),
        "head_width": keys.integer("llama.attention.key_length", width // max(heads, 1)),
        "hidden": keys.integer("llama.feed_forward_length"),
        "vocabulary": vocabulary,
        "context": keys.integer("llama.context_length"),
    }
    check_measures(str(keys.path), **measures)
    return measures


@dataclass(frozen=True, slots=True)
class _Keys:
    """The file's keys, each read as the type that is wanted."""

    path: Path
    values: dict[str, Any]

    def _typed(self, name: str, default: Any, kinds: tuple[type, ...], what: str) -> Any:
        if name not in self.values:
            if default is None:
                raise InputError(f"{self.path}: the key {name} is missing")
            return default
        if type(self.values[name]) not in kinds:
            raise InputError(f"{self.path}: the key {name} is not {what}")
        return self.values[name]

    def integer(self, name: str, default: int | None = None) -> int:
        return int(self._typed(name, default, (int,), "an integer"))

    def number(self, name: str, default: float) -> float:
        value = float(self._typed(name, default, (int, float), "a number"))
        if not 0 < value < 1e12:
            raise InputError(f"{self.path}: the key {name} is {value}; a positive number is allowed")
        return value

    def text(self, name: str, default: str) -> str:
        return str(self._typed(name, default, (str,), "text"))


def _file_name(name: str) -> str:
    if name in ("embedding", "head", "norm"):
        return {"embedding": "token_embd", "head": "output", "norm": "output_norm"}[name] + ".weight"
    prefix, _, part = name.partition(".")
    return f"blk.{int(prefix.strip('layerx'))}.{NAMES[part]}.weight"


def _floats(path: Path, tensor: Tensor, largest: float = np.inf) -> npt.NDArray[np.float32]:
    try:
        values = dequantize(tensor.data, tensor.kind)
    except NotImplementedError:
        raise InputError(
            f"{path}: tensor {tensor.name} has quantisation {tensor.kind.name}, which is unknown here"
        ) from None
    values = np.asarray(values, np.float32).reshape(tensor.shape)
    check_finite(str(path), tensor.name, values, largest=largest)
    return values


def _weights(path: Path, tensor: Tensor, keep_four_bits: bool) -> Weights:
    kind, shape = tensor.kind.name, tensor.shape
    if kind not in ("Q8_0", "Q4_0", "Q4_1") or (kind != "Q8_0" and not keep_four_bits):
        return eight_bits(_floats(path, tensor, LARGEST_WEIGHT))
    halves, bytes_ = (2, 16) if kind == "Q4_1" else (1, 32 if kind == "Q8_0" else 16)
    raw = np.asarray(tensor.data).reshape(shape[0], -1, 2 * halves + bytes_)
    scales = np.ascontiguousarray(raw[..., : 2 * halves]).view(np.float16).astype(np.float32)
    check_finite(str(path), tensor.name, scales)
    body = np.ascontiguousarray(raw[..., 2 * halves :])
    if kind == "Q8_0":
        return Weights(body.view(np.int8).reshape(shape), scales[..., 0])
    q = np.concatenate((body & 15, body >> 4), axis=2).reshape(shape)
    d = np.ascontiguousarray(scales[..., 0])
    return Weights(q, d, np.ascontiguousarray(scales[..., 1]) if kind == "Q4_1" else np.float32(-8) * d)
