"""Column generation: prices that certify a bound, then a proof by enumeration, cuts and branching.

A column is a task and a set of providers that covers it. The master picks columns, the pricing problem (the cheapest
cover of every demand at once) finds better ones, and the master's prices are a certificate of the bound.
"""

from typing import Literal

from auction.errors import InputError
from auction.market import READINGS, Market, Reading
from auction.search import Found, Stop
from auction.solvers._support_prices.grid import group
from auction.solvers._vector_prices.coarsening import units
from auction.solvers.column_generation import by_provider, by_support, by_vector

__all__ = ["READINGS", "solve"]


def solve(
    market: Market,
    reading: Reading,
    stop: Stop,
    seed: int,
    *,
    rows: Literal["auto", "providers", "supports", "vectors"] = "auto",
    gap: float = 0.0,
) -> Found:
    """Bound and allocation by column generation, to optimality where time allows.

    Args:
        rows: the master has a row a provider (exact), or a row a slot vector (any size of few types); or tasks that
            demand the same few of many types share a programme. ``auto`` takes providers up to by_provider.ROW_LIMIT
            tasks and providers or where all columns can be listed, then vectors where the lattice of all demands fits
            as it is, then supports where theirs do.
        gap: stop once (bound - welfare) / bound is at most this, 0..1.

    Raises:
        InputError: a gap outside 0..1, providers whose table of cover prices is beyond memory, or supports whose
            tables are.
    """
    if not 0 <= gap <= 1:
        raise InputError(f"option gap of column_generation: {gap} is not allowed; a number from 0 to 1")
    if rows == "providers" or (rows == "auto" and by_provider.fits(market, reading)):
        return by_provider.solve(market, reading, stop, gap)
    if rows == "supports" or (rows == "auto" and (units(market) != 1).any()):
        if (grid := group(market, reading)) is not None:
            return by_support.solve(grid, stop, seed, gap)
        if rows == "supports":
            raise InputError("option rows of column_generation: some tasks demand too much of too many types at once")
    return by_vector.solve(market, reading, stop, gap)
