"""Hugging Face models of the Llama architecture: config.json and safetensors beside it."""

import struct
from pathlib import Path
from reprlib import repr as shortened
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from inference.errors import InputError
from inference.files.blocks import Weights, eight_bits
from inference.files.checks import (
    LARGEST_WEIGHT,
    MOST_JSON,
    check_finite,
    check_measures,
    check_tokens,
    parse_json,
    read_text,
    size_of,
)
from inference.model import Llama, expected_shapes
from inference.tokens.ends import ends

MOST_CONFIG, MOST_HEADER = 2**20, 2**24
"""Bytes of config.json and of a safetensors file's header: 1,024 layers take a tenth."""
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
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
    """``config.json`` and ``*.safetensors`` of a directory as a model; every matrix in 8-bit blocks.

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
    where = _tensors(path)
    shapes = expected_shapes(measures, tied="lm_head.weight" not in where)
    for name, shape in shapes.items():
        key = _file_name(name)
        if key not in where:
            raise InputError(f"{path}: the tensor {key} is missing")
        found = tuple(where[key].get_slice(key).get_shape())
        if found != shape:
            raise InputError(f"{path}: tensor {key} has shape {found}, not {shape}")
    matrices: dict[str, Weights] = {}
    gains: dict[str, npt.NDArray[np.float32]] = {}
    for name, shape in shapes.items():
        key = _file_name(name)
        values = _float32(path, where[key], key)
        check_finite(str(path), key, values, largest=np.inf if len(shape) == 1 else LARGEST_WEIGHT)
        if len(shape) == 1:
            gains[name] = values
            continue
        if name.endswith((".q", ".k")):
            # From halves of a head to the pairs 2i, 2i + 1 of GGUF.
            halves = values.reshape(-1, 2, measures["head_width"] // 2, shape[1])
            values = halves.swapaxes(1, 2).reshape(shape)
        matrices[name] = eight_bits(values)
    matrices.setdefault("head", matrices["embedding"])
    tokenizer = _tokenizer(path)
    _special(path / "config.json", config, measures["vocabulary"], "bos_token_id")
    return Llama(
        **measures,
        epsilon=_number(path, config, "rms_norm_eps", 1e-6),
        theta=_number(path, config, "rope_theta", 10000.0),
        matrices=matrices,
        gains=gains,
        tokenizer=tokenizer,
        end=_ends(path, config, tokenizer, measures["vocabulary"]),
    )


def _config(path: Path) -> dict[str, Any]:
    config = parse_json(path, read_text(path, MOST_CONFIG))
    if not isinstance(config, dict):
        raise InputError(f"{path}: not a JSON object")
    architectures = config.get("architectures")
    if not isinstance(architectures, list) or "LlamaForCausalLM" not in architectures:
        raise InputError(f"{path}: the architecture is {shortened(architectures)}; LlamaForCausalLM is allowed")
    return config


def _tokenizer(path: Path) -> dict[str, str]:
    """What a directory says of its tokenizer, by the names of its files."""
    found = {name: read_text(path / name, MOST_JSON) for name in TOKENIZER if (path / name).exists()}
    if "tokenizer.json" not in found and (path / "tokenizer.model").exists():
        raise InputError(f"{path}: tokenizer.json is missing; tokenizer.model alone is not read")
    return found if "tokenizer.json" in found else {}


def _ends(path: Path, config: dict[str, Any], tokenizer: dict[str, str], vocabulary: int) -> tuple[int, ...]:
    """Tokens that end a text, by the configurations and the tokenizer."""
    found = _special(path / "config.json", config, vocabulary, "eos_token_id")
    generation = path / "generation_config.json"
    if generation.exists():
        said = parse_json(generation, read_text(generation, MOST_CONFIG))
        if not isinstance(said, dict):
            raise InputError(f"{generation}: not a JSON object")
        found += _special(generation, said, vocabulary, "eos_token_id")
    found += tuple(token for token in ends(tokenizer) if 0 <= token < vocabulary)
    return tuple(dict.fromkeys(found))


def _special(path: Path, config: dict[str, Any], vocabulary: int, key: str) -> tuple[int, ...]:
    """The tokens under a key, which may be one, several or none."""
    value = config.get(key)
    tokens = value if isinstance(value, list) else [] if value is None else [value]
    return check_tokens(path, vocabulary, key, tokens)


def _tensors(path: Path) -> dict[str, Any]:
    """The open file of each tensor, headers checked: offsets inside the file, no byte in two tensors."""
    files = sorted(path.glob("*.safetensors"))
    if not files:
        raise InputError(f"{path}: there is no .safetensors file")
    where: dict[str, Any] = {}
    for file in files:
        _check_header_length(file)
        try:
            handle = safe_open(file, framework="numpy")
        except (SafetensorError, OSError) as error:
            raise InputError(f"{file}: a damaged safetensors file: {error}") from None
        for name in handle.keys():  # noqa: SIM118 not a dictionary
            if name in where:
                raise InputError(f"{path}: tensor {name} is there twice")
            where[name] = handle
    return where


def _check_header_length(file: Path) -> None:
    """Before the package reads that much."""
    size = size_of(file)
    try:
        with file.open("rb") as opened:
            head = opened.read(8)
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or error}") from None
    length = struct.unpack("<Q", head)[0] if len(head) == 8 else size
    if length > size - 8:
        raise InputError(f"{file}: a damaged safetensors file: its header does not end in it")
    if length > MOST_HEADER:
        raise InputError(f"{file}: a header of {length} bytes; at most {MOST_HEADER} are read")


def _integer(path: Path, config: dict[str, Any], key: str, default: int | None = None) -> int:
    value = config.get(key, default)
    if value is None and default is not None:
        value = default
    if type(value) is not int:
        raise InputError(f"{path / 'config.json'}: {key} is {shortened(value)}, not an integer")
    return value


def _number(path: Path, config: dict[str, Any], key: str, default: float) -> float:
    value = config.get(key, default)
    if type(value) not in (int, float) or not 0 < value < 1e12:
        raise InputError(f"{path / 'config.json'}: {key} is {shortened(value)}, not a positive number")
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
