"""What a coordinator wants done: its driver does it, whether it simulates or holds sockets.

What is to be answered (``Solve``, ``Explain``, ``Compute``) may be answered late or never; the market goes on without.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from auction.allocation import Allocation
from auction.market import Int, Market
from verification.computation import Computation

Connection = int
"""What a driver calls a connection; never used twice."""


@dataclass(frozen=True, slots=True)
class Send:
    """Bytes, one text frame, to a connection."""

    connection: Connection
    raw: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """A connection is to be closed; ``closed`` need not be told of it."""

    connection: Connection
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Solve:
    """A round's market, for ``auctioneer.answer``, whose answer goes to ``Coordinator.solved``."""

    round: int
    market: Market
    ranked_by: Int
    """(m,) values by which tasks are ranked: raised where their requests came back."""
    barred: list[tuple[int, int]]
    """(task, provider) that must not meet: the provider's device failed the order."""
    solver: str
    options: dict[str, Any]
    """Of the solver; of the mechanism where that is not the whitepaper's."""
    mechanism: str
    limit: float | None
    """Seconds; None: however long it takes."""


@dataclass(frozen=True, slots=True, eq=False)
class Explain:
    """A round that is over, to be compared with the optimum and explained aside: for ``explanation.explain``, whose
    answer goes to ``Coordinator.explained``."""

    solve: Solve
    allocation: Allocation
    orders: list[str]
    """(m,) by name."""
    fee: Fraction
    """That comes on top of what an order bids in the auction."""
    solver: str = "auto"
    """Whose bound it is compared with."""


@dataclass(frozen=True, slots=True, eq=False)
class Compute:
    """A lease of the coordinator's own, to audit: its trace goes to ``Coordinator.computed``."""

    lease: str
    computation: Callable[[], Computation]
    """Makes what it runs, which takes long itself: not for who has to answer others."""


Effect = Send | Close | Solve | Explain | Compute
