"""Matrices of a model's files, each read when it is asked for: a model is derived without all of them in memory."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

from inference.files.blocks import Weights

KEPT = 7
"""Matrices that stay: a layer's, which are asked for more than once; and the embedding, asked for first and last."""


class Matrices(Mapping[str, Weights]):
    """By name; a head that is tied is the embedding.

    Reading one raises InputError where its numbers are not finite or too large.
    """

    def __init__(self, names: Sequence[str], read: Callable[[str], Weights]) -> None:
        self._names, self._read = (*names, *(() if "head" in names else ("head",))), lru_cache(KEPT)(read)
        self._tied, self._embedding = "head" not in names, lru_cache(1)(read)

    def __getitem__(self, name: str) -> Weights:
        if name not in self._names:
            raise KeyError(name)
        if name == "embedding" or (name == "head" and self._tied):
            return self._embedding("embedding")
        return self._read(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
