"""The master LP over supply curves, demand curves and steps of covers from one demand to another.

A step covers a demand by some slots and a cover of what they leave, another demand or nothing: covers that share a rest
share its columns, and every step combines with every other.
"""

from dataclasses import dataclass

import highspy
import numpy as np
from scipy import sparse

from auction.market import Float, Int
from auction.search import Stop
from auction.solvers._vector_prices.dual import Curves, DualPoint, GroupedMarket, steps

HALVINGS = 9  # the finest segments are 2^-HALVINGS of the price they surround
SEGMENTS = 2 * HALVINGS + 3
SIMPLEX_ROWS = 2500  # rows up to which the simplex method keeps up
PERTURBATION = 0.003  # of a step's share of the bound, at random: an interior solution is then nearly a vertex


@dataclass(frozen=True, eq=False)
class Flow:
    """A fractional allocation: how often each step is taken."""

    won: Float  # (D,) tasks of each demand
    demand: Int  # (steps,) the demand a step starts from
    rest: Int  # (steps,) the demand it leaves; -1: nothing
    vector: Int  # slots taken, step by step
    start: Int  # (steps + 1,) where each step's slots start
    taken: Float  # (steps,)


class VectorMaster:
    """max bids won - costs of slots sold, over the steps added so far; solved again from the last basis.

    Beyond SIMPLEX_ROWS rows an interior point method solves it, without crossover: its steps are perturbed at random,
    since the many that tie would all be taken in part and flows of small parts round badly.

    Rows, all <= 0: of a vector, slots used - slots sold; of a demand, tasks won + covers of it used as rests - steps
    from it. Their duals are prices of slots and covers. Curves are cut into segments priced at their mean, fine around
    the prices of ``centre``, so the value is that of a feasible fractional allocation.
    """

    def __init__(self, grid: GroupedMarket, stop: Stop) -> None:
        self.grid, self.stop = grid, stop
        # The simplex method's tolerances are absolute: prices below 100, quantities in thousandths of all tasks.
        self.money, self.units = max(grid.dearest, 1) / 100, max(1.0, grid.market.tasks / 1000)
        self.rows = len(grid.vectors) + len(grid.demands)
        self.known: dict[tuple[int, ...], None] = {}  # steps in the order of columns: demand, rest, *vectors
        self.highs = highspy.Highs()
        self.highs.setOptionValue("output_flag", False)
        self.highs.setOptionValue("threads", 1)
        self.interior = self.rows > SIMPLEX_ROWS
        if self.interior:
            self.highs.setOptionValue("solver", "ipm")
            self.highs.setOptionValue("run_crossover", "off")
        self.random = np.random.default_rng(0)
        self.highs.HandleUserInterrupt = True
        stop.on_interrupt(self.highs.cancelSolve)
        self.highs.changeObjectiveSense(highspy.ObjSense.kMaximize)
        none = np.empty(0, dtype=np.int32)
        bounds = np.full(self.rows, -np.inf), np.zeros(self.rows)
        self.highs.addRows(self.rows, *bounds, 0, np.zeros(self.rows, dtype=np.int32), none, none.astype(float))
        sign = np.where(np.arange(self.rows) < len(grid.vectors), -1.0, 1.0)
        unit = sparse.diags_array(sign).tocsc()
        size = np.diff(np.append(grid.supply.first[:-1], grid.supply.first[-1] + grid.bids.first))
        self.segment = np.arange(SEGMENTS) < size[:, None]  # those of each row that can hold anything
        self.curve = np.repeat(np.arange(self.rows), self.segment.sum(axis=1))  # (curve columns,) their rows
        self._add_columns(0.0, unit[:, self.curve])

    def _add_columns(self, upper: float, columns: sparse.csc_array) -> None:
        count = columns.shape[1]
        bounds = np.zeros(count), np.full(count, upper)
        start, index = columns.indptr[:-1].astype(np.int32), columns.indices.astype(np.int32)
        self.highs.addCols(count, np.zeros(count), *bounds, columns.nnz, start, index, columns.data)

    def centre(self, at: DualPoint) -> None:
        """Cut the curves anew, in segments that double with the distance from the prices."""
        sold, cost = _segments(self.grid.supply, at.price)
        won, bid = _segments(self.grid.bids, -at.cover[self.grid.demand_point])
        units, money = np.concatenate((sold, won))[self.segment], -np.concatenate((cost, bid))[self.segment]
        mean = np.divide(money, units * self.money, out=np.zeros_like(units), where=units > 0)
        column = np.arange(units.size, dtype=np.int32)
        self.highs.changeColsCost(column.size, column, mean)
        self.highs.changeColsBounds(column.size, column, np.zeros_like(units), units / self.units)

    def add(self, at: DualPoint) -> int:
        """The steps of cheapest covers at these prices; how many are new."""
        grid, before = self.grid, len(self.known)
        taken, start, reached = steps(
            grid.shape, grid.vectors, at.slot, grid.demand_point, grid.demand_at, grid.market.providers
        )
        if grid.reading == "whole":
            reached[:] = -1
        vectors, offset = taken.tolist(), start.tolist()
        for d, rest in enumerate(reached.tolist()):
            if offset[d] < offset[d + 1]:
                self.known[(d, rest, *sorted(vectors[offset[d] : offset[d + 1]]))] = None
        new = list(self.known)[before:]
        if new:
            V = len(grid.vectors)
            entries = [(a, v, 1.0) for a, (_, _, *slots) in enumerate(new) for v in slots]
            entries += [(a, V + step[0], -1.0) for a, step in enumerate(new)]
            entries += [(a, V + step[1], 1.0) for a, step in enumerate(new) if step[1] >= 0]
            column, row, value = zip(*entries, strict=True)
            matrix = sparse.coo_array((value, (row, column)), shape=(self.rows, len(new)))
            self._add_columns(np.inf, matrix.tocsc())
            if self.interior:
                price = np.array([at.price[list(step[2:])].sum() for step in new])
                most = PERTURBATION * at.value / max(1.0, float(at.asked @ at.price))  # of prices: margins may be thin
                cost = -min(most, PERTURBATION) * self.random.random(len(new)) * price / self.money
                place = np.arange(self.curve.size + before, self.curve.size + len(self.known), dtype=np.int32)
                self.highs.changeColsCost(place.size, place, cost)
        return len(new)

    def solve(self) -> tuple[float, Int] | None:
        """Value and prices of the vectors (V,), micro-tokens; None when stopped. What an interior solution or one that
        HiGHS does not vouch for is worth may be off: bounds are those of the prices, priced elsewhere."""
        if (remaining := self.stop.remaining()) is not None:
            self.highs.setOptionValue("time_limit", self.highs.getRunTime() + remaining)
        self.highs.run()
        if not self.interior and self.highs.getModelStatus() == highspy.HighsModelStatus.kUnknown:
            self.highs.clearSolver()  # duals that are off by more than the tolerance from the last basis, not from none
            self.highs.run()
        if self.highs.getModelStatus() not in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kUnknown):
            return None
        dual = np.abs(np.array(self.highs.getSolution().row_dual[: len(self.grid.vectors)]))
        price = np.rint(np.minimum(dual * self.money, self.grid.dearest)).astype(np.int64)
        return self.highs.getObjectiveValue() * self.money * self.units, price

    def flow(self) -> Flow:
        """The last solution."""
        value = np.array(self.highs.getSolution().col_value) * self.units
        curves, taken = np.split(value, [self.curve.size])
        won = np.bincount(self.curve, curves, self.rows)[len(self.grid.vectors) :].astype(float)
        known = list(self.known)
        demand, rest = np.array([step[:2] for step in known], dtype=np.int64).reshape(-1, 2).T.copy()
        vector = np.array([v for step in known for v in step[2:]], dtype=np.int64)
        start = np.concatenate(([0], np.cumsum([len(step) - 2 for step in known]))).astype(np.int64)
        return Flow(won, demand, rest, vector, start, taken)


def _segments(curves: Curves, centre: Int) -> tuple[Float, Float]:
    """Units and money (g, SEGMENTS) between places on each curve: all of them on a short one, on a long one those of
    prices at doubling distances from the group's centre."""
    spread = np.abs(centre)[:, None] * 0.5 ** np.arange(HALVINGS + 1)
    cuts = np.concatenate((centre[:, None] - spread, centre[:, None] + spread[:, ::-1]), axis=1).astype(np.int64)
    first, end = curves.first[:-1, None], curves.first[1:, None]
    each = np.minimum(first + 1 + np.arange(SEGMENTS), end)
    place = np.where(end - first <= SEGMENTS, each, np.append(curves.places(cuts), end, axis=1))
    units, money = curves.reached(place)
    return np.diff(units, prepend=0.0), np.diff(money, prepend=0.0)
