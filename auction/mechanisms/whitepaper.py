"""The whitepaper's auction: allocation by bid density, midpoint prices (sections 4.1 and 4.2)."""

from typing import Literal

from auction.market import READINGS, Market, Reading
from auction.mechanisms import Settlement
from auction.prices import trade_prices
from auction.search import Stop
from auction.solvers import bid_density

__all__ = ["READINGS", "run"]


def run(
    market: Market,
    reading: Reading,
    stop: Stop,
    seed: int,
    *,
    printed: bool = False,
    backfill: bool = False,
    task_order: Literal["printed", "ratio", "random"] = "printed",
    provider_order: Literal["printed", "ratio", "random"] = "printed",
) -> Settlement:
    """``bid_density``, then ``auction.prices.trade_prices``: payments equal receipts.

    Args:
        printed: lines 14-15 as they stand, so that a bundle may cost more than its bid.
        backfill, task_order, provider_order: as in the solver ``bid_density``.
    """
    found = bid_density.solve(
        market, reading, stop, seed, backfill=backfill, task_order=task_order, provider_order=provider_order
    )
    return Settlement(found.allocation, *trade_prices(market, found.allocation, printed=printed))
