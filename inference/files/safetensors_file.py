"""Hugging Face models of the architectures in ``inference.models``: config.json and safetensors beside it."""

import json
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from inference.errors import InputError
from inference.files.blocks import eight_bits
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
from inference.files.gguf_file import paired
from inference.files.keys import Keys
from inference.files.matrices import Matrices
from inference.files.versioned import Version, read_bytes, version_of
from inference.model import Checkpoint
from inference.models import _architecture
from inference.models._architecture import ROTATED, Fields
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
TYPES = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}
IGNORED = "rotary_emb.inv_freq"
"""End of the name of a tensor that follows from config.json."""


def read_directory(path: Path) -> Checkpoint:
    """``config.json`` and the safetensors of a directory as a model; every matrix in 8-bit blocks.

    Raises:
        InputError: see ``read_model``.
    """
    config = _config(path / "config.json")
    keys = Keys(str(path / "config.json"), config)
    architecture = _architecture.of_hugging_face(keys.where, config.get("architectures"))
    measures = _measures(keys)
    keys.refuse("quantization_config", "num_local_experts", "num_experts")
    fields: Fields = {**measures, **architecture.of_config(keys, measures)}
    right = "gelu_pytorch_tanh" if fields.get("gelu") else "silu"
    if (activation := keys.text("hidden_activation", keys.text("hidden_act", right))) != right:
        raise InputError(f"{keys.where}: the activation is {activation!r:.40}; {right} is allowed")
    where = tensors(path)
    tied = _tied(path, keys, where, architecture.tied)
    shapes = architecture.expected(measures, tied=tied)
    known = {architecture.in_hugging_face(name): name for name in shapes}
    if foreign := [key for key in where if key not in known and not key.endswith(IGNORED)]:
        raise InputError(f"{path}: tensor {min(foreign)} is not one of {architecture.hugging_face}'s")
    for key, name in known.items():
        if key not in where:
            raise InputError(f"{path}: the tensor {key} is missing")
        if (found := where[key].shape) != shapes[name]:
            raise InputError(f"{path}: tensor {key} has shape {found}, not {shapes[name]}")
        where[key].check()

    def values(name: str) -> npt.NDArray[np.float32]:
        key, shape = architecture.in_hugging_face(name), shapes[name]
        found = where[key].read()
        check_finite(str(path), key, found, largest=np.inf if len(shape) == 1 else LARGEST_WEIGHT)
        return found[paired(shape[0], measures["head_width"])] if name.partition(".")[2] in ROTATED else found

    names = [name for name, shape in shapes.items() if len(shape) == 2]
    vectors = {name: values(name) for name in shapes if name not in names}
    gains = {name: vector for name, vector in vectors.items() if not name.endswith(".bias")}
    tokenizer = _tokenizer(path)
    _special(path / "config.json", config, measures["vocabulary"], "bos_token_id")
    return Checkpoint(
        epsilon=keys.number("rms_norm_eps", 1e-6),
        matrices=Matrices(names, lambda name: eight_bits(values(name))),
        gains={name: gain + np.float32(architecture.added) for name, gain in gains.items()},
        biases={name.removesuffix(".bias"): vector for name, vector in vectors.items() if name.endswith(".bias")},
        tokenizer=tokenizer,
        brought=tuple(sorted({where[architecture.in_hugging_face(name)].kind for name in names})),
        end=_ends(path, config, tokenizer, measures["vocabulary"]),
        **fields,
    )


