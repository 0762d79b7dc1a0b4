"""Branch and bound over a pool of columns, best bound first, every node's bound re-derived in exact integers."""

import heapq
import math
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
from numpy.typing import NDArray

from auction.market import Float, Int
from auction.search import Stop
from auction.solvers.column_generation.columns import Pool, price_columns
from auction.solvers.column_generation.cuts import solve_relaxation

BONUSES = 2**60  # of a node together at most


@dataclass(frozen=True)
class Node:
    """The allocations of some columns that serve some tasks."""

    bound: int  # nothing in it is worth more
    column: Int  # indices into the pool
    slack: Int  # an allocation that uses the column is worth at most bound - slack
    bonus: Int  # (tasks,) added to every column of a task that must be served, and taken off the bound

    def only(self, kept: NDArray[np.bool_]) -> "Node":
        return replace(self, column=self.column[kept], slack=self.slack[kept])

    def above(self, lower: int) -> "Node":
        """Without the columns that no allocation worth more than ``lower`` uses."""
        return self.only(self.slack < self.bound - lower)


def branch_and_bound(
    pool: Pool, slack: Int, bound: int, outside: int, best: Pool, gap: float, stop: Stop, limit: float = math.inf
) -> tuple[Pool, int, int]:
    """The best columns that fit together, what nothing in or out of the pool is worth more than, and the nodes taken.

    Best bound first, but from each such node it plunges: on to the child that must serve its pair, until that holds
    nothing of interest.

    Args:
        slack, bound: an allocation that uses column c is worth at most bound - slack_c.
        outside: what allocations that need other columns are worth at most; below it nothing is searched.
        best: columns that fit together, kept where the pool holds nothing better.
        gap: stop once (bound - worth) / bound is at most this.
        limit: stop after so many nodes.
    """
    order = count(1)  # of equal bounds, the first made is the first explored
    lower = int(best.profit.sum())
    floor = max(lower, outside)
    gainful = np.flatnonzero(pool.profit > 0)
    heap = [(-bound, 0, Node(bound, gainful, slack[gainful], np.zeros(pool.tasks, dtype=np.int64)))]
    plunged: Node | None = None
    nodes = 0
    while heap and -heap[0][0] > floor and -heap[0][0] - lower > -heap[0][0] * gap and nodes < limit and not stop.now:
        nodes += 1
        node = (plunged or heap[0][2]).above(floor)
        bonus = node.bonus[pool.task[node.column]]
        part = pool.only(node.column)
        part = replace(part, profit=part.profit + bonus)
        if (solution := solve_relaxation(part, node.slack, stop)) is None:
            break
        price, used, x = solution
        near = np.argsort(node.slack, kind="stable")[: 4 * part.tasks]
        fit = part.fitting(np.concatenate((used[np.argsort(-x, kind="stable")], near)))
        if (worth := int((part.profit - bonus)[fit].sum())) > lower:
            best, lower = pool.only(node.column[fit]), worth
            floor = max(lower, outside)
        bound, slack = price_columns(part, price)
        bound -= int(node.bonus.sum())
        worse = max(0, bound - node.bound)
        node = replace(node, bound=bound - worse, slack=slack - worse)
        if plunged is None:
            heapq.heappop(heap)
        plunged = None
        if node.bound <= floor:
            continue
        rest = node.above(floor)
        if rest.column.size <= pool.tasks and (whole := pool.only(rest.column)).fits():
            if (worth := int(whole.profit.sum())) > lower:
                best, lower = whole, worth
                floor = max(lower, outside)
            continue
        without, plunged = _children(pool, rest, node.column[used], x, floor)
        heapq.heappush(heap, (-without.bound, next(order), without))
    return best, max(floor, -heap[0][0] if heap else 0), nodes


def _children(pool: Pool, node: Node, used: Int, x: Float, floor: int) -> tuple[Node, Node]:
    """A provider is kept from a task, or must serve it: the pair is the one about which x is least decided."""
    t, base = pool.tasks, pool.base
    A = pool.A[:base, used]
    column = np.repeat(np.arange(used.size), np.diff(A.indptr))
    z = np.zeros((t, base))
    np.add.at(z, (pool.task[used][column], A.indices), x[column])
    z = z[:, t:]
    i, j = divmod(int(np.argmin(np.abs(z - 0.5))), base - t)
    if not 1e-6 < z[i, j] < 1 - 1e-6:  # x is integer, and prices were rounded
        i, j = _open_pair(pool, np.append(np.setdiff1d(node.column, used[x >= 0.5]), node.column)[0], z)
    mine, with_j = pool.task[node.column] == i, pool.uses(node.column, t + j)
    bonus = node.bonus.copy()
    bonus[i] = 0  # then so much that an allocation without i is worth less than ``floor``, unless sums would not fit
    bonus[i] = min(node.bound - floor + int(pool.profit.max()), BONUSES - int(bonus.sum()))
    taken_alone = with_j & ~mine & (pool.limit[t + j] == 1)
    return node.only(~(mine & with_j)), replace(node.only(~(mine & ~with_j) & ~taken_alone), bonus=bonus)


def _open_pair(pool: Pool, column: int, z: Float) -> tuple[int, int]:
    """The column's task and a provider that tells it from what x takes: one of its own that x leaves, else one more."""
    i = int(pool.task[column])
    rows = pool.A[: pool.base, [column]].indices
    own = rows[rows >= pool.tasks] - pool.tasks
    others = np.setdiff1d(np.flatnonzero(z[i] >= 0.5), own)
    return i, int(np.concatenate((own[z[i, own] < 0.5], others, own))[0])
