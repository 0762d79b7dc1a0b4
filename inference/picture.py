"""A picture as a computation that can be disputed: one pass, whose last node is what is delivered."""

from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256

from inference.generate import Backend
from inference.graph import digest
from inference.models.terrain import Terrain, inputs
from inference.passes import Pass
from inference.scheduled import Scheduled


class Picture(Scheduled):
    """An exact picture of a difficulty and a seed on a backend, ``Reference`` or ``Runtime``, of the model's own.

    Args:
        model_digest: by which the model is named; without one, ``Model.digest``.

    Raises:
        InputError: a difficulty or seed that is not allowed, a model in float32.
    """

    def __init__(
        self, backend: Backend, terrain: Terrain, difficulty: int, seed: int, *, model_digest: str | None = None
    ) -> None:
        self.difficulty, self.seed, self.model_digest = difficulty, seed, model_digest
        given = inputs(backend.model.arithmetic, difficulty, seed)
        super().__init__(backend, [Pass("picture", terrain.graph, given, count=0)])

    @cached_property
    def digests(self) -> Mapping[str, str]:
        """SHA-256 of "model", "graph" and "input", the words of the class and of the seed."""
        [only] = self.passes
        given = sha256(b"".join(only.given[name].tobytes() for name in sorted(only.given)))
        model = self.model_digest or self.backend.model.digest
        return {"model": model, "graph": digest(only.graph), "input": given.hexdigest()}

    @property
    def terms(self) -> Mapping[str, str]:
        """Seed and class as text."""
        return {"seed": str(self.seed), "class": str(self.difficulty)}
