"""GGUF files of the architectures in ``inference.models``; one model may lie in several files."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.errors import InputError
from inference.files.blocks import BLOCK, Weights, eight_bits, halved
from inference.files.checks import LARGEST_WEIGHT, check_factors, check_finite, check_measures, check_tokens
from inference.files.gguf_header import Tensor, read_header
from inference.files.keys import Keys
from inference.files.matrices import Matrices
from inference.model import Checkpoint, layer
from inference.models import _architecture
from inference.models._architecture import ROTATED, Architecture, Fields
from inference.tokens.ends import KEYS, ends

SPECIAL = (*KEYS, "tokenizer.ggml.bos_token_id")
SHARD = re.compile(r"(.*)-(\d{5})-of-(\d{5})\.gguf")
COUNT = "split.count"


def read_gguf(path: Path) -> Checkpoint:
    """A GGUF file, or the first of a model's, as a model.

    Raises:
        InputError: see ``read_model``.
    """
    values, tensors = read_shards(path)
    keys = Keys(str(path), values)
    architecture = _architecture.of_gguf(path, keys.text("general.architecture", "none"))
    measures = _measures(keys, architecture, tensors)
    prefix = architecture.gguf
    if keys.integer(f"{prefix}.rope.dimension_count", measures["head_width"]) != measures["head_width"]:
        raise InputError(f"{path}: heads that are rotated in part are not supported")
    if keys.integer(f"{prefix}.attention.value_length", measures["head_width"]) != measures["head_width"]:
        raise InputError(f"{path}: values of another width than keys are not supported")
    for name in SPECIAL:
        check_tokens(path, measures["vocabulary"], name, [values[name]] if name in values else [])
    fields: Fields = {**measures, **architecture.of_gguf(keys, measures)}

    shapes = architecture.expected(measures, tied="output.weight" not in tensors)
    factors = tensors.pop("rope_freqs.weight", None)
    if factors is not None:
        if fields.get("rotation_factors"):
            raise InputError(f"{path}: rotations are scaled twice, by a key and by rope_freqs.weight")
        said = check_factors(str(path), _floats(path, factors), measures["head_width"])
        fields["rotation_factors"] = said
    for name, shape in shapes.items():
        key = architecture.in_gguf(name)
        if key not in tensors:
            raise InputError(f"{path}: the tensor {key} is missing")
        if tensors[key].shape != shape:
            raise InputError(f"{path}: tensor {key} has shape {tensors[key].shape}, not {shape}")
    if foreign := tensors.keys() - {architecture.in_gguf(name) for name in shapes}:
        raise InputError(f"{path}: tensor {min(foreign)} is not one of a {prefix} model's")
    tokenizer = {name: value for name, value in values.items() if name.startswith("tokenizer.")}

    def order(name: str) -> npt.NDArray[np.int64] | None:
        """Of a tensor's rows, where heads are not rotated by pairs."""
        halves = not architecture.pairs and name.partition(".")[2] in ROTATED
        return paired(shapes[name][0], measures["head_width"]) if halves else None

    def vector(name: str) -> npt.NDArray[np.float32]:
        found, rows = _floats(path, tensors[architecture.in_gguf(name)]), order(name)
        return found if rows is None else found[rows]

    def matrix(name: str) -> Weights:
        found, rows = _weights(path, tensors[architecture.in_gguf(name)]), order(name)
        return found if rows is None else found.rows(rows)

    brought = set[str]()
    for name in (names := [name for name, shape in shapes.items() if len(shape) == 2]):
        tensor = tensors[architecture.in_gguf(name)]
        if tensor.kind.name not in KEPT:
            _floats(path, replace(tensor, shape=(1, tensor.shape[1])))
            brought.add(tensor.kind.name)
    vectors = {name: vector(name) for name, shape in shapes.items() if len(shape) == 1}
    return Checkpoint(
        epsilon=keys.number(f"{prefix}.attention.layer_norm_rms_epsilon", 1e-5),
        matrices=Matrices(names, matrix),
        gains={name: vector for name, vector in vectors.items() if not name.endswith(".bias")},
        biases={name.removesuffix(".bias"): vector for name, vector in vectors.items() if name.endswith(".bias")},
        tokenizer=tokenizer,
        brought=tuple(sorted(brought)),
        end=tuple(token for token in ends(tokenizer) if token < measures["vocabulary"]),
        **fields,
    )


