"""Whether a market's ledger holds: every event folded anew, every sum, every dispute derived again (section 5)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from experiments.marketplace.models import Known, Language, SmallNumbers, computation_of, table
from experiments.marketplace.orders import check_requests
from experiments.marketplace.pictures import Pictures
from verification.computation import Computation
from verification.errors import Refusal
from verification.ledger.inspect import Inspection, inspect
from verification.market.operations import OPERATIONS
from verification.market.rederived import Rederived, rederived

NAMED: tuple[Known, ...] = (
    *(SmallNumbers(), SmallNumbers("numbers 11", 11), Language("tiny"), Pictures(), Language("smollm2")),
)
"""Models whose requests can be run again, the costlier to know the later."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a check came to."""

    ledger: Inspection
    disputes: list[Rederived] = field(default_factory=list)
    """Those that are over, where the ledger holds."""

    @property
    def reasons(self) -> list[str]:
        """What does not hold, a sentence each; none: all does."""
        if self.ledger.wrong:
            return [self.ledger.wrong]
        return [f"event {each.number} does not follow: {each.wrong}" for each in self.disputes if each.wrong]


def check(
    path: Path, head: tuple[int, str] | None, observe: Callable[[int, int], None] = lambda done, events: None
) -> Found:
    """Check a ledger and, where it holds, derive its disputes again.

    Args:
        head: number and digest of an event that is known from elsewhere.

    Raises:
        Refusal: see ``inspect``: it cannot be opened at all.
    """
    ledger = inspect(path, OPERATIONS, head, observe)
    return Found(ledger) if ledger.wrong else Found(ledger, list(rederived(path, computed)))


def computed(
    requests: list[dict[str, Any]], inputs: Mapping[str, bytes | None], models: Sequence[Known] = NAMED
) -> Computation:
    """What a lease runs.

    Raises:
        Refusal: unknown-model, missing-input, unrunnable.
    """
    wanted = sorted({asked["model"] for asked in requests})
    if len(wanted) > 1:
        raise Refusal("unknown-model", "requests of several models are no one computation")
    known = next((model for model in models if [model.digest] == wanted), None)
    if known is None:
        raise Refusal("unknown-model", f"the model {wanted[0]} is not at hand")
    kept = {name: raw for name, raw in inputs.items() if raw is not None}
    if lost := sorted(inputs.keys() - kept.keys()):
        raise Refusal("missing-input", f"the input {lost[0]} is not kept")
    check_requests(table([known]), requests, kept)  # who wrote the ledger may have leased what no device could run
    return computation_of(table([known]), requests, kept)
