"""Hugging Face models of the Llama architecture: config.json and safetensors beside it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from inference.errors import InputError
from inference.files.blocks import Weights, eight_bits
from inference.files.checks import check_finite, check_measures
from inference.model import Llama, expected_shapes

KEYS = {
    "layers": "num_hidden_layers",
    "width": "hidden_size",
    "heads": "num_attention_heads",
    "hidden": "intermediate_size",
    "vocabulary": "vocab_size",
    "context": "max_position_embeddings",
}
NAMES = {
    "attention_norm": "input_layernorm",
    "feed_forward_norm": "post_attention_layernorm",
    "q": "self_attn.q_proj",
    "k": "self_attn.k_proj",
    "v": "self_attn.v_proj",
    "output": "self_attn.o_proj",
    "gate": "mlp.gate_proj",
    "up": "mlp.up_proj",
    "down": "mlp.down_proj",
}


def read_directory(path: Path) -> Llama:
    """config.json and *.safetensors of a directory as a model; every matrix in 8-bit blocks.

    Raises:
        InputError: see ``read_model``.
    """
    config = _config(path / "config.json")
    measures: dict[str, Any] = {name: _integer(path, config, key) for name, key in KEYS.items()}
    measures["kv_heads"] = _integer(path, config, "num_key_value_heads", measures["heads"])
    measures["head_width"] = _integer(path, config, "head_dim", measures["width"] // max(measures["heads"], 1))
    check_measures(str(path / "config.json"), **measures)
    if config.get("rope_scaling") or config.get("attention_bias") or config.get("mlp_bias"):
        raise InputError(f"{path / 'config.json'}: rope scaling and biases are not supported")
    files = sorted(path.glob("*.safetensors"))
    if not files:
        raise InputError(f"{path}: there is no .safetensors file")
    try:
        handles = [safe_open(file, framework="numpy") for file in files]
        where = {name: handle for handle in handles for name in handle.keys()}  # noqa: SIM118 not a dictionary
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: a damaged safetensors file: {error}") from None

    def read(name: str, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
        key = _file_name(name)
        if key not in where:
            raise InputError(f"{path}: the tensor {key} is missing")
        found = tuple(where[key].get_slice(key).get_shape())
        if found != shape:
            raise InputError(f"{path}: tensor {key} has shape {found}, not {shape}")
        values = _float32(path, where[key], key)
        check_finite(str(path), key, values)
        return values

    matrices: dict[str, Weights] = {}
    gains: dict[str, npt.NDArray[np.float32]] = {}
    for name, shape in expected_shapes(measures, tied="lm_head.weight" not in where).items():
        values = read(name, shape)
        if len(shape) == 1:
            gains[name] = values
            continue
        if name.endswith((".q", ".k")):
            # From halves of a head to the pairs 2i, 2i + 1 of GGUF.
            halves = values.reshape(-1, 2, measures["head_width"] // 2, shape[1])
            values = halves.swapaxes(1, 2).reshape(shape)
        matrices[name] = eight_bits(values)
    matrices.setdefault("head", matrices["embedding"])
    end = config.get("eos_token_id", [])
    tokenizer = path / "tokenizer.json"
    return Llama(
        **measures,
        epsilon=_number(path, config, "rms_norm_eps", 1e-6),
        theta=_number(path, config, "rope_theta", 10000.0),
        matrices=matrices,
        gains=gains,
        tokenizer={"file": str(tokenizer)} if tokenizer.is_file() else {},
        end=tuple(end) if isinstance(end, list) else (int(end),),
    )


def _config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    if not isinstance(config, dict):
        raise InputError(f"{path}: not a JSON object")
    if "LlamaForCausalLM" not in (config.get("architectures") or []):
        raise InputError(f"{path}: the architecture is {config.get('architectures')}; LlamaForCausalLM is allowed")
    return config


def _integer(path: Path, config: dict[str, Any], key: str, default: int | None = None) -> int:
    value = config.get(key, default)
    if value is None and default is not None:
        value = default
    if not isinstance(value, int) or isinstance(value, bool):
        raise InputError(f"{path / 'config.json'}: {key} is {value!r}, not an integer")
    return value


def _number(path: Path, config: dict[str, Any], key: str, default: float) -> float:
    value = config.get(key, default)
    if not isinstance(value, int | float) or not 0 < value < 1e12:
        raise InputError(f"{path / 'config.json'}: {key} is {value!r}, not a positive number")
    return float(value)


def _float32(path: Path, handle: Any, key: str) -> npt.NDArray[np.float32]:
    kind = handle.get_slice(key).get_dtype()
    if kind not in ("F32", "F16"):
        raise InputError(f"{path}: tensor {key} is {kind}; F32 and F16 are allowed")
    return np.asarray(handle.get_tensor(key), np.float32)


def _file_name(name: str) -> str:
    if name in ("embedding", "head", "norm"):
        return {"embedding": "model.embed_tokens", "head": "lm_head", "norm": "model.norm"}[name] + ".weight"
    prefix, _, part = name.partition(".")
    return f"model.layers.{int(prefix.strip('layerx'))}.{NAMES[part]}.weight"
