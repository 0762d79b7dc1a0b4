"""A seeded tiny model for tests: two layers, d 64, two heads of 32, one key head, hidden 128, 256 byte tokens."""

from typing import Any

import numpy as np

from inference.files.blocks import Weights, eight_bits, four_bits
from inference.model import Checkpoint
from inference.models.llama import ARCHITECTURE


def tiny(seed: int = 0, *, width: int = 64) -> Checkpoint:
    """Gaussian weights of the usual scales; matrices in 4-bit blocks, the embedding in 8 bits, gains around 1."""
    measures: dict[str, Any] = {
        "layers": 2,
        "width": width,
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
    for name, shape in ARCHITECTURE.expected(measures, tied=True).items():
        values = generator.standard_normal(shape).astype(np.float32)
        if len(shape) == 1:
            gains[name] = 1 + values / np.float32(8)
        elif name == "embedding":
            matrices[name] = eight_bits(values / np.float32(2))
        else:
            matrices[name] = four_bits(2 * values / np.float32(np.sqrt(shape[1])))
    matrices["head"] = matrices["embedding"]
    return Checkpoint(**measures, epsilon=1e-5, theta=10000.0, matrices=matrices, gains=gains)