def paired(rows: int, head_width: int) -> npt.NDArray[np.int64]:
    """The order that brings rows of heads from halves, i and i + w / 2, to the pairs 2 i and 2 i + 1."""
    return np.arange(rows).reshape(-1, 2, head_width // 2).swapaxes(1, 2).ravel()


def read_shards(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Keys and tensors of a file and of those that go with it: NAME-00001-of-00003.gguf and so on.

    Raises:
        InputError: see ``gguf_header.read_header``; one that is missing, or has another's tensor.
    """
    values, tensors = read_header(path)
    count = Keys(str(path), values).integer(COUNT, 1)
    if count == 1:
        return values, tensors
    named = SHARD.fullmatch(path.name)
    if named is None or int(named[2]) != 1 or int(named[3]) != count or count > 999:
        raise InputError(f"{path}: one of {count} files; the first, NAME-00001-of-{count:05d}.gguf, is read with all")
    for index in range(2, count + 1):
        shard = path.with_name(f"{named[1]}-{index:05d}-of-{count:05d}.gguf")
        said, more = read_header(shard)
        if Keys(str(shard), said).integer(COUNT, 1) != count:
            raise InputError(f"{shard}: not one of {count} files of {path.name}")
        if twice := tensors.keys() & more.keys():
            raise InputError(f"{shard}: tensor {min(twice)} is in another file too")
        tensors |= more
    return values, tensors


JOINED = {"qkv": ("q", "k", "v"), "output": ("output",), "gate_up": ("gate", "up"), "down": ("down",)}
"""Matrices of a layer that become one product, of a format that holds them all."""


def header_shape(path: Path) -> tuple[Architecture, Fields, dict[str, int], bool, frozenset[str], frozenset[str]]:
    """What a header says: architecture and its fields, measures, whether the head is the embedding, which of embedding,
    head and the products of layers have 8 bits, not 4, and which of these have a step of each half of a block.

    Raises:
        InputError: not a GGUF file of an architecture that is read.
    """
    values, tensors = read_shards(path)
    keys = Keys(str(path), values)
    architecture = _architecture.of_gguf(path, keys.text("general.architecture", "none"))
    measures = _measures(keys, architecture, tensors)
    fields = architecture.of_gguf(keys, measures)
    eight, halves = set(), set()

    def kinds(*names: str) -> set[str]:
        """Which of the three formats the matrices have."""
        held = [tensors.get(architecture.in_gguf(name)) for name in names]
        named = {format_: name for name, formats in (("four", FOUR_BITS), ("halves", HALVES)) for format_ in formats}
        return {named.get(each.kind.name, "eight") if each else "eight" for each in held}

    tied = "output.weight" not in tensors
    products: dict[str, tuple[str, ...]] = {"embedding": ("embedding",), "head": ("embedding" if tied else "head",)}
    for at in map(layer, range(measures["layers"])):
        products |= {f"{at}.{name}": tuple(f"{at}.{part}" for part in parts) for name, parts in JOINED.items()}
    for product, matrices in products.items():
        found = kinds(*matrices)
        if found != {"four"}:
            eight.add(product)
        if len(found) > 1 or found == {"halves"}:
            halves.add(product)
    return architecture, fields, measures, tied, frozenset(eight), frozenset(halves)


def _measures(keys: Keys, architecture: Architecture, tensors: dict[str, Tensor]) -> dict[str, int]:
    if "token_embd.weight" not in tensors:
        raise InputError(f"{keys.where}: the tensor token_embd.weight is missing")
    prefix = architecture.gguf
    heads, width = keys.integer(f"{prefix}.attention.head_count"), keys.integer(f"{prefix}.embedding_length")
    measures = {
        "layers": keys.integer(f"{prefix}.block_count"),
        "width": width,
        "heads": heads,
        "kv_heads": keys.integer(f"{prefix}.attention.head_count_kv", heads),
        "head_width": keys.integer(f"{prefix}.attention.key_length", width // max(heads, 1)),
        "hidden": keys.integer(f"{prefix}.feed_forward_length"),
        "vocabulary": tensors["token_embd.weight"].shape[0],
        "context": keys.integer(f"{prefix}.context_length"),
    }
    check_measures(keys.where, **measures)
    return measures


def _floats(path: Path, tensor: Tensor, largest: float = np.inf) -> npt.NDArray[np.float32]:
    from gguf import dequantize  # which brings seconds of importing

    try:
        values = dequantize(tensor.data, tensor.kind)
    except NotImplementedError:
        raise InputError(
            f"{path}: tensor {tensor.name} has quantisation {tensor.kind.name}, which is unknown here"
        ) from None
    values = np.asarray(values, np.float32).reshape(tensor.shape)
    check_finite(str(path), tensor.name, values, largest=largest)
    return values


EIGHT_BITS = ("Q8_0", "Q5_0")
"""Formats of blocks w = d·q, q in 8 bits or fewer."""
FOUR_BITS = ("Q4_0", "Q4_1", "Q4_K")
HALVES = ("Q5_K", "Q6_K")
"""Formats whose blocks have an offset and more than 4 bits, or a step of each half."""
KEPT = (*EIGHT_BITS, *FOUR_BITS, *HALVES)
"""Formats that are multiplied as they are."""


def _weights(path: Path, tensor: Tensor) -> Weights:
    """Blocks as they are where they are of a format that is kept; all others at 8 bits."""
    kind, shape = tensor.kind.name, tensor.shape
    if kind not in KEPT:
        return eight_bits(_floats(path, tensor, LARGEST_WEIGHT))
    if kind in ("Q4_K", "Q5_K"):
        return _four_or_five_bits(path, tensor)
    if kind == "Q6_K":
        return _six_bits(path, tensor)
    halves, bytes_ = (2, 16) if kind == "Q4_1" else (1, {"Q8_0": 32, "Q5_0": 20}.get(kind, 16))
    raw = np.asarray(tensor.data).reshape(shape[0], -1, 2 * halves + bytes_)
    scales = np.ascontiguousarray(raw[..., : 2 * halves]).view(np.float16).astype(np.float32)
    check_finite(str(path), tensor.name, scales)
    body = np.ascontiguousarray(raw[..., 2 * halves :])
    if kind == "Q8_0":
        return Weights(body.view(np.int8).reshape(shape), scales[..., 0])
    if kind == "Q5_0":
        fifth = np.unpackbits(body[..., :4], axis=2, bitorder="little")
        q = np.concatenate((body[..., 4:] & 15, body[..., 4:] >> 4), axis=2) | fifth << 4
        return Weights((q.astype(np.int8) - np.int8(16)).reshape(shape), scales[..., 0])
    q = np.concatenate((body & 15, body >> 4), axis=2).reshape(shape)
    d = np.ascontiguousarray(scales[..., 0])
    return Weights(q, d, np.ascontiguousarray(scales[..., 1]) if kind == "Q4_1" else np.float32(-8) * d)


def _four_or_five_bits(path: Path, tensor: Tensor) -> Weights:
    """Q4_K, Q5_K: of 8 blocks d and m have 6 bits each, of a float16 step; w = (d·d_j)·q - m·m_j."""
    rows, columns = tensor.shape
    five = tensor.kind.name == "Q5_K"
    raw = np.asarray(tensor.data).reshape(rows, -1, 176 if five else 144)
    steps = np.ascontiguousarray(raw[..., :4]).view(np.float16).astype(np.float32)
    check_finite(str(path), tensor.name, steps)
    packed, body = raw[..., 4:16], raw[..., -128:].reshape(rows, -1, 4, BLOCK)
    low, high, mixed = packed[..., :4], packed[..., 4:8], packed[..., 8:]
    d = np.concatenate((low & 63, (mixed & 15) | (low >> 6 << 4)), axis=2)
    m = np.concatenate((high & 63, (mixed >> 4) | (high >> 6 << 4)), axis=2)
    q = np.stack((body & 15, body >> 4), axis=3).reshape(rows, -1, 8, BLOCK)
    if five:
        q |= (raw[..., None, 16:48] >> np.arange(8, dtype=np.uint8)[:, None] & 1) << 4
    blocks = (rows, columns // BLOCK)
    found = Weights(
        q.reshape(rows, columns), (steps[..., :1] * d).reshape(blocks), (-steps[..., 1:] * m).reshape(blocks)
    )
    return halved(found) if five else found


def _six_bits(path: Path, tensor: Tensor) -> Weights:
    """Q6_K: of 16 halves of blocks d has 8 bits, of a float16 step; w = (d·d_j)·(q - 32)."""
    rows, columns = tensor.shape
    raw = np.asarray(tensor.data).reshape(rows, -1, 210)
    step = np.ascontiguousarray(raw[..., 208:]).view(np.float16).astype(np.float32)
    check_finite(str(path), tensor.name, step)
    d = step * np.ascontiguousarray(raw[..., 192:208]).view(np.int8)
    low, high = raw[..., :128].reshape(rows, -1, 2, 1, 64), raw[..., 128:192].reshape(rows, -1, 2, 1, BLOCK)
    digits = (low >> np.array([[0], [4]], np.uint8) & 15).reshape(rows, -1, 2, 4, BLOCK)
    q = (digits | (high >> np.array([[0], [2], [4], [6]], np.uint8) & 3) << 4).astype(np.int8) - np.int8(32)
    m = np.zeros((rows, columns // BLOCK), np.float32)
    return Weights(q.reshape(rows, columns), d.reshape(rows, -1), m)
