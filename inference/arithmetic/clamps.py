"""Clamps: a stated part of what an op gives, the same everywhere, and counted by the reference where somebody asks."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import numpy.typing as npt

_counts: ContextVar[Counter[str] | None] = ContextVar("counts", default=None)


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Of what runs inside: how many words each kind of clamp has changed.

    The kinds: ``norm``, a norm's ±32 deviations; ``limit``, what a sum is kept to; ``moved``, words that an exponent
    leaves no room for, such as what a curve reads beyond its table; ``narrowed``, the largest words of a tensor, which
    rounding would give a bit more.
    """
    counts = Counter({"norm": 0, "limit": 0, "moved": 0, "narrowed": 0})
    before = _counts.set(counts)
    try:
        yield counts
    finally:
        _counts.reset(before)


def clamped(kind: str, x: npt.NDArray[Any], most: Any) -> npt.NDArray[Any]:
    """x kept to -most..most."""
    y = np.clip(x, -most, most)
    counts = _counts.get()
    if counts is not None:
        counts[kind] += int(np.count_nonzero(y != x))
    return np.asarray(y)
