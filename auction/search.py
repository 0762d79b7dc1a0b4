"""What every solver receives and returns: when to stop, and what it found."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from auction.allocation import Allocation
from auction.certificate import Certificate
from auction.market import Market


@dataclass(frozen=True)
class Found:
    """The best allocation a solver found and what it proved of the optimum."""

    allocation: Allocation
    bound: int | None  # micro-tokens; equal to the allocation's welfare where that is proven optimal
    status: str  # optimal, feasible, time limit, heuristic, bound; or what went wrong, in words
    certificate: Certificate | None = None  # prices from which anyone re-derives a bound
    proof: str | None = None  # what carries the bound below the certificate's, and its size


class Stop:
    """A deadline and an interrupt; solvers poll it or register what cancels them."""

    def __init__(self, time_limit: float | None) -> None:
        self._deadline = None if time_limit is None else time.perf_counter() + time_limit
        self._cancels: list[Callable[[], object]] = []
        self._wake = threading.Event()
        self.interrupted = False
        self.postponed = 0.0  # seconds

    def remaining(self) -> float | None:
        """Seconds left, not below a hundredth; None without a limit."""
        return None if self._deadline is None else max(0.01, self._deadline - time.perf_counter())

    def postpone(self, seconds: float) -> None:
        """Move the deadline by what was spent before solving could begin."""
        self.postponed += seconds
        if self._deadline is not None:
            self._deadline += seconds

    @property
    def now(self) -> bool:
        """Whether to stop and return the best found."""
        return self.interrupted or (self._deadline is not None and time.perf_counter() >= self._deadline)

    def on_interrupt(self, cancel: Callable[[], object]) -> None:
        """Call ``cancel`` when interrupted, at once if that has happened."""
        self._cancels.append(cancel)
        if self.interrupted:
            cancel()

    def wait(self, seconds: float) -> None:
        """Sleep so long, less when interrupted."""
        self._wake.wait(seconds)

    def interrupt(self) -> None:
        self.interrupted = True
        self._wake.set()
        for cancel in self._cancels:
            cancel()


def trivial_bound(market: Market) -> int:
    """Every task wins at no cost: the sum of the positive net bids, micro-tokens."""
    return int(market.net_bid[market.net_bid > 0].sum())
