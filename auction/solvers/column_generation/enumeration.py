"""Enumeration of every minimal cover within a price, by depth-first search that meets no dead ends."""

import numpy as np
from numba import njit

from auction.market import Int
from auction.search import Stop
from auction.solvers._minimal_covers import is_minimal
from auction.solvers.column_generation.columns import Pool, ReducedMarket, build_pool
from auction.solvers.column_generation.lattices import Lattice, needed_price, with_needed
from auction.solvers.column_generation.pricing import NEVER, cover_prices, lattice_point, lattice_points

LIMIT = 1_000_000  # columns


@njit(
    "Tuple((int64[::1], int64[::1]))(int64[::1], int64[:, ::1], int64[::1], int64[:, ::1], int64[::1], int64, int64, "
    "int64[::1])",
    cache=True,
    nogil=True,
)
def covers_within(top, slot, price, table, demand, budget, limit, flag):
    """Every set of providers that covers the demand, needs all its members and costs at most ``budget``.

    Providers are taken or skipped in order; the table tells what the rest costs at least, so that a branch is entered
    only if a cover within the budget lies below it (which may turn out not to be minimal).

    Args:
        top, slot, price, table: as in ``pricing.cover_prices``.
        demand: (K,) of one task.
        budget: the most a cover may cost, below ``pricing.NEVER``.
        limit: covers after which to give up.
        flag: (1,) once it is 1, what is returned is not all.

    Returns:
        ends (covers,) and the providers of all covers, one after another; limit + 1 covers mean that it gave up.
    """
    count, types = slot.shape
    ends = np.empty(64, dtype=np.int64)
    members = np.empty(256, dtype=np.int64)
    found = size = 0
    chosen = np.empty(count, dtype=np.int64)
    left = np.empty((count + 1, types), dtype=np.int64)  # of the demand, after each chosen provider
    supply = np.zeros((count + 1, types), dtype=np.int64)  # of the chosen together
    spent = np.zeros(count + 1, dtype=np.int64)
    left[0] = demand
    depth = j = 0
    at = lattice_point(top, left[0])
    if table[0, at] > budget:
        return ends[:0].copy(), members[:0].copy()
    while True:
        if flag[0] != 0:
            break
        # Invariant: a cover within the budget completes the chosen ones by providers j, j + 1, ...
        while at > 0:
            left[depth + 1] = np.maximum(left[depth] - slot[j], 0)
            rest = lattice_point(top, left[depth + 1])
            bound = budget - spent[depth]
            if rest < at and price[j] + table[j + 1, rest] <= bound:
                supply[depth + 1] = supply[depth] + slot[j]
                if is_minimal(slot, demand, chosen[:depth], supply[depth + 1]):
                    chosen[depth] = j
                    spent[depth + 1] = spent[depth] + price[j]
                    depth += 1
                    at = rest
                    j += 1
                    continue
            if table[j + 1, at] > bound:
                break
            j += 1
        if at == 0:
            if found == ends.size:
                ends = np.append(ends, np.empty(found, dtype=np.int64))
            if size + depth > members.size:
                members = np.append(members, np.empty(members.size + depth, dtype=np.int64))
            members[size : size + depth] = chosen[:depth]
            size += depth
            ends[found] = size
            found += 1
            if found > limit:
                break
        while depth > 0:  # back to the last choice that can be skipped
            depth -= 1
            j = chosen[depth] + 1
            at = lattice_point(top, left[depth])
            if table[j, at] <= budget - spent[depth]:
                break
        else:
            break
    return ends[:found].copy(), members[:size].copy()


def columns_within(
    reduced: ReducedMarket, parts: list[Lattice], price: Int, spread: int, stop: Stop, flag: Int
) -> Pool | None:
    """Every minimal column of slack below ``spread``; None when there are more than LIMIT or it was stopped.

    An allocation that uses any other is worth at most the bound of ``price`` less ``spread``, or no more than one
    that does without.

    Args:
        price: (n,) premiums pi_j of providers.
    """
    paid = np.minimum(reduced.cost + price, NEVER - 1)
    task, ends, provider = [], [], []
    found = size = 0
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
            task.append(np.full(end.size, i))
            ends.append(end + size)
            provider.append(member)
            size += member.size
    return build_pool(reduced, np.concatenate(task), np.concatenate(ends), np.concatenate(provider))
