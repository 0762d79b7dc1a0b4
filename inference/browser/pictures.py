"""What the page of pictures is served: the graph of a picture as a program, and its weights."""

from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np

from inference.device.export import as_json
from inference.device.program import program
from inference.device.target import Target
from inference.models.terrain import Terrain, inputs, terrain

MODEL = "terrain"


@dataclass
class Pictures:
    """The model of the page, read when it is first asked for."""

    lock: Any = field(default_factory=Lock)
    made: Terrain | None = None
    weights: dict[str, Any] = field(default_factory=dict)
    """Name of a weight's buffer to constant and layout."""

    def model(self) -> Terrain:
        """The model, in integers.

        Raises:
            InputError: its package is not installed.
        """
        with self.lock:
            if self.made is None:
                self.made = terrain(MODEL, "exact")
                kept = frozenset([self.made.picture])
                self.weights = program(self.made.graph, Target(64), keep=kept).weights
            return self.made

    def plan(self, difficulty: int, seed: int, target: Target) -> dict[str, Any]:
        """A picture as a program with its inputs.

        Raises:
            InputError: see ``model``; a class or seed that is not allowed.
        """
        given = inputs("exact", difficulty, seed)
        model = self.model()
        built = program(model.graph, target, keep=frozenset([model.picture]))
        return {
            "program": as_json(model.graph, built, [model.picture]),
            "inputs": {f"input {name}": values.ravel().tolist() for name, values in given.items()},
            "model": model.model.digest,
            "size": [model.model.measures["height"], model.model.measures["width"]],
        }

    def words(self, key: str) -> bytes | None:
        """The bytes of a weight, where there is one."""
        model = self.model()
        if key not in self.weights:
            return None
        constant, pack = self.weights[key]
        return np.ascontiguousarray(pack(model.model.constants[constant])).tobytes()
