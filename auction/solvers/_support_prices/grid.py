"""Tasks grouped by support, the set of types that a task demands, and providers by what they can do for supports.

However many types a market has, the covers of a task live on the box of its own few: 0..max C_ik over the tasks of its
support. To a support a provider is its slot clipped to that box. Of slots that share one type with it only the cheapest
of each amount count, and those are the same for all supports with that type; slots that share more are listed by pair.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from auction.market import Int, Market, Reading
from auction.solvers._vectors import distinct_rows

POINTS = 1 << 21  # of the box of one support at most
WIDE = 1 << 18  # of a box beyond which its programme takes longer than to search for a thousand tasks' covers
STEPS = 1 << 28  # points of all boxes together, and slots listed by pair, at most


class Supports(NamedTuple):
    """Tasks of positive net bid, support by support."""

    task: Int  # (t,) the market's, support by support
    bid: Int  # (t,)
    demand: Int  # (t, widest support) C_ik of the task's own types, then zeros
    first: Int  # (S + 1,) where each support's tasks start
    type_first: Int  # (S + 1,) where its types start
    type: Int  # (entries,) ascending within each support
    top: Int  # (entries,) the largest demand of that type within the support


class Offers(NamedTuple):
    """Providers with a slot of use to some task, their slots clipped to the largest demand."""

    provider: Int  # (n,) the market's
    cost: Int  # (n,)
    slots: Int  # (n,) at most one more than there are tasks
    first: Int  # (n + 1,) where each one's entries start
    type: Int  # (entries,) ascending within each provider
    amount: Int  # (entries,)
    vector: Int  # (n,) index among the distinct slot vectors
    pair: Int  # (K, K) index k < l of a pair of types that some support has, else -1
    pair_first: Int  # (pairs + 1,) where the slots of each pair start
    pair_member: Int  # slots with both types


@dataclass(frozen=True, eq=False)
class Grid:
    """Both sides of a market, and how covers are read."""

    market: Market
    reading: Reading
    supports: Supports
    offers: Offers

    @cached_property
    def largest(self) -> float:
        """Points of the largest box."""
        return float(np.multiply.reduceat(self.supports.top + 1.0, self.supports.type_first[:-1]).max(initial=0.0))

    @property
    def wide(self) -> bool:
        """Whether covers are sooner searched for, task by task, than taken from a programme on the box."""
        return self.reading == "bundle" and self.largest > WIDE


def group(market: Market, reading: Reading) -> Grid | None:
    """Both sides grouped; None where the boxes or the lists by pair are beyond POINTS or STEPS."""
    task = np.flatnonzero(market.net_bid > 0)
    if (supports := group_tasks(market, task)) is None or (offers := _offers(market, task, supports)) is None:
        return None
    return Grid(market, reading, supports, offers)


def group_tasks(market: Market, task: Int) -> Supports | None:
    """Tasks by support; None where the boxes are beyond POINTS or STEPS."""
    demand = market.demand[task]
    wanted, of = distinct_rows((demand > 0).astype(np.int64))
    order = np.argsort(of, kind="stable")
    first = np.searchsorted(of[order], np.arange(len(wanted) + 1))
    support, type_ = (np.ascontiguousarray(at) for at in np.nonzero(wanted))
    type_first = np.searchsorted(support, np.arange(len(wanted) + 1))
    demand = demand[order]
    top = np.maximum.reduceat(demand, first[:-1])[support, type_] if task.size else np.zeros(0, dtype=np.int64)
    points = np.multiply.reduceat(top + 1.0, type_first[:-1]) if task.size else np.zeros(0)
    if points.max(initial=0) > POINTS or points.sum() > STEPS:
        return None
    own = np.zeros((task.size, int(np.diff(type_first).max(initial=1))), dtype=np.int64)
    row, column = np.nonzero(demand)
    own[row, np.arange(row.size) - np.searchsorted(row, np.arange(task.size))[row]] = demand[row, column]
    return Supports(task[order], market.net_bid[task[order]], own, first, type_first, type_, top)


def _offers(market: Market, task: Int, supports: Supports) -> Offers | None:
    slot = np.minimum(market.resource, market.demand[task].max(axis=0, initial=0))
    useful = (market.slots > 0) & slot.any(axis=1) & (market.cost < supports.bid.max(initial=0))
    provider = np.flatnonzero(useful)
    slot = slot[provider]
    row, type_ = (np.ascontiguousarray(at) for at in np.nonzero(slot))
    first = np.searchsorted(row, np.arange(provider.size + 1))

    together = np.zeros((market.types, market.types), dtype=bool)
    for a, b in _pairs(supports.type_first):
        together[supports.type[a], supports.type[b]] = True
    pair = np.where(together, np.cumsum(together).reshape(together.shape) - 1, -1)
    member, of = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    listed = 0
    for a, b in _pairs(first):
        index = pair[type_[a], type_[b]]
        member.append(row[a][index >= 0])
        of.append(index[index >= 0])
        if (listed := listed + member[-1].size) > STEPS:
            return None
    members, index = np.concatenate(member), np.concatenate(of)
    order = np.lexsort((members, index))
    return Offers(
        provider,
        market.cost[provider],
        np.minimum(market.slots[provider], market.tasks + 1),
        first,
        type_,
        slot[row, type_],
        distinct_rows(slot)[1],
        pair,
        np.searchsorted(index[order], np.arange(int(together.sum()) + 1)),
        members[order],
    )


def _pairs(first: Int) -> Iterator[tuple[Int, Int]]:
    """All pairs of places in the same row, given where rows start; those at one distance at a time."""
    row = np.repeat(np.arange(first.size - 1), np.diff(first))
    for distance in range(1, int(np.diff(first).max(initial=1))):
        a = np.flatnonzero(row[:-distance] == row[distance:])
        yield a, a + distance
