"""Pictures that a market trades: a latent diffusion model of ``inference``, reduced, in integers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np

from experiments.marketplace.models import Request, Shape, asked_among
from inference.model import Model
from inference.models.diffusion import reduced
from inference.models.diffusion.latent import LatentDiffusion, last_row
from inference.picture import LatentPicture
from inference.reference import Reference
from verification.encoding.canonical import digest
from verification.errors import Refusal
from verification.manifest import layouts, manifest

FAMILY, PIXELS, STEPS = "sd-turbo", 8, 4
"""Whose reduced networks with seeded weights they are; of a side; steps of denoising at most."""
PLACES, TOKENS = 77, reduced.CLIP["vocab_size"]
"""Of a prompt, the last token being the one that ends it."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """A reduced Stable Diffusion: an input is a prompt's tokens, 4 bytes each, little-endian, the limit its steps."""

    name: str = "pictures"
    _shapes: dict[tuple[int, int], Shape] = field(default_factory=dict)

    @cached_property
    def _diffusion(self) -> LatentDiffusion:
        config = reduced.configuration(FAMILY)
        tensors = reduced.weights(config)
        return LatentDiffusion(self.name, config, lambda folder, key: tensors[folder][key], "exact", PIXELS)

    @cached_property
    def digest(self) -> str:
        return digest(manifest(self._diffusion.model))

    @cached_property
    def layouts(self) -> str:
        return digest(layouts(self.digest, {}))

    @cached_property
    def memory(self) -> int:
        return sum(constant.nbytes for constant in self._diffusion.model.constants.values())

    @cached_property
    def macs(self) -> int:
        """Multiply-accumulates of a picture of one step."""
        return self._run(_ids(self.input([1])), 1, 0, self._diffusion.model).macs

    def words(self, request: Request, raw: bytes) -> int:
        shape = self.shape(request, raw)
        return shape.rows * shape.words

    def shape(self, request: Request, raw: bytes) -> Shape:
        _check(self.name, request)
        known = request["limit"], self._end(_ids(raw))
        if known not in self._shapes:
            run = self.computation(request, raw)
            last = run.nodes[-1]
            self._shapes[known] = Shape(run.digests["graph"], len(run.nodes), last.rows, last.words)
        return self._shapes[known]

    def _end(self, ids: list[int]) -> int:
        """The row that says what the whole prompt is, which the graph reads."""
        return last_row(self._diffusion.config[self._diffusion.encoders[0]], ids)

    def computation(self, request: Request, raw: bytes) -> LatentPicture:
        return self._asked(request, raw, self._diffusion.model)

    def cheaper(self, request: Request, raw: bytes, how: str) -> LatentPicture:
        """The same schedule by a model whose last layers add nothing, or whose weights have a bit less: ``CHEAPER``."""
        right = self._diffusion.model
        constants = {name: CHEAPER[how](name, constant) for name, constant in right.constants.items()}
        return self._asked(request, raw, replace(right, constants=constants))

    def _asked(self, request: Request, raw: bytes, model: Model) -> LatentPicture:
        _check(self.name, request)
        return self._run(_ids(raw), request["limit"], int(request["seed"]), model)

    def _run(self, ids: list[int], steps: int, seed: int, model: Model) -> LatentPicture:
        text = dict.fromkeys(self._diffusion.encoders, ids)
        passes = self._diffusion.passes(text, None, guidance=0.0, steps=steps, seed=seed)
        asked = {"seed": str(seed), "temperature": "0.0", "limit": str(steps)}
        named = {"model_digest": self.digest, "input_digest": sha256(_raw(ids)).hexdigest()}
        return LatentPicture(Reference(model), passes, asked, **named)

    @staticmethod
    def input(prompt: Sequence[int]) -> bytes:
        """The bytes of a prompt of tokens, ended and filled up."""
        return _raw([*prompt, *[TOKENS - 1] * (PLACES - len(prompt))])


def _raw(ids: Sequence[int]) -> bytes:
    return np.array(ids, "<i4").tobytes()


def _check(name: str, request: Request) -> None:
    if not 1 <= request["limit"] <= STEPS or request["temperature"] or asked_among(request):
        raise Refusal("unrunnable", f"{name}: the limit is 1 to {STEPS} steps, the temperature 0")
    if not 0 <= int(request["seed"]) < 2**64:
        raise Refusal("unrunnable", f"{name}: a seed is from 0 to 2^64 - 1")


def _ids(raw: bytes) -> list[int]:
    ids: list[int] = np.frombuffer(raw, "<i4").tolist() if len(raw) == 4 * PLACES else []
    if not ids or not 0 <= min(ids) <= max(ids) < TOKENS:
        raise Refusal("unrunnable", f"pictures: an input is {PLACES} tokens from 0 to {TOKENS - 1}, 4 bytes each")
    return ids


def _weights(name: str, constant: Any) -> bool:
    return name.endswith(".weight") and constant.dtype.itemsize < 4


CHEAPER: Mapping[str, Any] = {
    "fewer-layers": lambda name, c: c * 0 if _weights(name, c) and ".to_out." in name else c,
    "coarser-weights": lambda name, c: (c >> 1) << 1 if _weights(name, c) else c,
}
"""A constant of the model in its place, by how it is cheaper: attention adds nothing, or weights have a bit less."""
