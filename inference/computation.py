"""A run of a model of language as a computation that can be disputed.

The schedule follows from model, prompt length and limit alone: the prompt's passes, then one for each token but the
last. A pass after an end token is null.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property

from inference.errors import InputError
from inference.generate import CHOICE, Backend, check_run, digests, passes
from inference.likeliest import Likeliest
from inference.passes import Link
from inference.scheduled import Node, Observer, Scheduled
from inference.steps import LEAF, Words

__all__ = ["Inference", "Node", "Observer"]


class Inference(Scheduled):
    """A run of an exact model of language, up to ``limit`` tokens after a prompt.

    Args:
        model_digest: by which the model is named; without one, ``Model.digest``.

    Raises:
        InputError: see ``generate.check_run`` and ``Likeliest.check``; a temperature that is not allowed, a model in
            float32.
    """

    def __init__(
        self,
        backend: Backend,
        ids: Sequence[int],
        *,
        limit: int,
        temperature: float = 0,
        seed: int = 0,
        among: Likeliest | None = None,
        model_digest: str | None = None,
    ):
        model = backend.model
        self.model_digest = model_digest
        self.ids, self.limit, self.temperature, self.seed, self.among = list(ids), limit, temperature, seed, among
        check_run(model, self.ids, limit)
        if among is not None:
            among.check(temperature)
        if model.measures["head_width"] > LEAF:
            raise InputError(f"heads of {model.measures['head_width']} are too wide to be disputed: {LEAF} is allowed")
        schedule = passes(model, self.ids, limit, temperature=temperature, seed=seed, among=among)
        choices = [Link(index, CHOICE) for index in range(len(schedule) - limit, len(schedule))]
        super().__init__(backend, schedule, choices)

    @cached_property
    def digests(self) -> Mapping[str, str]:
        """SHA-256 of "model", "graph" and "input", as ``run --trace`` writes them."""
        return digests(self.backend.model, self.ids, self.limit, self.temperature, self.model_digest, self.among)

    @property
    def terms(self) -> Mapping[str, str]:
        """Seed, temperature and token limit as text, and among which tokens is drawn where not among all."""
        asked = {"seed": str(self.seed), "temperature": repr(float(self.temperature)), "limit": str(self.limit)}
        return asked | (self.among.terms if self.among else {})

    def taken(self, words: Words) -> Words:
        """A choice.

        Raises:
            InputError: it is no token.
        """
        if words.size and not 0 <= (choice := int(words.ravel()[-1])) < self.backend.model.measures["vocabulary"]:
            raise InputError(f"the choice {choice} is no token of {self.backend.model.name}")
        return words
