"""Columns: a task and the providers that cover it, as a sparse matrix over the rows of the master."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

from auction.allocation import Allocation
from auction.market import Float, Int, Market
from auction.solvers._exact import SAFE, dot
from auction.solvers._formulation import candidates
from auction.solvers._minimal_covers import minimal_covers

LIMIT = 1_000_000  # columns listed at most
CONFLICTS = 20_000_000  # pairs of columns that share a row, at most
FRACTION = 20  # bits of a price at most


@dataclass(frozen=True)
class Pool:
    """Columns x in {0, 1} of the programme max profit x subject to A x <= limit."""

    A: sparse.csc_array  # (rows, columns) int64; a row a task, a row a provider, then a row a cut
    profit: Int  # (columns,) net bid less cost, micro-tokens
    limit: Int  # (rows,) 1 of a task, slots of a provider, the rounded-down half of a cut
    tasks: int
    base: int  # tasks and providers; the rows after them are cuts

    @cached_property
    def task(self) -> Int:
        """(columns,) the task, which is each column's first row."""
        return self.A.indices[self.A.indptr[:-1]].astype(np.int64)

    @cached_property
    def is_set_packing(self) -> bool:
        """Whether columns fit together where no two share a row."""
        return bool((self.limit[: self.base] == 1).all() and (self.A.data == 1).all())

    @cached_property
    def is_single_minded(self) -> bool:
        """Whether it is a set packing and each task has one column, as of bids for bundles of goods."""
        return self.is_set_packing and bool((np.bincount(self.task, minlength=1) <= 1).all())

    @cached_property
    def conflicts(self) -> tuple[Int, Int] | None:
        """Of each column of a set packing those it shares rows with, where they start and one after another; None
        where they are too many."""
        A = self.A[: self.base]
        if (A.sum(axis=1).astype(float) ** 2).sum() > CONFLICTS:
            return None
        shared = (A.T @ A).tocsr()
        shared.setdiag(0)
        shared.eliminate_zeros()
        return shared.indptr.astype(np.int64), shared.indices.astype(np.int64)

    @cached_property
    def undominated(self) -> Int:
        """Rows that imply all others: of set packing those whose columns no other row has all of; else every row."""
        if not self.is_set_packing:
            return np.arange(self.limit.size)
        A = self.A.tocsr()
        size = np.diff(A.indptr)
        shared = (A @ A.T).tocoo()
        i, j = shared.row, shared.col
        within = (shared.data == size[i]) & ((size[j] > size[i]) | (j < i)) & (i != j)
        kept = size > 0
        kept[i[within]] = False
        return np.flatnonzero(kept)

    def after(self, taken: "Pool") -> "Pool":
        """What the rows have left once ``taken`` is, and the columns that still fit."""
        limit = self.limit - taken.A.sum(axis=1)[: self.limit.size]
        over = self.A.data > limit[self.A.indices]
        return replace(self.only(~np.logical_or.reduceat(over, self.A.indptr[:-1])), limit=limit)

    def fits(self) -> bool:
        """Whether all columns fit together."""
        return bool((self.A.sum(axis=1) <= self.limit).all())

    def fitting(self, order: Int) -> Int:
        """Of the columns in this order, those taken while they fit with those before."""
        A = self.A
        starts, rows, entries = (np.asarray(part, np.int64) for part in (A.indptr, A.indices, A.data))
        return order[_fitting(starts, rows, entries, self.limit, np.asarray(order, np.int64))]

    @cached_property
    def _by_row(self) -> sparse.csr_array:
        return self.A.tocsr()

    def uses(self, column: Int, row: int) -> NDArray[np.bool_]:
        """Which of the columns have an entry in the row."""
        using, A = np.zeros(self.profit.size, dtype=bool), self._by_row
        using[A.indices[A.indptr[row] : A.indptr[row + 1]]] = True
        return using[column]

    def with_cuts(self, rows: sparse.csr_array, limit: Int) -> "Pool":
        """The pool and more rows."""
        A = sparse.vstack((self.A, rows), format="csc")
        A.sort_indices()
        return replace(self, A=A, limit=np.concatenate((self.limit, limit)))

    def without_cuts(self) -> "Pool":
        """The columns over the rows of tasks and providers alone."""
        return replace(self, A=self.A[: self.base], limit=self.limit[: self.base])

    def only(self, kept: Int) -> "Pool":
        """Those columns alone, by mask or index."""
        return replace(self, A=self.A[:, kept], profit=self.profit[kept])


