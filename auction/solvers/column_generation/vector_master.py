"""The master LP over supply curves, demand curves and steps of covers through the lattice of demands.

A step (q, v) covers demand q by one slot of vector v and a cover of the rest, max(q - v, 0): steps are the arcs of the
covering programme, so covers that share a rest share its columns, and every step combines with every other.
"""

import highspy
import numpy as np

from auction.market import Float, Int
from auction.search import Stop
from auction.solvers.column_generation.vector_dual import Curves, Grouped, Priced, places, rests, visited

HALVINGS = 9  # the finest segments are 2^-HALVINGS of the price they surround


class Master:
    """max bids won - costs of slots sold, over the steps added so far; solved again from the last basis.

    Rows, all <= 0: of a vector, slots used - slots sold; of a lattice point, tasks won there + covers of it used as
    rests - steps from it. Their duals are prices of slots and covers. Curves are cut into segments priced at their mean,
    fine around the prices of ``centre``, so the value is that of a feasible fractional allocation.
    """

    def __init__(self, grid: Grouped, scale: float, stop: Stop) -> None:
        self.grid, self.stop, self.money = grid, stop, scale
        self.units = max(1.0, grid.market.tasks / 1000)
        self.row = np.full(grid.points, -1)  # of each lattice point; made where a step leads to it first
        self.step_key = np.empty(0, dtype=np.int64)  # q x V + v of each step, in the order of columns
        self.highs = highspy.Highs()
        self.highs.setOptionValue("output_flag", False)
        self.highs.setOptionValue("threads", 1)
        self.highs.HandleUserInterrupt = True
        stop.on_interrupt(self.highs.cancelSolve)
        self.highs.changeObjectiveSense(highspy.ObjSense.kMaximize)
        self._add_rows(len(grid.vectors))
        self._row_of(grid.demand_point)
        segments = 2 * HALVINGS + 3
        supply, demand = np.arange(len(grid.vectors)), self.row[grid.demand_point]
        self._add_columns(0.0, 0.0, np.repeat(supply, segments)[:, None], np.array([[-1.0]]))
        self._add_columns(0.0, 0.0, np.repeat(demand, segments)[:, None], np.array([[1.0]]))
        self.curve_columns = segments * (supply.size + demand.size)

    def _add_rows(self, count: int) -> None:
        empty = np.empty(0, dtype=np.int32)
        self.highs.addRows(count, np.full(count, -np.inf), np.zeros(count), 0, np.zeros(count, np.int32), empty, empty)

    def _row_of(self, point: Int) -> Int:
        new = np.unique(point[self.row[point] < 0])
        self.row[new] = self.highs.getNumRow() + np.arange(new.size)
        self._add_rows(new.size)
        return self.row[point]

    def _add_columns(self, gain: float, upper: float, row: Int, value: Float) -> None:
        """Columns (count, nonzeros) of rows and values; a row below 0 is left out."""
        count = row.shape[0]
        value = np.broadcast_to(value, row.shape)
        kept = row >= 0
        start = np.concatenate(([0], np.cumsum(kept.sum(axis=1))[:-1])).astype(np.int32)
        index, entries = row[kept].astype(np.int32), np.ascontiguousarray(value[kept])
        bounds = np.zeros(count), np.full(count, upper)
        self.highs.addCols(count, np.full(count, gain), *bounds, index.size, start, index, entries)

    def centre(self, at: Priced) -> None:
        """Cut the curves anew, in steps that double with the distance from the prices."""
        grid = self.grid
        sold, cost = _segments(grid.supply, at.price)
        won, bid = _segments(grid.bids, -at.cover[grid.demand_point])
        units = np.concatenate((sold.ravel(), won.ravel()))
        money = -np.concatenate((cost.ravel(), bid.ravel()))
        mean = np.divide(money, units * self.money, out=np.zeros_like(units), where=units > 0)
        column = np.arange(self.curve_columns, dtype=np.int32)
        self.highs.changeColsCost(column.size, column, mean)
        self.highs.changeColsBounds(column.size, column, np.zeros(column.size), units / self.units)

    def add(self, at: Priced) -> int:
        """The steps of cheapest covers at these prices, of all demands that some task bids for; how many are new."""
        grid = self.grid
        point = visited(grid.shape, grid.vectors, at.slot, grid.demand_point)
        key = np.setdiff1d(point * len(grid.vectors) + at.slot[point], self.step_key, assume_unique=True)
        point, vector = np.divmod(key, len(grid.vectors))
        rest = rests(grid.shape, grid.vectors, vector, point) if grid.reading == "bundle" else np.zeros_like(point)
        leads = self._row_of(np.where(rest > 0, rest, point))
        rows = np.column_stack((vector, self._row_of(point), np.where(rest > 0, leads, -1)))
        self._add_columns(0.0, np.inf, rows, np.array([[1.0, -1.0, 1.0]]))
        self.step_key = np.concatenate((self.step_key, key))
        return key.size

    def solve(self) -> tuple[float, Int] | None:
        """Value and prices of the vectors (V,), micro-tokens; None when stopped."""
        if (remaining := self.stop.remaining()) is not None:
            self.highs.setOptionValue("time_limit", self.highs.getRunTime() + remaining)
        self.highs.run()
        if self.highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        dual = np.abs(np.array(self.highs.getSolution().row_dual[: len(self.grid.vectors)]))
        price = np.rint(np.minimum(dual * self.money, self.grid.dearest)).astype(np.int64)
        return self.highs.getObjectiveValue() * self.money * self.units, price

    def flows(self) -> tuple[Int, Float, Float]:
        """Of the last solution: keys of steps, how often each is taken, and the tasks won of each demand (D,)."""
        value = np.array(self.highs.getSolution().col_value) * self.units
        segments = 2 * HALVINGS + 3
        won = value[len(self.grid.vectors) * segments : self.curve_columns].reshape(-1, segments).sum(axis=1)
        return self.step_key, value[self.curve_columns :], won


def _segments(curves: Curves, centre: Int) -> tuple[Float, Float]:
    """Units and money (g, segments) between prices at doubling distances from each group's centre."""
    spread = np.abs(centre)[:, None] * 0.5 ** np.arange(HALVINGS + 1)
    cuts = np.concatenate((centre[:, None] - spread, centre[:, None] + spread[:, ::-1]), axis=1).astype(np.int64)
    units, money = curves.reached(places(curves.first, curves.amount, cuts))
    ends = curves.reached(curves.first[1:, None])
    none = np.zeros((centre.size, 1))
    return np.diff(units, prepend=none, append=ends[0]), np.diff(money, prepend=none, append=ends[1])
