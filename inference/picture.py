"""A picture as a computation that can be disputed: its last node is what is delivered."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from hashlib import sha256

from inference.generate import Backend
from inference.graph import digest, schedule
from inference.models.terrain import Terrain, inputs
from inference.outputs import Array
from inference.passes import Link, Pass
from inference.scheduled import Scheduled


def run(backend: Backend, passes: Sequence[Pass]) -> Iterator[tuple[Pass, dict[str, Array]]]:
    """Passes in order, in either arithmetic; of each what later ones take, of the last one its last node."""
    taken = {link for each in passes for link in each.links.values()}
    taken.add(Link(len(passes) - 1, schedule(passes[-1].graph)[-1]))
    found: dict[Link, Array] = {}
    for index, each in enumerate(passes):
        names = sorted(link.node for link in taken if link.index == index)
        outputs = backend.run(each.graph, each.inputs({name: found[link] for name, link in each.links.items()}), names)
        made = dict(zip(names, outputs, strict=True))
        found |= {Link(index, name): output.copy() for name, output in made.items()}
        yield each, made


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
        """As a text's, for the orders of a market: one answer, of no random choice; the class is among the input."""
        return {"seed": str(self.seed), "temperature": "0.0", "limit": "1"}


class LatentPicture(Scheduled):
    """An exact picture of latent diffusion: the passes of ``models.diffusion.latent``.

    Latents are linked from step to step, so they are kept: who disputes a step regenerates that step alone.

    Args:
        terms: what was asked for, as text: prompt, steps, guidance, seed.
        model_digest: by which the model is named; without one, ``Model.digest``.
        input_digest: of what was asked for, where its bytes and the terms say what the passes are given; without one,
            of all that these are given.

    Raises:
        InputError: a model in float32.
    """

    def __init__(
        self,
        backend: Backend,
        passes: Sequence[Pass],
        terms: Mapping[str, str],
        *,
        model_digest: str | None = None,
        input_digest: str | None = None,
    ) -> None:
        self.asked, self.model_digest, self.input_digest = dict(terms), model_digest, input_digest
        super().__init__(backend, passes)

    @cached_property
    def digests(self) -> Mapping[str, str]:
        """SHA-256 of "model", "graph", all passes with their links, and "input", what they are given."""
        graphs = {id(each.graph): digest(each.graph) for each in self.passes}
        described = [
            [each.name, graphs[id(each.graph)], {name: [link.index, link.node] for name, link in each.links.items()}]
            for each in self.passes
        ]
        given = [each.given[name].tobytes() for each in self.passes for name in sorted(each.given)]
        return {
            "model": self.model_digest or self.backend.model.digest,
            "graph": sha256(json.dumps(described, sort_keys=True).encode()).hexdigest(),
            "input": self.input_digest or sha256(b"".join(given)).hexdigest(),
        }

    @property
    def terms(self) -> Mapping[str, str]:
        """As given."""
        return self.asked
