"""Every allocation of a tiny market, by exhaustion over tasks and sets of providers: the tests' referee."""

import math
from itertools import combinations
from typing import Any

import numpy as np

from auction.allocation import Allocation
from auction.errors import InputError
from auction.market import READINGS, Market, Reading
from auction.search import Found, Stop, trivial_bound

__all__ = ["READINGS", "solve"]

STATE_LIMIT = 20_000  # vectors of slots left

Pairs = Any  # None, or (task, its providers, Pairs of the tasks before)


def solve(market: Market, reading: Reading, stop: Stop, seed: int) -> Found:
    """The optimum by exhaustion: each task in turn loses or takes any set of providers that covers it.

    W(i + 1, w) = max(W(i, w), max over covers S of W(i, w + 1_S) + b_i - c(S)), over the vectors w of slots left that
    can be reached. Cut short, it returns the best allocation of the tasks it came to, with the trivial bound.

    Raises:
        InputError: more than STATE_LIMIT vectors of slots left, or more than 12 providers.
    """
    slots = tuple(min(int(w), market.tasks) for w in market.slots)
    if market.providers > 12 or (states := math.prod(w + 1 for w in slots)) > STATE_LIMIT:
        count = "" if market.providers > 12 else f" and {states} vectors"
        raise InputError(
            f"market: brute_force takes at most 12 providers and {STATE_LIMIT} vectors of slots left; "
            f"this one has {market.providers} providers{count}"
        )
    sets = [s for size in range(1, market.providers + 1) for s in combinations(range(market.providers), size)]
    if reading == "whole":
        sets = sets[: market.providers]
    cost = {s: sum(int(market.cost[j]) for j in s) for s in sets}
    supply = np.array([market.resource[list(s)].sum(axis=0) for s in sets]).reshape(-1, market.types)

    reached: dict[tuple[int, ...], tuple[int, Pairs]] = {slots: (0, None)}
    for i, bid in enumerate(market.net_bid.tolist()):
        covers = [sets[a] for a in np.flatnonzero((supply >= market.demand[i]).all(axis=1))]
        taken = dict(reached)
        for left, (welfare, pairs) in reached.items():
            if stop.now:
                return Found(_allocation(taken), trivial_bound(market), "time limit")
            for s in covers:
                if all(left[j] for j in s):
                    rest = tuple(w - (j in s) for j, w in enumerate(left))
                    improved = welfare + bid - cost[s]
                    if rest not in taken or improved > taken[rest][0]:
                        taken[rest] = improved, (i, s, pairs)
        reached = taken
    allocation = _allocation(reached)
    return Found(allocation, max(welfare for welfare, _ in reached.values()), "optimal")


def _allocation(reached: dict[tuple[int, ...], tuple[int, Pairs]]) -> Allocation:
    """The allocation of most welfare among those reached."""
    _, chain = max(reached.values(), key=lambda one: one[0])
    pairs = []
    while chain is not None:
        i, s, chain = chain
        pairs += [(i, j) for j in s]
    return Allocation.of([i for i, _ in pairs], [j for _, j in pairs])
