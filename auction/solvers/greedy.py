"""What an expert would try first: tasks by value per unit (or root) of demand, each with its cheapest cover."""

from typing import Literal

import numpy as np
from numba import njit

from auction.allocation import Allocation
from auction.market import READINGS, Int, Market, Reading
from auction.search import Found, Stop
from auction.solvers._covering import cheapest_cover
from auction.solvers._time import flag_of
from auction.solvers._vectors import distinct_rows

__all__ = ["READINGS", "solve"]

NODES = 1_000  # of the search for a task's cover: beyond, the best found so far is taken
REPORTS = 32  # of what was found so far


def solve(market: Market, reading: Reading, stop: Stop, seed: int, *, norm: Literal["unit", "root"] = "unit") -> Found:
    """Tasks by b_i / |C_i| (or b_i / sqrt|C_i|: Lehmann, O'Callaghan and Shoham 2002), descending, ties by index.

    Each task takes the cheapest cover among the slots that are left and wins if that costs at most b_i. Covers come
    from ``auction.solvers._covering``; under ``whole`` it is the cheapest slot that covers alone.

    Args:
        norm: ``unit`` divides by sum_k C_ik, ``root`` by its square root.
    """
    size = market.demand.sum(axis=1)
    order = np.argsort(-market.net_bid / (size if norm == "unit" else np.sqrt(size)), kind="stable")
    order = order[market.net_bid[order] >= 0]
    return Found(served(market, reading, order, market.cost, market.slots, stop), None, "heuristic")


def served(market: Market, reading: Reading, order: Int, asks: Int, slots: Int, stop: Stop) -> Allocation:
    """Each task in turn takes the cheapest cover among the slots that are left, if that costs at most its bid.

    Args:
        order: tasks.
        asks: (n,) what a slot costs them.
        slots: (n,) slots there are to begin with.
        stop: ends it between two tasks.
    """
    vectors, vector_of = distinct_rows(market.resource)
    shelf = np.lexsort((asks, vector_of))  # providers by slot vector, then cheapest first
    first = np.searchsorted(vector_of[shelf], np.arange(vectors.shape[0] + 1))
    left, provider_cost = slots[shelf], asks[shelf]
    task, provider = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    achieved = 0
    with flag_of(stop) as flag:
        for chunk in np.array_split(order, REPORTS):
            won, at = serve(
                chunk,
                market.demand,
                market.net_bid,
                vectors,
                first,
                provider_cost,
                left,
                reading == "whole",
                flag,
            )
            task.append(won)
            provider.append(shelf[at])
            achieved += int(market.net_bid[np.unique(won)].sum()) - int(market.cost[provider[-1]].sum())
            stop.report(welfare=achieved)
    return Allocation.of(np.concatenate(task), np.concatenate(provider))


_MATRIX, _VECTOR = "Array(i8, 2, 'C', readonly=True)", "Array(i8, 1, 'C', readonly=True)"


@njit(
    f"Tuple((i8[::1], i8[::1]))(i8[::1], {_MATRIX}, {_VECTOR}, i8[:, ::1], i8[::1], i8[::1], i8[::1], b1, i8[::1])",
    cache=True,
    nogil=True,
)
def serve(tasks, demand, bid, vectors, first, cost, left, whole, flag):
    """Serve the tasks in order until ``flag`` is raised; ``left``, the slots left on the shelf, is updated."""
    types = demand.shape[1]
    won = np.empty(tasks.size * 2, dtype=np.int64)
    won_at = np.empty_like(won)
    pairs = 0
    place = np.empty(left.size, dtype=np.int64)  # the slots a task may use: few of each vector are ever needed
    vector = np.empty_like(place)
    for i in tasks:
        if flag[0] != 0:
            break
        q = demand[i]
        offers = 0
        for v in range(vectors.shape[0]):
            copies = 0
            covers = True
            for k in range(types):
                covers = covers and vectors[v, k] >= q[k]
                if vectors[v, k] > 0:
                    copies = max(copies, (q[k] + vectors[v, k] - 1) // vectors[v, k])
            if whole:
                copies = 1 if covers else 0
            p = first[v]
            while copies > 0 and p < first[v + 1] and cost[p] <= bid[i]:
                if left[p] > 0:
                    place[offers] = p
                    vector[offers] = v
                    offers += 1
                    copies -= 1
                p += 1
        if offers == 0:
            continue
        offer_cost = cost[place[:offers]]
        cheapest = np.array([np.argmin(offer_cost)])
        if whole:
            chosen = cheapest
        else:
            supply, start = vectors[vector[:offers]], np.zeros(types)
            _, _, chosen = cheapest_cover(q, supply, offer_cost, bid[i] + 1, start, NODES, 0, flag)
        if chosen.size > 0 and offer_cost[chosen].sum() <= bid[i]:
            if pairs + chosen.size > won.size:
                won = np.concatenate((won, np.empty(won.size + chosen.size, dtype=np.int64)))
                won_at = np.concatenate((won_at, np.empty(won_at.size + chosen.size, dtype=np.int64)))
            for a in chosen:
                left[place[a]] -= 1
                won[pairs] = i
                won_at[pairs] = place[a]
                pairs += 1
    return won[:pairs].copy(), won_at[:pairs].copy()