@njit("boolean[::1](int64[::1], int64[::1], int64[::1], int64[::1], int64[::1])", cache=True, nogil=True)
def _fitting(starts, rows, entries, limit, order):
    """Which of the columns in this order fit with those taken before."""
    room, taken = limit.copy(), np.zeros(order.size, dtype=np.bool_)
    for at in range(order.size):
        begin, end = starts[order[at]], starts[order[at] + 1]
        taken[at] = True
        for p in range(begin, end):
            taken[at] &= room[rows[p]] >= entries[p]
        if taken[at]:
            for p in range(begin, end):
                room[rows[p]] -= entries[p]
    return taken


@dataclass(frozen=True)
class ReducedMarket:
    """The tasks and providers that an optimum can use, by their index here; ``task``, ``provider`` are the market's."""

    task: Int  # (t,) of positive net bid
    bid: Int  # (t,)
    demand: Int  # (t, K)
    provider: Int  # (n,) with a slot of use to some task and of a cost below some bid
    slot: Int  # (n, K) requests of a slot, clipped to the largest demand
    cost: Int  # (n,)
    limit: Int  # (t + n,) 1 of a task; slots of a provider, or more than there are tasks, which never binds
    top: Int  # (K,) the largest demand


def reduce_market(market: Market) -> ReducedMarket:
    """Tasks of no positive net bid and providers of no use left out."""
    task = np.flatnonzero(market.net_bid > 0)
    demand, bid = market.demand[task], market.net_bid[task]
    top = demand.max(axis=0, initial=0)
    slot = np.minimum(market.resource, top)
    provider = np.flatnonzero((market.slots > 0) & slot.any(axis=1) & (market.cost < bid.max(initial=0)))
    limit = np.concatenate((np.ones(task.size, dtype=np.int64), np.minimum(market.slots[provider], task.size + 1)))
    return ReducedMarket(task, bid, demand, provider, slot[provider], market.cost[provider], limit, top)


def build_pool(reduced: ReducedMarket, task: Int, ends: Int, provider: Int) -> Pool:
    """A pool of column after column: ``task`` of each, where its providers end, and the providers."""
    starts = np.concatenate(([0], ends[:-1])) if ends.size else ends
    rows = np.insert(reduced.task.size + provider, starts, task)
    indptr = np.concatenate(([0], ends + np.arange(1, ends.size + 1)))
    A = sparse.csc_array((np.ones(rows.size, dtype=np.int64), rows, indptr), (reduced.limit.size, task.size))
    cost = np.concatenate((np.zeros(reduced.task.size, dtype=np.int64), reduced.cost))
    return Pool(A, reduced.bid[task] - A.T @ cost, reduced.limit, reduced.task.size, reduced.limit.size)


def gather_pool(reduced: ReducedMarket, covers: Sequence[tuple[Int, Int, Int]]) -> Pool:
    """One pool of columns found in several searches, each as ``build_pool`` takes them."""
    task, ends, provider = zip((np.arange(0),) * 3, *covers, strict=True)
    sizes = np.array([each.size for each in provider])
    ends_of_all = np.concatenate(ends) + np.repeat(np.cumsum(sizes) - sizes, [each.size for each in ends])
    return build_pool(reduced, np.concatenate(task), ends_of_all, np.concatenate(provider))


