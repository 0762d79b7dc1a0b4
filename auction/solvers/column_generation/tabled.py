"""Covers out of tables of cover prices: one for all tasks, or one for each demand."""

from dataclasses import dataclass

import numpy as np

from auction.market import Int
from auction.search import Stop
from auction.solvers._exact import dot
from auction.solvers.column_generation.columns import LIMIT, Pool, ReducedMarket, gather_pool
from auction.solvers.column_generation.enumeration import covers_within
from auction.solvers.column_generation.lattices import Lattice, needed_price, with_needed
from auction.solvers.column_generation.pricing import NEVER, cheapest_covers, cover_prices, lattice_points


@dataclass(frozen=True)
class TabledCovers:
    """What prices make of every task's covers, exactly."""

    reduced: ReducedMarket
    parts: list[Lattice]
    tolerance = 0.0

    def sharpen(self) -> bool:
        """Whether there is a more exact way than the last."""
        return False

    def evaluate(self, price: Int, flag: Int) -> tuple[int, Pool] | None:
        """The bound that prices prove and each task's cheapest cover at them; None when cut short."""
        reduced, parts = self.reduced, self.parts
        paid = np.minimum(reduced.cost + price, NEVER - 1)
        bound = dot(reduced.limit[reduced.task.size :], price)
        covers: list[tuple[Int, Int, Int]] = []
        for part in parts:
            table = cover_prices(part.top, part.slot, paid[part.provider], flag)
            if not table.size:
                return None
            needed = needed_price(part, paid)
            least = np.minimum(table[0, lattice_points(part.top, part.demand)], NEVER - needed) + needed
            bound += int(np.maximum(reduced.bid[part.task] - least, 0).sum())
            covered = np.flatnonzero(least < NEVER)
            end, member = with_needed(part, *cheapest_covers(part.top, part.slot, table, part.demand[covered]))
            covers.append((part.task[covered], end, member))
        return bound, gather_pool(reduced, covers)

    def within(self, price: Int, spread: int, stop: Stop, flag: Int) -> Pool | None:
        """Every minimal column of slack below ``spread``; None when there are more than LIMIT or it was stopped.

        An allocation that uses any other is worth at most the bound of ``price`` less ``spread``, or no more than one
        that does without.

        Args:
            price: (n,) premiums pi_j of providers.
        """
        reduced, parts = self.reduced, self.parts
        paid = np.minimum(reduced.cost + price, NEVER - 1)
        covers: list[tuple[Int, Int, Int]] = []
        found = 0
        for part in parts:
            own = paid[part.provider]
            table = cover_prices(part.top, part.slot, own, flag)
            if not table.size:
                return None
            least, needed = table[0, lattice_points(part.top, part.demand)].tolist(), needed_price(part, paid)
            for i, demand, cheapest in zip(part.task.tolist(), part.demand, least, strict=True):
                budget = min(min(int(reduced.bid[i]), cheapest + needed) + spread, NEVER) - 1 - needed
                end, member = covers_within(part.top, part.slot, own, table, demand, budget, LIMIT - found, flag)
                end, member = with_needed(part, end, member)
                found += end.size
                if found > LIMIT or flag[0] or stop.now:
                    return None
                covers.append((np.full(end.size, i), end, member))
        return gather_pool(reduced, covers)
