"""A model of a published shape with random weights: nothing is downloaded, and kernels take as long as on real ones.

The numbers mean nothing (accumulators wrap, which WGSL defines), so only speed is measured on it.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.device.device import Device
from inference.device.runtime import Runtime
from inference.graph import WORD, Arithmetic
from inference.model import Model
from inference.models._decoder import divided
from inference.planning.language import Shape, sketched
from inference.planning.stage import packed

POOL = 2**24
"""Bytes of random words that all weights are filled from."""
SHORTEST = 2**10
"""Positions of rotations that are laid out at least."""


def random_model(of: Shape, arithmetic: Arithmetic, positions: int) -> Model:
    """A model without numbers, but for tables and scales, in either arithmetic, with room for ``positions``."""
    made = sketched(of)
    constants, attributes = dict(made.constants), dict(made.attributes)
    measures = made.measures | {"context": min(made.measures["context"], max(positions, SHORTEST))}
    constants["rotations"] = constants["rotations"][: measures["context"]]
    for name, value in constants.items():
        if name.endswith(".rows"):  # any that is allowed
            constants[name] = np.broadcast_to(np.array([2**14, 8], np.int32), value.shape)
        elif name.endswith(".gain"):
            constants[name] = np.full(value.shape, 2**12, np.int32)
    if arithmetic == "float32":
        constants = _float32(constants)
        attributes = {name.removesuffix(".gain"): {"epsilon": 1e-5} for name in constants if name.endswith(".gain")}
    return Model(of.name, arithmetic, measures, divided(constants), attributes, made.logit_fraction)


def _float32(constants: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """Heads' products as one, steps as floats, no scales and no curves."""
    found = {}
    for name, value in constants.items():
        stem, _, part = name.rpartition(".")
        if part == "rows" or name in ("curve", "exponential") or stem.endswith(".cache"):
            continue
        shape = value.shape
        if stem.endswith(".query"):
            other = constants[f"{stem.removesuffix('.query')}.cache.{part}"]
            stem, shape = stem.removesuffix(".query") + ".qkv", (shape[0] + len(other), *shape[1:])
        kind = value.dtype if part == "q" else np.dtype(np.float32)
        of_gain = np.float32(part == "gain")
        found[f"{stem}.{part}" if stem else name] = np.broadcast_to(np.asarray(of_gain, kind), shape)
    return found


class RandomRuntime(Runtime):
    """Fills the weights of a model without numbers from a pool, as they lie on the device: each has its own memory."""

    def __init__(self, model: Model, device: Device, seed: int = 0) -> None:
        super().__init__(model, device)
        generator = np.random.default_rng(seed)
        self.words = generator.integers(0, 2**32, POOL // WORD, np.uint32)
        steps = generator.integers(-(2**12), 2**12, POOL // 2).astype(np.int16)
        self.steps = steps.view(np.uint32) if model.arithmetic == "exact" else _floats(generator)

    def _weight(self, name: str, constant: str, pack: Callable[[Any], Any]) -> Any:
        if name not in self.kept:
            value = self.model.constants[constant]
            pool = {"q": self.words, "blocks": self.steps}.get(constant.rpartition(".")[2])
            if pool is None:
                return super()._weight(name, constant, pack)
            size = packed(pack, value)
            self.kept[name] = self.device.buffer(name, size)
            for start in range(0, size, POOL):
                part = pool[: min(POOL, size - start) // WORD]
                self.device.device.queue.write_buffer(self.kept[name], start, part)
        return self.kept[name]


def _floats(generator: np.random.Generator) -> npt.NDArray[np.uint32]:
    return (generator.standard_normal(POOL // WORD) / 64).astype(np.float32).view(np.uint32)
