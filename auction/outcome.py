"""What a solver reports of one market."""

from dataclasses import dataclass
from typing import Any

from auction.allocation import Allocation
from auction.certificate import Certificate
from auction.market import Reading


@dataclass(frozen=True, eq=False, kw_only=True)
class Outcome:
    """What a solver reports of one market."""

    solver: str
    reading: Reading
    allocation: Allocation
    welfare: int  # micro-tokens
    bound: int | None  # upper bound on the optimal welfare, micro-tokens; None where the solver proves none
    proven_optimal: bool
    status: str
    seconds: float  # solving, without reading files or compiling
    seed: int
    options: dict[str, Any]
    market_digest: str
    certified_bound: int | None = None  # what the certificate proves; None without one
    proof: str | None = None  # what carries ``bound`` below ``certified_bound``, and its size
    certificate: Certificate | None = None  # of a solve in this process; files keep it apart

    @property
    def gap(self) -> float | None:
        """(bound - welfare) / bound; 0 when both are 0; None without a bound."""
        if self.bound is None:
            return None
        return (self.bound - self.welfare) / self.bound if self.bound else 0.0
