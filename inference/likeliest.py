"""A token drawn among the likeliest only: top-k and top-p, as nodes of exact graphs or of float32 logits."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inference.errors import InputError
from inference.outputs import Array


@dataclass(frozen=True, slots=True)
class Likeliest:
    """Among which tokens is drawn: the ``top_k`` likeliest, and of these the fewest whose probabilities, at the
    temperature, together reach ``top_p``. Of equal logits the smaller id is the likelier."""

    top_k: int | None = None
    top_p: float = 1.0

    def check(self, temperature: float) -> None:
        """Refuse what cannot be drawn so.

        Raises:
            InputError: the likeliest token alone; numbers out of range.
        """
        if self.top_k is not None and not 1 <= self.top_k < 2**31:
            raise InputError(f"--top-k {self.top_k} is not allowed; 1 to 2^31 - 1")
        if not 0 < self.top_p <= 1:
            raise InputError(f"--top-p {self.top_p} is not allowed; above 0, up to 1")
        if temperature <= 0:
            raise InputError("--top-k and --top-p need a --temperature above 0; at 0 the likeliest token is taken")

    @property
    def cuts(self) -> Sequence[tuple[str, dict[str, int]]]:
        """Names and attributes of the ops ``cut`` in the exact arithmetic: by count, then by share of what is left."""
        counted = [("top_k", {"count": self.top_k, "share": 0})] if self.top_k else []
        shared = [("top_p", {"count": 0, "share": math.ceil(self.top_p * 2**32) - 1})] if self.top_p < 1 else []
        return counted + shared

    @property
    def terms(self) -> dict[str, str]:
        """What is asked for, as text."""
        counted = {"top_k": str(self.top_k)} if self.top_k else {}
        return counted | ({"top_p": repr(float(self.top_p))} if self.top_p < 1 else {})

    def drawn(self, logits: Array, temperature: float, word: Array) -> int:
        """In float32 the token that a random word (1,) draws of logits (V,): the first whose inclusive sum of weights,
        from the likeliest on, exceeds word / 2^32 of their total."""
        order = np.argsort(-logits, kind="stable")[: self.top_k]
        weights = np.exp((logits[order].astype(np.float64) - float(logits[order[0]])) / temperature)
        sums = weights.cumsum()
        if self.top_p < 1:
            sums = sums[: int(np.searchsorted(sums, self.top_p * sums[-1])) + 1]
        threshold = int(word.view(np.uint32)[0]) / 2**32 * sums[-1]
        return int(order[min(int(np.searchsorted(sums, threshold, side="right")), len(sums) - 1)])


def among(top_k: int | None, top_p: float) -> Likeliest | None:
    """What is asked for, None where all tokens are."""
    return None if top_k is None and top_p == 1 else Likeliest(top_k, top_p)
