"""The whitepaper's auction: sort by bid density, then walk both lists (section 4.2, PRICES corrected)."""

from typing import Literal

import numpy as np
from numba import njit

from auction.allocation import Allocation
from auction.density import descending, provider_density, task_density
from auction.market import READINGS, Int, Market, Reading
from auction.search import Found, Stop
from auction.solvers._vectors import distinct_rows

__all__ = ["READINGS", "allocate", "solve"]

Order = Literal["printed", "ratio", "random"]


def solve(
    market: Market,
    reading: Reading,
    stop: Stop,
    seed: int,
    *,
    backfill: bool = False,
    task_order: Order = "printed",
    provider_order: Order = "printed",
) -> Found:
    """PRICES (section 4.2) with the corrections of the design.

    1. Bid densities of tasks and providers, each list sorted non-increasing, ties by index.
    2. Task i starts at the provider j where the walk stands, with q = C_i. At each provider that has a slot left and
       adds to q it takes one slot, at most one a provider, until q = 0.
    3. Covered and paid <= b_i: it wins, and j stays on the provider that completed it. Otherwise it loses, its slots
       are returned and j goes back to where it started. Under ``whole`` a provider counts only if it covers q alone.

    Args:
        backfill: each task starts from the first provider with slots left, so that those passed over are not lost.
        task_order: ``printed`` by density, ``ratio`` by v / sum_k C descending, ``random`` by the seed.
        provider_order: ``printed`` by density, ``ratio`` by c / sum_k s ascending, ``random`` by the seed.
    """
    rng = np.random.default_rng(seed)
    found = allocate(
        market,
        market.value,
        reading,
        rng,
        backfill=backfill,
        task_order=task_order,
        provider_order=provider_order,
    )
    return Found(found, None, "heuristic")


def allocate(
    market: Market,
    ranked_by: Int,
    reading: Reading,
    rng: np.random.Generator,
    *,
    backfill: bool = False,
    task_order: Order = "printed",
    provider_order: Order = "printed",
) -> Allocation:
    """The allocation of ``solve`` with tasks ranked by another value than the one bid.

    Args:
        ranked_by: (m,) micro-tokens, takes the place of v in the order of tasks; a task still wins by its b_i alone.
    """
    tasks = _task_order(market.demand, ranked_by, task_order, rng)
    providers = _provider_order(market, provider_order, rng)
    if reading == "whole":
        vectors, vector_of = distinct_rows(market.demand)
        pairs = _walk_whole(
            vectors, vector_of, market.net_bid, market.resource, market.slots, market.cost, tasks, providers, backfill
        )
    else:
        pairs = _walk_bundle(
            market.demand, market.net_bid, market.resource, market.slots, market.cost, tasks, providers, backfill
        )
    return Allocation.of(*pairs)


def _task_order(demand: Int, value: Int, order: Order, rng: np.random.Generator) -> Int:
    if order == "random":
        return rng.permutation(value.size)
    if order == "ratio":
        return descending(value / demand.sum(axis=1))
    return descending(task_density(demand, value))


def _provider_order(market: Market, order: Order, rng: np.random.Generator) -> Int:
    if order == "random":
        return rng.permutation(market.providers)
    if order == "ratio":
        units = market.resource.sum(axis=1)
        ratio = np.divide(market.cost, units, out=np.full(market.providers, np.inf), where=units > 0)
        return np.argsort(ratio, kind="stable")
    return descending(provider_density(market.resource, market.ability))


_MATRIX, _VECTOR = "Array(i8, 2, 'C', readonly=True)", "Array(i8, 1, 'C', readonly=True)"
_PAIRS = "Tuple((i8[::1], i8[::1]))"


@njit(cache=True, nogil=True)
def _next(skip, position):
    """First position from ``position`` on that is not skipped, halving the path on the way (union-find)."""
    while skip[position] != position:
        skip[position] = skip[skip[position]]
        position = skip[position]
    return position


@njit(f"{_PAIRS}({_MATRIX}, {_VECTOR}, {_MATRIX}, {_VECTOR}, {_VECTOR}, i8[::1], i8[::1], b1)", cache=True, nogil=True)
def _walk_bundle(demand, bid, resource, slots, cost, tasks, providers, backfill):
    """The walk, looking only at providers that are useful: every look lowers q, so a task costs at most sum_k C_ik.

    Positions are places in the provider order. skip[k] leads to the next position that has s_k > 0 and a slot left;
    a position leaves it for good when its last slot is taken.
    """
    n, types = resource.shape
    supply = resource[providers]
    left = slots[providers]
    skip = np.empty((types, n + 1), dtype=np.int32)
    for k in range(types):
        for p in range(n):
            skip[k, p] = p if supply[p, k] > 0 and left[p] > 0 else p + 1
        skip[k, n] = n

    won = np.empty(min(n, demand.shape[0]) + 16, dtype=np.int64)
    won_at = np.empty_like(won)
    pairs = 0
    start = 0
    q = np.empty(types, dtype=np.int64)
    for i in tasks:
        q[:] = demand[i]
        position = 0 if backfill else start
        paid = 0
        taken = 0
        covered = False
        while not covered and paid <= bid[i]:
            look = n
            for k in range(types):
                if q[k] > 0:
                    look = min(look, _next(skip[k], position))
            if look == n:
                break
            if pairs + taken == won.size:
                won = np.concatenate((won, np.empty_like(won)))
                won_at = np.concatenate((won_at, np.empty_like(won_at)))
            won[pairs + taken] = i
            won_at[pairs + taken] = look
            taken += 1
            paid += cost[providers[look]]
            covered = True
            for k in range(types):
                q[k] = max(q[k] - supply[look, k], 0)
                covered = covered and q[k] == 0
            position = look + 1
        if covered and paid <= bid[i]:
            for pair in range(pairs, pairs + taken):
                p = won_at[pair]
                left[p] -= 1
                if left[p] == 0:
                    for k in range(types):
                        if supply[p, k] > 0:  # else it was never in, and its path may have been shortened
                            skip[k, p] = p + 1
            pairs += taken
            start = won_at[pairs - 1]
    return won[:pairs].copy(), providers[won_at[:pairs]]


@njit(
    f"{_PAIRS}({_MATRIX}, {_VECTOR}, {_VECTOR}, {_MATRIX}, {_VECTOR}, {_VECTOR}, i8[::1], i8[::1], b1)",
    cache=True,
    nogil=True,
)
def _walk_whole(vectors, vector_of, bid, resource, slots, cost, tasks, providers, backfill):
    """The walk where one provider covers a task alone; passed[d] only advances, so it is distinct demands x n at most.

    Every position before passed[d] has no slot left, does not cover demand vector d, or lies before the walk's start.
    """
    n, types = resource.shape
    supply = resource[providers]
    left = slots[providers]
    passed = np.zeros(vectors.shape[0], dtype=np.int64)
    won = np.empty(bid.size, dtype=np.int64)
    won_at = np.empty_like(won)
    pairs = 0
    start = 0
    for i in tasks:
        d = vector_of[i]
        p = passed[d] if backfill else max(passed[d], start)
        while p < n:
            covers = left[p] > 0
            for k in range(types):
                covers = covers and supply[p, k] >= vectors[d, k]
            if covers:
                break
            p += 1
        passed[d] = p
        if p < n and cost[providers[p]] <= bid[i]:
            left[p] -= 1
            won[pairs] = i
            won_at[pairs] = p
            pairs += 1
            start = p
    return won[:pairs].copy(), providers[won_at[:pairs]]
