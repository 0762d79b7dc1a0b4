"""A seeded tiny model for tests: two layers, d 64, two heads of 32, one key head, hidden 128, 256 byte tokens."""

from typing import Any

import numpy as np
import numpy.typing as npt

from inference.files.blocks import BLOCK, Weights, eight_bits
from inference.model import Llama, expected_shapes


def tiny(seed: int = 0) -> Llama:
    """Gaussian weights of the usual scales; matrices in 4-bit blocks, the embedding in 8 bits, gains around 1."""
    measures: dict[str, Any] = {
        "layers": 2,
        "width": 64,
        "heads": 2,
        "kv_heads": 1,
        "head_width": 32,
        "hidden": 128,
        "vocabulary": 256,
        "context": 512,
    }
    generator = np.random.default_rng(seed)
    matrices: dict[str, Weights] = {}
    gains = {}
    for name, shape in expected_shapes(measures, tied=True).items():
        values = generator.standard_normal(shape).astype(np.float32)
        if len(shape) == 1:
            gains[name] = 1 + values / np.float32(8)
        elif name == "embedding":
            matrices[name] = eight_bits(values / np.float32(2))
        else:
            matrices[name] = four_bits(2 * values / np.float32(np.sqrt(shape[1])))
    matrices["head"] = matrices["embedding"]
    return Llama(**measures, epsilon=1e-5, theta=10000.0, matrices=matrices, gains=gains)


def four_bits(matrix: npt.NDArray[np.float32]) -> Weights:
    """Q4_1: m the smallest weight of a block, d a fifteenth of its range, both rounded to float16 as in a file."""
    blocks = matrix.reshape(len(matrix), -1, BLOCK)
    m = blocks.min(2).astype(np.float16).astype(np.float32)
    d = ((blocks.max(2) - m) / 15).astype(np.float16).astype(np.float32)
    steps = np.divide(blocks - m[..., None], d[..., None], out=np.zeros_like(blocks), where=d[..., None] > 0)
    return Weights(np.clip(np.rint(steps), 0, 15).astype(np.uint8).reshape(matrix.shape), d, m)