def columns_of(reduced: ReducedMarket, allocation: Allocation) -> Pool:
    """An allocation's columns; of no task that needs a provider left out, which costs as much as the task bids."""
    pair = np.isin(allocation.task, reduced.task) & np.isin(allocation.provider, reduced.provider)
    task, start = np.unique(allocation.task[pair], return_index=True)
    ends = np.append(start[1:], pair.sum())[: task.size]
    provider = np.searchsorted(reduced.provider, allocation.provider[pair])
    task = np.searchsorted(reduced.task, task)
    covered = (np.add.reduceat(reduced.slot[provider], start) >= reduced.demand[task]).all(axis=1)
    return build_pool(reduced, task, ends, provider).only(np.flatnonzero(covered))


def allocation_of(reduced: ReducedMarket, pool: Pool) -> Allocation:
    """The allocation that takes every column of the pool."""
    task, provider = np.repeat(pool.task, np.diff(pool.A.indptr)), pool.A.indices - pool.tasks
    pair = (provider >= 0) & (provider < reduced.provider.size)
    return Allocation.of(reduced.task[task[pair]], reduced.provider[provider[pair]])


def whole_columns(market: Market, reduced: ReducedMarket) -> Pool:
    """Every pair of a task and a provider that covers it alone."""
    kept = candidates(market, "whole")
    task, provider = np.searchsorted(reduced.task, kept.task), np.searchsorted(reduced.provider, kept.provider)
    inside = kept.provider == reduced.provider[np.minimum(provider, reduced.provider.size - 1)]
    return build_pool(reduced, task[inside], np.arange(1, inside.sum() + 1), provider[inside])


def minimal_columns(reduced: ReducedMarket) -> Pool | None:
    """Every column whose providers are all needed; None where they are too many to be listed."""
    covers = minimal_covers(reduced.demand, reduced.slot)
    return None if covers is None else build_pool(reduced, *covers)


def price_columns(pool: Pool, price: Int) -> tuple[int, Int]:
    """The bound that prices of all rows but the tasks' prove over the pool, and what each column falls short of it.

    bound = sum_i max(0, max_c (profit_c - price a_c)) + price limit, in exact integers; an allocation that uses column
    c is worth at most bound - slack_c. Prices whose limits are worth half of SAFE prove nothing and count as 0, so that
    all sums fit int64: a column is within the limits.

    Args:
        price: (rows - tasks,) 0 or more.

    Returns:
        the bound and the slack (columns,), micro-tokens.
    """
    if (offered := dot(pool.limit[pool.tasks :], price)) >= SAFE / 2:
        price, offered = np.zeros_like(price), 0
    surplus = pool.profit - pool.A.T @ np.concatenate((np.zeros(pool.tasks, dtype=np.int64), price))
    best = np.zeros(pool.tasks, dtype=np.int64)
    np.maximum.at(best, pool.task, surplus)
    return int(best.sum()) + offered, best[pool.task] - surplus


def nearest(pool: Pool, price: Int, count: int) -> Pool:
    """So many columns, those of least slack at prices, in their order."""
    _, slack = price_columns(pool, price)
    return pool.only(np.sort(np.argsort(slack, kind="stable")[:count]))


def price_finely(pool: Pool, price: Float) -> tuple[int, Int]:
    """What ``price_columns`` gives of prices in fractions of a micro-token, rounded down to whole ones.

    Prices in whole ones leave a relaxation's bound some micro-tokens above its optimum; where that is an allocation
    already known, these would be searched to the last column. Fractions are of as many bits as sums have room for.

    Args:
        price: (rows - tasks,) 0 or more.
    """
    most = max(pool.tasks * float(pool.profit.max(initial=1)), float(pool.limit[pool.tasks :] @ price), 1.0)
    bits = max(0, min(FRACTION, math.floor(math.log2(SAFE / 4 / most))))
    fine = replace(pool, profit=pool.profit << bits)
    bound, slack = price_columns(fine, np.rint(np.minimum(price * 2.0**bits, SAFE)).astype(np.int64))
    return bound >> bits, (bound >> bits) - ((bound - slack) >> bits)


def join(pool: Pool, more: Pool) -> Pool:
    """The columns of both, over the same rows."""
    A = sparse.hstack((pool.A, more.A), format="csc")
    return replace(pool, A=A, profit=np.concatenate((pool.profit, more.profit)))
