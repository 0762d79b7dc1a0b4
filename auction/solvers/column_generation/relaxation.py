"""Relaxations of pools of columns: linear programmes that columns enter as they are wanted."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from auction.market import Float, Int
from auction.search import Stop
from auction.solvers._exact import SAFE
from auction.solvers.column_generation.columns import Pool
from auction.solvers.column_generation.master import CHOOSE, DEVEX, DUAL, PRIMAL, RestrictedMaster

LEAST = 1e-6  # fall of a bound that counts
FIRST = 4  # columns a row that the programme begins with


@dataclass(frozen=True, eq=False)
class Basis:
    """Where a relaxation ended, and where one of nearly the same columns begins."""

    column: Int  # indices into the pool of those that are basic
    row: Int  # those whose slacks are, among the rows that imply all others


@dataclass(frozen=True)
class Solution:
    """Of a relaxation."""

    dual: Float  # of all rows but the tasks', 0 or more
    used: Int  # places of the columns above 0, among those that were asked for
    x: Float  # their values
    basis: Basis | None = None  # where there was anything to solve

    @property
    def price(self) -> Int:
        """The dual in whole micro-tokens."""
        return np.rint(np.minimum(self.dual, SAFE)).astype(np.int64)


def solve_relaxation(pool: Pool, slack: Int, stop: Stop) -> Solution | None:
    """Of all columns of a pool, those of least ``slack`` entered first; None when stopped."""
    return Relaxation(pool, stop).solve(np.arange(slack.size), np.zeros(pool.tasks, dtype=np.int64), slack)


class Relaxation:
    """max (profit + bonus) x subject to A x <= limit, x >= 0 over some columns of a pool, others kept at 0.

    Columns enter when a node wants them and stay. A node begins with a basis of its parent's, from which it differs in
    few columns: so few steps of the dual simplex are left, and for that columns that are kept at 0 keep their profits.
    """

    def __init__(self, pool: Pool, stop: Stop) -> None:
        self._pool = pool
        self._unit = max(1, int(pool.profit.max(initial=0)) // 1000)
        self._stop = stop
        self._A, self._limit = pool.A[pool.undominated], pool.limit[pool.undominated]
        self._master = RestrictedMaster(self._limit, self._unit, stop)
        self._probed: Basis | None = None  # where the prober begins
        self._entered = np.zeros(0, dtype=np.int64)
        self._admitted = np.zeros(0, dtype=bool)
        self._inside = np.zeros(pool.profit.size, dtype=bool)
        self._bonus = np.zeros(pool.tasks, dtype=np.int64)
        self._value = 0.0
        self._basis: Basis | None = None

    def solve(self, column: Int, bonus: Int, slack: Int, basis: Basis | None = None) -> Solution | None:
        """Of the columns of a node; None when stopped.

        Args:
            column: indices into the pool, ascending.
            bonus: (tasks,) added to the profit of a task's columns.
            slack: (columns,) those of least are entered first.
            basis: where to begin; None: where the last solve ended.
        """
        if not column.size:
            return Solution(np.zeros(self._pool.limit.size - self._pool.tasks), column, np.zeros(0))
        part = self._pool.only(column)
        profit = part.profit + bonus[part.task]
        strategy = DUAL if self._entered.size else CHOOSE
        if not self._entered.size:
            size = min(column.size, FIRST * self._pool.limit.size)
            self._enter(column[np.sort(np.argpartition(slack, size - 1)[:size])], bonus)
        if basis is not None and basis is not self._basis:
            self._start_from(basis, bonus)
        self._admit(column, bonus)
        while (solution := self._master.solve(strategy)) is not None:
            self._value, dual, x = solution
            reduced_cost = np.where(self._inside[column], 0, profit - part.A.T @ self._of_every_row(dual))
            entering = np.flatnonzero(reduced_cost > 1e-6 * self._unit)
            if not entering.size:
                above = np.flatnonzero(self._admitted & (x > 1e-7))
                basic, row = self._master.basis()
                self._basis = Basis(self._entered[basic], row)
                used = np.searchsorted(column, self._entered[above])
                return Solution(self._of_every_row(dual)[self._pool.tasks :], used, x[above], self._basis)
            entering = entering[np.argsort(-reduced_cost[entering], kind="stable")[: self._pool.limit.size]]
            self._enter(column[entering], bonus)
            strategy = PRIMAL
        return None

    @cached_property
    def _prober(self) -> RestrictedMaster:
        """Of the same rows, for the many bases from which few steps are taken; most relaxations need none."""
        return RestrictedMaster(self._limit, self._unit, self._stop, DEVEX)

    def _of_every_row(self, dual: Float) -> Float:
        """Dual prices, 0 of the rows that others imply."""
        every = np.zeros(self._pool.limit.size)
        every[self._pool.undominated] = dual
        return every

    def _enter(self, column: Int, bonus: Int) -> None:
        self._master.add_columns(self._A[:, column], self._profit(column, bonus))
        self._entered = np.concatenate((self._entered, column))
        self._inside[column] = True
        self._admitted = np.append(self._admitted, np.ones(column.size, dtype=bool))

    def _start_from(self, basis: Basis, bonus: Int) -> None:
        missing = basis.column[~self._inside[basis.column]]
        if missing.size:
            self._enter(missing, bonus)
        self._master.start_from(np.flatnonzero(np.isin(self._entered, basis.column)), basis.row)

    def _admit(self, column: Int, bonus: Int) -> None:
        """Entered columns that are not the node's are kept at 0; all have its profits."""
        wanted = np.zeros(self._inside.size, dtype=bool)
        wanted[column] = True
        self._admitted, self._bonus = wanted[self._entered], bonus
        self._master.change_columns(self._profit(self._entered, bonus), np.where(self._admitted, np.inf, 0.0))

    def _profit(self, column: Int, bonus: Int) -> Int:
        return self._pool.profit[column] + bonus[self._pool.task[column]]

    def fall(self, lost: NDArray[np.bool_], steps: int) -> float:
        """By how much the last node's relaxation falls without some of the pool's columns, as a share of what it was
        worth: as so many steps tell, and while no others enter. Never 0, so that products tell other factors apart."""
        if self._probed is not self._basis:
            self._probe_here()
        entered = np.flatnonzero(self._admitted & lost[self._entered])
        return max(1 - self._prober.probe(entered, steps) / self._value, LEAST)

    def _probe_here(self) -> None:
        """The prober takes over columns and basis."""
        new = self._entered[self._prober.columns :]
        profit, upper = self._profit(self._entered, self._bonus), np.where(self._admitted, np.inf, 0.0)
        self._prober.add_columns(self._A[:, new], profit[self._entered.size - new.size :])
        self._prober.change_columns(profit, upper)
        self._prober.start_from(*self._master.basis())
        self._probed = self._basis
