"""GGUF files of the Llama architecture, through the gguf package."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from gguf import GGMLQuantizationType, GGUFReader, dequantize

from inference.errors import InputError
from inference.files.blocks import Weights, eight_bits
from inference.files.checks import check_finite, check_measures
from inference.model import Llama, expected_shapes

PLAIN = {"F32", "F16", "BF16"}
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


def read_gguf(path: Path) -> Llama:
    """A GGUF file as a model.

    Raises:
        InputError: see ``read_model``.
    """
    reader = _open(path)
    fields = {name: _Field(path, name, field) for name, field in reader.fields.items()}

    def integer(key: str, default: int | None = None) -> int:
        name = f"llama.{key}"
        if name not in fields:
            if default is None:
                raise InputError(f"{path}: the key {name} is missing")
            return default
        return fields[name].integer()

    architecture = fields["general.architecture"].text() if "general.architecture" in fields else "none"
    if architecture != "llama":
        raise InputError(f"{path}: the architecture is {architecture!r}; llama is allowed")
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    if "token_embd.weight" not in tensors:
        raise InputError(f"{path}: the tensor token_embd.weight is missing")
    heads = integer("attention.head_count")
    measures = {
        "layers": integer("block_count"),
        "width": integer("embedding_length"),
        "heads": heads,
        "kv_heads": integer("attention.head_count_kv", heads),
        "head_width": integer("attention.key_length", integer("embedding_length") // max(heads, 1)),
        "hidden": integer("feed_forward_length"),
        "vocabulary": int(tensors["token_embd.weight"].shape[-1]),
        "context": integer("context_length"),
    }
    check_measures(str(path), **measures)
    if integer("rope.dimension_count", measures["head_width"]) != measures["head_width"]:
        raise InputError(f"{path}: heads that are rotated in part are not supported")
    if "llama.rope.scaling.type" in fields and fields["llama.rope.scaling.type"].text() not in ("none", ""):
        raise InputError(f"{path}: rope scaling {fields['llama.rope.scaling.type'].text()!r} is not supported; none is")
    if "llama.expert_count" in fields and fields["llama.expert_count"].integer():
        raise InputError(f"{path}: mixtures of experts are not supported")

    shapes = expected_shapes(measures, tied="output.weight" not in tensors)
    matrices: dict[str, Weights] = {}
    gains: dict[str, npt.NDArray[np.float32]] = {}
    for name, shape in shapes.items():
        tensor = tensors.pop(_file_name(name), None)
        if tensor is None:
            raise InputError(f"{path}: the tensor {_file_name(name)} is missing")
        if tuple(int(n) for n in tensor.shape[::-1]) != shape:
            raise InputError(
                f"{path}: tensor {tensor.name} has shape {tuple(int(n) for n in tensor.shape[::-1])}, not {shape}"
            )
        if len(shape) == 1:
            gains[name] = _floats(path, tensor)
        else:
            matrices[name] = _weights(path, tensor, keep_four_bits=name not in ("embedding", "head"))
    factors = tensors.pop("rope_freqs.weight", None)
    if tensors:
        raise InputError(f"{path}: tensor {min(tensors)} is not one of a Llama's")
    matrices.setdefault("head", matrices["embedding"])
    ends = [
        fields[key].integer() for key in ("tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id") if key in fields
    ]
    return Llama(
        **measures,
        epsilon=fields["llama.attention.layer_norm_rms_epsilon"].number()
        if "llama.attention.layer_norm_rms_epsilon" in fields
        else 1e-5,
        theta=fields["llama.rope.freq_base"].number() if "llama.rope.freq_base" in fields else 10000.0,
        matrices=matrices,
        gains=gains,
        tokenizer={key: field.value() for key, field in fields.items() if key.startswith("tokenizer.")},
        rotation_factors=() if factors is None else tuple(_floats(path, factors).ravel().tolist()),
        end=tuple(dict.fromkeys(ends)),
    )


class _Field:
    """A key of the file, read as the type that is wanted."""

    def __init__(self, path: Path, name: str, field: Any) -> None:
        self.path, self.name, self.field = path, name, field

    def value(self) -> Any:
        try:
            return self.field.contents()
        except (ValueError, IndexError, TypeError) as error:
            raise InputError(f"{self.path}: the key {self.name} cannot be read: {error}") from None

    def _typed(self, kind: type | tuple[type, ...], what: str) -> Any:
        value = self.value()
        if not isinstance(value, kind) or isinstance(value, bool):
            raise InputError(f"{self.path}: the key {self.name} is not {what}")
        return value

    def integer(self) -> int:
        return int(self._typed(int, "an integer"))

    def number(self) -> float:
        value = float(self._typed((int, float), "a number"))
        if not 0 < value < 1e12:
            raise InputError(f"{self.path}: the key {self.name} is {value}; a positive number is allowed")
        return value

    def text(self) -> str:
        return str(self._typed(str, "text"))


def _open(path: Path) -> GGUFReader:
    try:
        with path.open("rb") as file:
            head = file.read(24)
        if head[:4] != b"GGUF":
            raise InputError(f"{path}: not a GGUF file")
        # A count beyond the file's size would make the reader loop for hours.
        size = path.stat().st_size
        if len(head) < 24 or any(count * 8 > size for count in struct.unpack("<QQ", head[8:])):
            raise InputError(f"{path}: a damaged GGUF file: its counts exceed its size")
        return GGUFReader(path)
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    except Exception as error:  # noqa: BLE001 the reader of an untrusted file fails in many ways
        raise InputError(f"{path}: a damaged or truncated GGUF file: {error or type(error).__name__}") from None


def _file_name(name: str) -> str:
    if name in ("embedding", "head", "norm"):
        return {"embedding": "token_embd", "head": "output", "norm": "output_norm"}[name] + ".weight"
    prefix, _, part = name.partition(".")
    return f"blk.{int(prefix.strip('layerx'))}.{NAMES[part]}.weight"


def _floats(path: Path, tensor: Any) -> npt.NDArray[np.float32]:
    kind = GGMLQuantizationType(tensor.tensor_type)
    try:
        values = dequantize(tensor.data, kind)
    except NotImplementedError:
        raise InputError(f"{path}: tensor {tensor.name} has quantisation {kind.name}, which is unknown here") from None
    values = np.asarray(values, np.float32).reshape(tensor.shape[::-1])
    check_finite(str(path), tensor.name, values)
    return values


def _weights(path: Path, tensor: Any, keep_four_bits: bool) -> Weights:
    kind = GGMLQuantizationType(tensor.tensor_type).name
    shape = tuple(int(n) for n in tensor.shape[::-1])
    if kind not in ("Q8_0", "Q4_0", "Q4_1") or (kind != "Q8_0" and not keep_four_bits):
        return eight_bits(_floats(path, tensor))
    halves, bytes_ = (2, 16) if kind == "Q4_1" else (1, 32 if kind == "Q8_0" else 16)
    raw = np.asarray(tensor.data, np.uint8).reshape(shape[0], -1, 2 * halves + bytes_)
    scales = np.ascontiguousarray(raw[..., : 2 * halves]).view(np.float16).astype(np.float32)
    check_finite(str(path), tensor.name, scales)
    body = np.ascontiguousarray(raw[..., 2 * halves :])
    if kind == "Q8_0":
        return Weights(body.view(np.int8).reshape(shape), scales[..., 0])
    q = np.concatenate((body & 15, body >> 4), axis=2).reshape(shape)
    d = np.ascontiguousarray(scales[..., 0])
    return Weights(q, d, np.ascontiguousarray(scales[..., 1]) if kind == "Q4_1" else np.float32(-8) * d)
