"""Tokens that a device says as they come: one by one, or where they come fast together.

A coordinator reads nobody faster than a pace, and the result of a device that streamed faster would be read too late.
"""

from collections.abc import Sequence

from experiments.marketplace.messages import Tokens, encode

SAID = 8
"""Frames between two looks at the time; what comes beyond is said together, at the next."""


class Stream:
    """What was computed and not said yet, by lease and request."""

    def __init__(self) -> None:
        self._unsaid: dict[tuple[str, int], list[int]] = {}
        self._said = 0

    @property
    def waits(self) -> bool:
        """Whether enough was said for now."""
        return self._said >= SAID

    def add(self, lease: str, request: int, tokens: Sequence[int]) -> None:
        """More has come."""
        if tokens:
            self._unsaid.setdefault((lease, request), []).extend(tokens)

    def frames(self) -> list[bytes]:
        """That say it."""
        unsaid, self._unsaid = self._unsaid, {}
        self._said += len(unsaid)
        return [encode(Tokens(lease=lease, tokens=each, request=at)) for (lease, at), each in unsaid.items()]

    def beat(self) -> None:
        """Time has passed."""
        self._said = 0

    def forget(self, lease: str) -> None:
        """A lease is over, or its result tells all of it."""
        self._unsaid = {key: tokens for key, tokens in self._unsaid.items() if key[0] != lease}
