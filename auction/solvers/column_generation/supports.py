"""Covers of each task on its own, out of the providers that have of what it asks for: whatever the types are."""

from dataclasses import dataclass

import numpy as np
from numba import njit

from auction.market import Float, Int
from auction.solvers._covering import cover_of
from auction.solvers._covering.enumeration import covers_within
from auction.solvers.column_generation.columns import ReducedMarket


@dataclass(frozen=True)
class Supports:
    """Task i asks for ``amount[first[i]:first[i+1]]`` of its types; ``provider[start[i]:start[i+1]]`` have of them."""

    first: Int  # (t + 1,)
    amount: Int
    start: Int  # (t + 1,)
    provider: Int  # indices of the reduced market
    slot: Int  # (., most types a task has) what each of them has, clipped to the amounts


def supports_of(reduced: ReducedMarket) -> Supports:
    """Of every task of the reduced market."""
    asked = reduced.demand > 0
    first = np.concatenate(([0], np.cumsum(asked.sum(axis=1))))
    width = int(asked.sum(axis=1).max(initial=1))
    providers, slots = [], []
    for demand, types in zip(reduced.demand, asked, strict=True):
        supply = np.minimum(reduced.slot[:, types], demand[types])
        useful = np.flatnonzero(supply.any(axis=1))
        slot = np.zeros((useful.size, width), dtype=np.int64)
        slot[:, : supply.shape[1]] = supply[useful]
        providers.append(useful)
        slots.append(slot)
    start = np.concatenate(([0], np.cumsum([useful.size for useful in providers])))
    return Supports(first, reduced.demand[asked], start, np.concatenate(providers), np.concatenate(slots))


@njit(
    "Tuple((i8[::1], i8[::1], i8[::1]))"
    "(i8[::1], i8[::1], i8[::1], i8[::1], i8[:, ::1], i8[::1], i8[::1], f8[::1], i8, f8, i8[::1])",
    cache=True,
    nogil=True,
)
def price_tasks(first, amount, start, provider, slot, paid, bid, multiplier, nodes, tolerance, flag):
    """The least that a cover of each task costs at ``paid``, its bid or more where none is below that, and the covers.

    Args:
        first, amount, start, provider, slot: of ``Supports``.
        paid: (n,) micro-tokens.
        bid: (t,) micro-tokens.
        multiplier: floats as ``amount``: see ``cheapest_cover``, as of the others.
        nodes, flag: of each search; ``tolerance`` relative to the bid.

    Returns:
        lower (t,); ends (t,) and the providers of the covers found below the bids, one after another.
    """
    tasks = bid.size
    lower = np.zeros(tasks, dtype=np.int64)
    ends = np.zeros(tasks, dtype=np.int64)
    members = np.empty(16 * tasks + 16, dtype=np.int64)
    size = 0
    for i in range(tasks):
        if flag[0] != 0:
            break
        span, mine = slice(first[i], first[i + 1]), provider[start[i] : start[i + 1]]
        demand = amount[span]
        own = slot[start[i] : start[i + 1], : demand.size].copy()
        apart = int(tolerance * bid[i])
        lower[i], _, chosen = cover_of(demand, own, paid[mine], bid[i], multiplier[span], nodes, apart, flag)
        if size + chosen.size > members.size:
            members = np.concatenate((members, np.empty(members.size + chosen.size, dtype=np.int64)))
        members[size : size + chosen.size] = mine[chosen]
        size += chosen.size
        ends[i] = size
    return lower, ends, members[:size].copy()


def task_covers(
    supports: Supports, i: int, paid: Int, budget: int, multiplier: Float, covers: int, flag: Int
) -> tuple[Int, Int]:
    """Ends and providers of every minimal cover of task i within the budget: see ``covers_within``."""
    span = slice(supports.first[i], supports.first[i + 1])
    mine = supports.provider[supports.start[i] : supports.start[i + 1]]
    demand = supports.amount[span]
    own = supports.slot[supports.start[i] : supports.start[i + 1], : demand.size]
    near = np.flatnonzero(paid[mine] <= budget)
    ends, members = covers_within(
        demand, np.ascontiguousarray(own[near]), paid[mine][near], budget, multiplier[span], covers, flag
    )
    return ends, mine[near[members]]
