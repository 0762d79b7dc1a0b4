"""What every solver receives and returns: when to stop, to whom to report, and what it found."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from auction._compiled import seconds_compiling
from auction.allocation import Allocation
from auction.certificate import Certificate
from auction.market import Market
from auction.progress import Callback, Progress, add, further


@dataclass(frozen=True)
class Found:
    """The best allocation a solver found and what it proved of the optimum."""

    allocation: Allocation
    bound: int | None  # micro-tokens; equal to the allocation's welfare where that is proven optimal
    status: str  # optimal, feasible, time limit, heuristic, bound; or what went wrong, in words
    certificate: Certificate | None = None  # prices from which anyone re-derives a bound
    proof: str | None = None  # what carries the bound below the certificate's, and its size
    remark: str | None = None  # for whoever reads the outcome


def _clock() -> float:
    """Seconds that stand still while anything is compiled, which happens once an installation."""
    return time.perf_counter() - seconds_compiling()


class Stop:
    """A deadline and an interrupt; solvers poll it or register what cancels them, and report what they find.

    Args:
        time_limit: seconds from now, those of compiling not counted; None for no limit.
        callback: called with all that is known each time that something better is reported. What it raises interrupts
            the solver and is kept in ``failure``.
        outer: whose it is to hear reports; not passed on to searches of other markets than the one asked about.
    """

    def __init__(self, time_limit: float | None, callback: Callback | None = None, outer: "Stop | None" = None) -> None:
        self._begun = _clock()
        self._deadline = None if time_limit is None else self._begun + time_limit
        self._cancels: list[Callable[[], object]] = []
        self._wake = threading.Event()
        self._callback, self._outer, self._reporting = callback, outer, threading.Lock()
        self._known: Progress | None = None
        self.history: list[Progress] = []
        self.failure: BaseException | None = None
        self.interrupted = False
        self.postponed = 0.0  # seconds

    def remaining(self) -> float | None:
        """Seconds left, not below a hundredth; None without a limit."""
        return None if self._deadline is None else max(0.01, self._deadline - _clock())

    def postpone(self, seconds: float) -> None:
        """Move the deadline by what was spent before solving could begin."""
        self.postponed += seconds
        if self._deadline is not None:
            self._deadline += seconds

    @property
    def elapsed(self) -> float:
        """Seconds of solving so far."""
        return _clock() - self._begun - self.postponed

    def report(self, *, welfare: int | None = None, bound: int | None = None) -> None:
        """Say what was found: an allocation's welfare, a bound, or both, micro-tokens; what is no better is ignored.

        Any thread may call it; a call takes a microsecond.
        """
        if self._outer is not None:
            self._outer.report(welfare=welfare, bound=bound)
            return
        with self._reporting:
            if self.failure is not None or not (new := further(self._known, self.elapsed, welfare, bound)):
                return
            self._known = new
            add(self.history, new)
            if self._callback is not None:
                try:
                    self._callback(new)
                except BaseException as error:  # noqa: BLE001 - a solver's own threads are no place to raise it
                    self.failure = error
        if self.failure is not None:
            self.interrupt()

    @property
    def now(self) -> bool:
        """Whether to stop and return the best found."""
        return self.interrupted or (self._deadline is not None and _clock() >= self._deadline)

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
