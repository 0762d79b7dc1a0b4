"""How a coordinator runs its market."""

from dataclasses import dataclass, field
from typing import Any

from experiments.marketplace import auctioneer


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a coordinator runs its market; all that parties rely on stands in the ledger's rules instead."""

    seconds_per_tick: float = 1.0
    round_ticks: int = 5
    """From one round to the next."""
    work_limit: int = 0
    """Ticks that a device has for a lease; 0: four rounds."""
    solver: str = "bid_density"
    mechanism: str = auctioneer.OWN
    options: dict[str, Any] = field(default_factory=dict)
    """Of the solver, or of a mechanism that is not the whitepaper's."""
    solve_limit: float | None = None
    """Seconds for a round's solver."""
    faucet: int = 0
    """Micro-tokens that each new owner is given who asks, once; 0: none."""

    @property
    def limit(self) -> int:
        """Ticks for the work of a lease."""
        return self.work_limit or 4 * self.round_ticks
