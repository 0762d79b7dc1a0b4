"""The best heuristic allocation at hand, from which exact solvers start."""

from itertools import product
from typing import Any

from auction.allocation import Allocation
from auction.market import Market, Reading
from auction.search import Stop
from auction.solvers import bid_density, greedy
from auction.welfare import welfare

VARIANTS: tuple[dict[str, Any], ...] = tuple(
    {"backfill": backfill, "task_order": task_order, "provider_order": provider_order}
    for backfill, task_order, provider_order in product((False, True), ("printed", "ratio"), ("printed", "ratio"))
)


def best_heuristic(market: Market, reading: Reading, stop: Stop) -> Allocation:
    """The allocation of most welfare among ``greedy`` and the variants of ``bid_density``; the first of equals."""
    found = [greedy.solve(market, reading, stop, 0, norm=norm) for norm in ("unit", "root")]
    found += [bid_density.solve(market, reading, stop, 0, **variant) for variant in VARIANTS]
    return max((one.allocation for one in found), key=lambda allocation: welfare(market, allocation))
