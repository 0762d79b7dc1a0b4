"""Reading models: GGUF, and Hugging Face safetensors with config.json. Files are untrusted: no pickles, sizes first.

Both end as a ``Llama``: its measures and its weights by one set of names. 4-bit blocks of a GGUF (Q4_0, Q4_1) and its
Q8_0 are kept as they are; every other format is read as float32 and brought to 8 bits, and so are an embedding and a
head of 4 bits.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.blocks import BLOCK, Weights
from inference.errors import InputError

LARGEST = {"layers": 1024, "width": 2**15, "heads": 1024, "hidden": 2**18, "vocabulary": 2**20, "context": 2**20}
PARTS = ("q", "k", "v", "output", "gate", "up", "down")


@dataclass(frozen=True, slots=True, eq=False)
class Llama:
    """A Llama model: measures and weights."""

    layers: int
    width: int
    heads: int
    kv_heads: int
    head_width: int
    hidden: int
    vocabulary: int
    context: int
    epsilon: float
    theta: float
    matrices: dict[str, Weights] = field(repr=False)
    """``embedding``, ``head`` (the same object where tied), ``layer00.q`` and the other PARTS of each layer."""
    gains: dict[str, npt.NDArray[np.float32]] = field(repr=False)
    """``norm``, ``layer00.attention_norm``, ``layer00.feed_forward_norm``: (width,)."""
    tokenizer: dict[str, Any] = field(repr=False, default_factory=dict)
    """What the file says of its tokenizer."""
    rotation_factors: tuple[float, ...] = ()
    """Divisors of the rotary angles, (head_width / 2,) or none."""
    end: tuple[int, ...] = ()
    """Tokens that end a text."""


def layer(index: int) -> str:
    """The prefix of a layer's names: they sort by depth."""
    return f"layer{index:02d}" if index < 100 else f"layer{index:03d}x"


def read_model(path: Path) -> Llama:
    """A model file (.gguf) or a directory with config.json and safetensors.

    Raises:
        InputError: not there, truncated, another architecture, missing tensors, unknown quantisation, misfit shapes.
    """
    if path.is_dir():
        from inference.safetensors_file import read_directory

        return read_directory(path)
    if not path.is_file():
        raise InputError(f"{path}: there is no such model; a name (smollm2, tiny), a .gguf file or a directory is")
    from inference.gguf_file import read_gguf

    return read_gguf(path)


def check_measures(where: str, **measures: int) -> None:
    """Refuse measures that no Llama has, before memory is taken for them."""
    for name, value in measures.items():
        largest = LARGEST.get(name, 2**20)
        if not 1 <= value <= largest:
            raise InputError(f"{where}: {name} is {value}; 1 to {largest} is allowed")
    heads, kv_heads, head_width = measures["heads"], measures["kv_heads"], measures["head_width"]
    if heads % kv_heads:
        raise InputError(f"{where}: {heads} heads do not share {kv_heads} key heads evenly")
    for name in ("width", "hidden"):
        if measures[name] % BLOCK:
            raise InputError(f"{where}: {name} is {measures[name]}; multiples of {BLOCK} are allowed")
    if head_width % 4 or heads * head_width % BLOCK:
        raise InputError(f"{where}: {heads} heads of {head_width} do not fill blocks of {BLOCK}")


def expected_shapes(measures: Mapping[str, int], tied: bool) -> dict[str, tuple[int, ...]]:
    """Every weight's name and shape."""
    width, hidden = measures["width"], measures["hidden"]
    queries, keys = measures["heads"] * measures["head_width"], measures["kv_heads"] * measures["head_width"]
    shapes: dict[str, tuple[int, ...]] = {"embedding": (measures["vocabulary"], width), "norm": (width,)}
    if not tied:
        shapes["head"] = shapes["embedding"]
    for index in range(measures["layers"]):
        rows = {"q": (queries, width), "k": (keys, width), "v": (keys, width), "output": (width, queries)}
        rows |= {"gate": (hidden, width), "up": (hidden, width), "down": (width, hidden)}
        norms = {"attention_norm": (width,), "feed_forward_norm": (width,)}
        shapes |= {f"{layer(index)}.{part}": shape for part, shape in (rows | norms).items()}
    return shapes


def check_finite(where: str, name: str, *arrays: npt.NDArray[Any]) -> None:
    """Refuse infinities and NaN."""
    for array in arrays:
        if not math.isfinite(float(np.abs(array).max(initial=0))):
            raise InputError(f"{where}: tensor {name} has values that are not finite")
