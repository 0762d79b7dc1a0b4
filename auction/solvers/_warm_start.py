"""The best heuristic allocation at hand, from which exact solvers start."""

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

from auction.allocation import Allocation
from auction.market import Market, Reading
from auction.search import Found, Stop
from auction.solvers import bid_density, greedy
from auction.welfare import welfare

VARIANTS: tuple[dict[str, Any], ...] = tuple(
    {"backfill": backfill, "task_order": task_order, "provider_order": provider_order}
    for backfill, task_order, provider_order in product((False, True), ("printed", "ratio"), ("printed", "ratio"))
)


def best_heuristic(market: Market, reading: Reading, stop: Stop) -> Allocation:
    """The allocation of most welfare among ``greedy`` and the variants of ``bid_density``; the first of equals.

    Once it is time to stop, none is begun but one of each.
    """
    runs: list[Callable[..., Found]] = [greedy.solve, partial(greedy.solve, norm="root")]
    runs += [partial(bid_density.solve, **variant) for variant in VARIANTS]
    best, achieved = Allocation.empty(), 0
    for at, run in enumerate(runs):
        if at in (0, 2) or not stop.now:
            found = run(market, reading, stop, 0).allocation
            if (worth := welfare(market, found)) > achieved or not at:
                best, achieved = found, worth
                stop.report(welfare=achieved)
    return best
