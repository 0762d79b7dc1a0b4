"""The best columns of a pool that fit together, by HiGHS: for pools whose relaxation cuts hardly tighten."""

import math
from fractions import Fraction

import highspy
import numpy as np

from auction.search import Stop
from auction.solvers._silence import silenced
from auction.solvers.column_generation.columns import Pool

AMOUNTS = 2**40  # that profits may total; what is more is counted in larger units
ROUNDED = Fraction(1, 2**44)  # error of the bound a unit of that total: sums of doubles
MISPRICED = Fraction(1, 10**7)  # error of the bound a column: reduced costs of the wrong sign within the dual tolerance


def pack(pool: Pool, best: Pool, gap: float, stop: Stop) -> tuple[Pool, int | None]:
    """The best found, ``best`` if nothing is better, and what no columns of the pool that fit are worth more than.

    Profits go in as integers so small that what tolerances hide of the bound is below a unit, so that a bound that is
    rounded down after adding it is one in integers; where they total more than AMOUNTS they are rounded up to a larger
    unit, which no packing loses by.

    Args:
        pool: columns with rows of cuts, if it has any.
        best: columns that fit together, of the same market.
        gap: stop once (bound - worth) / bound is at most this.

    Returns:
        the columns and the bound; None where it was stopped before it knew any.
    """
    gainful = pool.only(np.flatnonzero(pool.profit > 0))
    if not gainful.profit.size:
        return best, 0
    unit = int(np.gcd.reduce(gainful.profit))
    unit *= -(-sum((gainful.profit // unit).tolist()) // AMOUNTS)
    profit = -(-gainful.profit // unit)
    highs = _programme(gainful, profit)
    highs.setOptionValue("mip_rel_gap", gap)
    highs.setOptionValue("time_limit", stop.remaining() or math.inf)
    if (begin := _places(best, gainful)) is not None:
        highs.setSolution(begin.size, begin, np.ones(begin.size))
    highs.HandleUserInterrupt = True
    stop.on_interrupt(highs.cancelSolve)
    if stop.now:
        return best, None
    with silenced():
        highs.run()
    values = np.array(highs.getSolution().col_value)
    found = gainful.only(np.flatnonzero(values > 0.5))
    if found.fits() and int(found.profit.sum()) > int(best.profit.sum()):
        best = found
    upper = highs.getInfo().mip_dual_bound
    if not math.isfinite(upper):
        return best, None
    hidden = MISPRICED * profit.size + ROUNDED * int(profit.sum())
    return best, max(unit * math.floor(Fraction(upper) + hidden), int(best.profit.sum()))


def _programme(pool: Pool, profit: np.ndarray) -> highspy.Highs:
    """max profit x subject to A x <= limit, x in {0, 1}."""
    highs = highspy.Highs()
    for option, value in (("output_flag", False), ("threads", 1), ("mip_abs_gap", 0.0)):
        highs.setOptionValue(option, value)
    rows, count = pool.limit.size, profit.size
    nothing = np.zeros(rows, dtype=np.int32)
    highs.addRows(rows, np.full(rows, -np.inf), pool.limit.astype(float), 0, nothing, nothing[:0], np.zeros(0))
    highs.addCols(
        count, profit.astype(float), np.zeros(count), np.ones(count), pool.A.nnz,
        pool.A.indptr[:-1].astype(np.int32), pool.A.indices.astype(np.int32), pool.A.data.astype(float),
    )  # fmt: skip
    integer = np.full(count, highspy.HighsVarType.kInteger)
    highs.changeColsIntegrality(count, np.arange(count, dtype=np.int32), integer)
    highs.changeObjectiveSense(highspy.ObjSense.kMaximize)
    return highs


def _places(best: Pool, pool: Pool) -> np.ndarray | None:
    """Where the columns of one pool are in another; None if any is missing."""
    place = {rows: c for c, rows in enumerate(_rows(pool))}
    at = [place.get(rows) for rows in _rows(best)]
    return None if None in at or not at else np.array(at, dtype=np.int32)


def _rows(pool: Pool) -> list[tuple[int, ...]]:
    """Of each column the task and the providers, without cuts."""
    A = pool.A
    spans = (A.indices[A.indptr[c] : A.indptr[c + 1]] for c in range(pool.profit.size))
    return [tuple(sorted(span[span < pool.base].tolist())) for span in spans]
