"""The best columns of a neighbourhood that fit together, by HiGHS."""

import math

import highspy
import numpy as np

from auction.search import Stop
from auction.solvers._silence import silenced
from auction.solvers.column_generation.columns import Pool


def pack(pool: Pool, best: Pool, gap: float, stop: Stop) -> Pool:
    """The best found, ``best`` if nothing is better.

    Args:
        pool: columns with rows of cuts, if it has any.
        best: columns that fit together, of the same market.
        gap: stop once no columns that fit are worth more than that much above.
    """
    gainful = pool.only(np.flatnonzero(pool.profit > 0))
    if not gainful.profit.size:
        return best
    highs = _programme(gainful)
    highs.setOptionValue("mip_rel_gap", gap)
    highs.setOptionValue("time_limit", stop.remaining() or math.inf)
    if (begin := _places(best, gainful)) is not None:
        highs.setSolution(begin.size, begin, np.ones(begin.size))
    highs.HandleUserInterrupt = True
    stop.on_interrupt(highs.cancelSolve)
    if stop.now:
        return best
    with silenced():
        highs.run()
    values = np.array(highs.getSolution().col_value)
    found = gainful.only(np.flatnonzero(values > 0.5))
    return found if found.fits() and int(found.profit.sum()) > int(best.profit.sum()) else best


def _programme(pool: Pool) -> highspy.Highs:
    """max profit x subject to A x <= limit, x in {0, 1}."""
    highs = highspy.Highs()
    for option, value in (("output_flag", False), ("threads", 1), ("mip_abs_gap", 0.0)):
        highs.setOptionValue(option, value)
    rows, count = pool.limit.size, pool.profit.size
    nothing = np.zeros(rows, dtype=np.int32)
    highs.addRows(rows, np.full(rows, -np.inf), pool.limit.astype(float), 0, nothing, nothing[:0], np.zeros(0))
    highs.addCols(
        count, pool.profit.astype(float), np.zeros(count), np.ones(count), pool.A.nnz,
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
