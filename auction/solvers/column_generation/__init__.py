"""Column generation: prices that certify a bound, then a proof by enumeration, cuts and branching.

A column is a task and a set of providers that covers it. The master picks columns, the pricing problem (the cheapest
cover of every demand at once) finds better ones, and the master's prices are a certificate of the bound.
"""

from typing import Literal

from auction.errors import InputError
from auction.market import READINGS, Market, Reading
from auction.search import Found, Stop
from auction.solvers.column_generation import by_provider, by_vector

__all__ = ["READINGS", "solve"]


def solve(
    market: Market,
    reading: Reading,
    stop: Stop,
    seed: int,
    *,
    rows: Literal["auto", "providers", "vectors"] = "auto",
    gap: float = 0.0,
) -> Found:
    """Bound and allocation by column generation, to optimality where time allows.

    Args:
        rows: the master has a row a provider (exact), or a row a slot vector (any size); ``auto`` takes providers up
            to by_provider.ROW_LIMIT tasks and providers whose table of cover prices fits memory.
        gap: stop once (bound - welfare) / bound is at most this, 0..1.

    Raises:
        InputError: a gap outside 0..1, or providers whose table of cover prices is beyond memory.
    """
    if not 0 <= gap <= 1:
        raise InputError(f"option gap of column_generation: {gap} is not allowed; a number from 0 to 1")
    if rows == "providers" or (rows == "auto" and by_provider.fits(market, reading)):
        return by_provider.solve(market, reading, stop, gap)
    return by_vector.solve(market, reading, stop, gap)