def _measures(keys: Keys) -> dict[str, int]:
    measures = {name: keys.integer(key) for name, key in KEYS.items()}
    measures["kv_heads"] = keys.integer("num_key_value_heads", measures["heads"])
    measures["head_width"] = keys.integer("head_dim", measures["width"] // max(measures["heads"], 1))
    check_measures(keys.where, **measures)
    return measures


def _tied(path: Path, keys: Keys, where: Mapping[str, "Placed"], default: bool) -> bool:
    """Whether the head is the embedding: as config.json says, or as there is no head.

    Raises:
        InputError: there is another head than the one to which it is tied, or none that is not tied.
    """
    head, embedding = (where.get(name) for name in ("lm_head.weight", "model.embed_tokens.weight"))
    if head is None:
        if keys.values.get("tie_word_embeddings") is False:
            raise InputError(f"{path}: the tensor lm_head.weight is missing")
        return True
    if not keys.flag("tie_word_embeddings", default):
        return False
    if embedding is None or head.shape != embedding.shape or not np.array_equal(head.read(), embedding.read()):
        raise InputError(f"{path}: tensor lm_head.weight is not the embedding, to which config.json ties it")
    return False


def _config(path: Path) -> dict[str, Any]:
    config = parse_json(path, read_text(path, MOST_CONFIG))
    if not isinstance(config, dict):
        raise InputError(f"{path}: not a JSON object")
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


@dataclass(frozen=True, slots=True)
class Placed:
    """A tensor of a file."""

    file: Path
    key: str
    kind: str
    shape: tuple[int, ...]
    """Rows first."""
    offset: int
    version: Version

    def check(self) -> None:
        """Refuse a type that is not read (InputError)."""
        if self.kind not in TYPES:
            raise InputError(f"{self.file}: tensor {self.key} is {self.kind}; {', '.join(TYPES)} are allowed")

    def read(self) -> npt.NDArray[np.float32]:
        """Its numbers.

        Raises:
            InputError: of a type that is not read; the file is there no more, or is another.
        """
        self.check()
        kind = np.dtype(TYPES[self.kind])
        words = read_bytes(self.file, self.version, self.offset, prod(self.shape) * kind.itemsize)
        values = words.view(kind).reshape(self.shape)
        if self.kind == "BF16":  # the upper half of a float32
            return (values.astype(np.uint32) << 16).view(np.float32)
        return np.array(values, np.float32)


def tensors(path: Path, *, stem: str = "model", files_beside: str = "*") -> dict[str, Placed]:
    """Where each tensor is, headers checked: offsets inside the file, no byte in two tensors; of an index its files and
    no others.

    Args:
        stem: of the index's name.
        files_beside: stems of the files where there is no index.

    Raises:
        InputError: no file, one that is damaged, or not what the index says.
    """
    index = path / f"{stem}.safetensors.index.json"
    placed = _placed(index) if index.exists() else {}
    files = sorted({path / name for name in placed.values()} if placed else path.glob(f"{files_beside}.safetensors"))
    if not files:
        raise InputError(f"{path}: there is no .safetensors file")
    where: dict[str, Placed] = {}
    for file in files:
        _check_header_length(file)
        for each in _header(file):
            if placed and placed.get(each.key) != file.name:
                raise InputError(f"{file}: tensor {each.key} is not there by {index.name}")
            if each.key in where:
                raise InputError(f"{path}: tensor {each.key} is there twice")
            where[each.key] = each
    if lacking := placed.keys() - where.keys():
        raise InputError(f"{path}: the tensor {min(lacking)} is missing, which {index.name} names")
    return where


def _header(file: Path) -> list[Placed]:
    """What lies where: the package checks that the tensors fill the file and share no byte."""
    try:
        with safe_open(file, framework="numpy"), file.open("rb") as opened:
            [length] = struct.unpack("<Q", opened.read(8))
            header, version = json.loads(opened.read(length)), version_of(opened.fileno())
    except (SafetensorError, OSError) as error:
        raise InputError(f"{file}: a damaged safetensors file: {error}") from None
    header.pop("__metadata__", None)
    return [
        Placed(file, name, each["dtype"], tuple(each["shape"]), 8 + length + each["data_offsets"][0], version)
        for name, each in header.items()
    ]


def _placed(index: Path) -> dict[str, str]:
    """File by tensor.

    Raises:
        InputError: not an index of files beside it.
    """
    found = parse_json(index, read_text(index, MOST_HEADER))
    named = found.get("weight_map") if isinstance(found, dict) else None
    if not isinstance(named, dict) or not named:
        raise InputError(f"{index}: it has no weight_map")
    for file in named.values():
        if type(file) is not str or not re.fullmatch(r"[\w.-]+\.safetensors", file):
            raise InputError(f"{index}: {file!r:.60} is no .safetensors file beside it")
    return named


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
