"""The restricted master: a packing linear programme whose columns grow, solved from where it was."""

import math

import highspy
import numpy as np
from scipy import sparse

from auction.market import Float, Int
from auction.search import Stop

MANY = 2**31 - 1  # steps of the simplex method: no limit
CHOOSE, DUAL, PRIMAL = 0, 1, 4  # of HiGHS's strategies
STEEPEST, DEVEX = 2, 1  # of its edge weights in the dual simplex method: exact, which cost a solve of each row, or not
SLICE = 1.0  # seconds of a first run before the stop is looked at; the next is twice as long


class RestrictedMaster:
    """max profit x subject to A x <= limit, x >= 0, in HiGHS; profits are divided by ``unit``, for its tolerances."""

    def __init__(self, limit: Int, unit: int, stop: Stop, weights: int = STEEPEST) -> None:
        self._unit = unit
        self._stop = stop
        self._highs = highspy.Highs()
        self._highs.setOptionValue("output_flag", False)
        self._highs.setOptionValue("threads", 1)
        self._highs.setOptionValue("simplex_dual_edge_weight_strategy", weights)
        self._highs.setOptionValue("presolve", "off")  # slower here by a third, and of no use to a next solve
        self._highs.changeObjectiveSense(highspy.ObjSense.kMaximize)
        nothing = np.zeros(limit.size, dtype=np.int32)
        self._highs.addRows(
            limit.size, np.full(limit.size, -np.inf), limit.astype(float), 0, nothing, nothing[:0], np.zeros(0)
        )

    @property
    def columns(self) -> int:
        return int(self._highs.getNumCol())

    def add_columns(self, A: sparse.csc_array, profit: Int) -> None:
        """Columns over the rows there are."""
        self._highs.addCols(
            profit.size, profit / self._unit, np.zeros(profit.size), np.full(profit.size, np.inf), A.nnz,
            A.indptr[:-1].astype(np.int32), A.indices.astype(np.int32), A.data.astype(float),
        )  # fmt: skip

    def change_columns(self, profit: Int, upper: Float) -> None:
        """Other profits and upper limits of all columns."""
        every = np.arange(profit.size, dtype=np.int32)
        self._highs.changeColsCost(profit.size, every, profit / self._unit)
        self._highs.changeColsBounds(profit.size, every, np.zeros(profit.size), upper)

    def basis(self) -> tuple[Int, Int]:
        """The basic columns, and the rows whose slacks are."""
        _, basic = self._highs.getBasicVariables()
        return basic[basic >= 0].astype(np.int64), -1 - basic[basic < 0].astype(np.int64)

    def start_from(self, columns: Int, rows: Int) -> None:
        """The next solve begins with this basis: other columns are 0, other rows tight."""
        basis, status = highspy.HighsBasis(), highspy.HighsBasisStatus
        of_columns, of_rows = [status.kLower] * self._highs.getNumCol(), [status.kUpper] * self._highs.getNumRow()
        for of, basics in ((of_columns, columns), (of_rows, rows)):
            for place in basics.tolist():
                of[place] = status.kBasic
        basis.col_status, basis.row_status, basis.valid = of_columns, of_rows, True
        self._highs.setBasis(basis)

    def probe(self, columns: Int, steps: int) -> float:
        """What the optimum is at most without some columns, as so many steps of the dual simplex tell; the basis of the
        last solve is kept."""
        highs, every = self._highs, columns.astype(np.int32)
        basis, zero = highs.getBasis(), np.zeros(columns.size)
        highs.changeColsBounds(columns.size, every, zero, zero)
        highs.setOptionValue("simplex_strategy", DUAL)
        highs.setOptionValue("simplex_iteration_limit", steps)
        highs.setOptionValue("time_limit", math.inf)
        highs.run()
        value = highs.getInfo().objective_function_value
        highs.setOptionValue("simplex_iteration_limit", MANY)
        highs.changeColsBounds(columns.size, every, zero, np.full(columns.size, np.inf))
        highs.setBasis(basis)
        return value * self._unit

    def fix(self, columns: Int) -> None:
        """These columns are 1 from now on; they fit together."""
        one = np.ones(columns.size)
        self._highs.changeColsBounds(columns.size, columns.astype(np.int32), one, one)

    def solve(self, strategy: int = CHOOSE, sooner: Stop | None = None) -> tuple[float, Float, Float] | None:
        """Objective, dual prices >= 0 of the rows, values of the columns; None when cut short.

        ``strategy``: DUAL is quick where columns were taken away since the last solve, PRIMAL where they were added.
        ``sooner``: than the stop of all solves; the next goes on from there.
        """
        stop, seconds, afresh = sooner or self._stop, SLICE, False
        self._highs.setOptionValue("simplex_strategy", strategy)
        while True:  # a run that was cut short goes on from its basis
            remaining = stop.remaining()
            limit = seconds if remaining is None else min(seconds, remaining)
            self._highs.setOptionValue("time_limit", self._highs.getRunTime() + limit)
            self._highs.run()
            ended = self._highs.getModelStatus()
            if ended == highspy.HighsModelStatus.kUnknown and not afresh and not stop.now:
                afresh = True  # duals that are off by more than the tolerance from the last basis, not from none
                self._highs.clearSolver()
                continue
            if stop.now or ended != highspy.HighsModelStatus.kTimeLimit:
                break
            seconds *= 2
        if self._highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        solution = self._highs.getSolution()
        dual = np.maximum(np.array(solution.row_dual), 0.0)
        value = self._highs.getInfo().objective_function_value
        return value * self._unit, dual * self._unit, np.array(solution.col_value)
