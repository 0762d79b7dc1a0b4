"""Leases that the ledger refused: who was matched for one is not matched so again for a while.

What it lacks, a stake or the fee of a dear audit, may come; but an order that wins a slot which it cannot have must not
keep it idle round after round.
"""

from collections.abc import Container

LONGEST = 16
"""Rounds for which a pair is left out: one after the first refusal, twice as many after each."""


class Refusals:
    """By order and device."""

    def __init__(self) -> None:
        self._pairs: dict[tuple[str, str], tuple[int, int]] = {}
        """The round up to which each is left out, and for how many it was."""
        self._reasons: dict[str, str] = {}

    def note(self, order: str, device: str, number: int, reason: str) -> None:
        """A lease was refused in a round."""
        _, rounds = self._pairs.get((order, device), (0, 0))
        rounds = min(LONGEST, max(1, 2 * rounds))
        self._pairs[order, device] = number + rounds, rounds
        self._reasons[order] = reason

    def barred(self, number: int) -> list[tuple[str, str]]:
        """Who is not matched in a round."""
        return [pair for pair, (until, _) in self._pairs.items() if number <= until]

    def reasons(self, number: int) -> dict[str, str]:
        """Of orders that are not matched with some device in a round, why."""
        return {order: self._reasons[order] for order, _ in self.barred(number)}

    def forget(self, waiting: Container[str]) -> None:
        """What is known of orders that wait no more."""
        self._pairs = {pair: known for pair, known in self._pairs.items() if pair[0] in waiting}
        self._reasons = {order: reason for order, reason in self._reasons.items() if order in waiting}
