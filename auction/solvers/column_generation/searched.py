"""Covers of each task searched for on its own, with bounds: for any number of types."""

import numpy as np

from auction.market import Int
from auction.search import Stop
from auction.solvers._exact import dot
from auction.solvers.column_generation.columns import LIMIT, Pool, ReducedMarket, build_pool, gather_pool
from auction.solvers.column_generation.pricing import NEVER
from auction.solvers.column_generation.supports import Supports, price_tasks, supports_of, task_covers

EFFORTS = ((40, 1e-2), (200_000, 1e-4), (200_000, 0.0))  # nodes of a search, and how far apart its bounds may stay


class SearchedCovers:
    """What prices make of every task's covers: first roughly, in the end exactly but for searches of many nodes."""

    def __init__(self, reduced: ReducedMarket) -> None:
        self._reduced = reduced
        self._supports: Supports = supports_of(reduced)
        self._multiplier = np.zeros(self._supports.amount.size)
        self._effort = 0

    @property
    def tolerance(self) -> float:
        """How far the cost of a cover may be from the least, relative to the bid."""
        return EFFORTS[self._effort][1]

    def sharpen(self) -> bool:
        """Whether there is a more exact way than the last."""
        self._effort = min(self._effort + 1, len(EFFORTS))
        if self._effort == len(EFFORTS):
            self._effort -= 1
            return False
        return True

    def evaluate(self, price: Int, flag: Int) -> tuple[int, Pool] | None:
        """The bound that prices prove and a cheap cover of each task at them; None when cut short."""
        if (found := self._price(price, flag)) is None:
            return None
        reduced, (least, ends, provider) = self._reduced, found
        bound = dot(reduced.limit[reduced.task.size :], price)
        bound += int(np.maximum(reduced.bid - least, 0).sum())
        covered = np.flatnonzero(np.diff(ends, prepend=0))
        return bound, build_pool(reduced, covered, ends[covered], provider)

    def within(self, price: Int, spread: int, stop: Stop, flag: Int) -> Pool | None:
        """As of ``TabledCovers``: every minimal column of slack below ``spread``."""
        if (found := self._price(price, flag)) is None:
            return None
        reduced, paid = self._reduced, np.minimum(self._reduced.cost + price, NEVER - 1)
        covers: list[tuple[Int, Int, Int]] = []
        count = 0
        budgets = np.minimum(reduced.bid, found[0]) + (spread - 1)
        for i in np.flatnonzero(found[0] <= budgets).tolist():
            budget = min(int(budgets[i]), NEVER - 1)
            end, member = task_covers(self._supports, i, paid, budget, self._multiplier, LIMIT - count, flag)
            count += end.size
            if count > LIMIT or flag[0] or stop.now:
                return None
            covers.append((np.full(end.size, i), end, member))
        return gather_pool(reduced, covers)

    def _price(self, price: Int, flag: Int) -> tuple[Int, Int, Int] | None:
        paid, supports = np.minimum(self._reduced.cost + price, NEVER - 1), self._supports
        arrays = supports.first, supports.amount, supports.start, supports.provider, supports.slot
        nodes, tolerance = EFFORTS[self._effort]
        found = price_tasks(*arrays, paid, self._reduced.bid, self._multiplier, nodes, tolerance, flag)
        return None if flag[0] else found
