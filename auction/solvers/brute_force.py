"""Every allocation of a tiny market, by exhaustion over tasks and sets of providers: the tests' referee."""

from functools import cache
from itertools import combinations

from auction.allocation import Allocation
from auction.errors import InputError
from auction.market import READINGS, Market, Reading
from auction.search import Found, Stop

__all__ = ["READINGS", "solve"]

STATE_LIMIT = 20_000  # vectors of slots left


def solve(market: Market, reading: Reading, stop: Stop, seed: int) -> Found:
    """The optimum by exhaustion: each task in turn loses or takes any set of providers that covers it.

    W(i, w) = max(W(i + 1, w), max over covers S of b_i - c(S) + W(i + 1, w - 1_S)), remembered over the slots left w.

    Raises:
        InputError: more than STATE_LIMIT vectors of slots left, or more than 12 providers.
    """
    slots = tuple(min(int(w), market.tasks) for w in market.slots)
    states = 1
    for w in slots:
        states *= w + 1
    if states > STATE_LIMIT or market.providers > 12:
        raise InputError(
            f"market: brute_force takes at most 12 providers and {STATE_LIMIT} vectors of slots left; "
            f"this one has {market.providers} and {states}"
        )
    sets = [s for size in range(1, market.providers + 1) for s in combinations(range(market.providers), size)]
    if reading == "whole":
        sets = sets[: market.providers]
    cost = {s: sum(int(market.cost[j]) for j in s) for s in sets}
    supply = {s: market.resource[list(s)].sum(axis=0) for s in sets}
    covers = [[s for s in sets if (supply[s] >= row).all()] for row in market.demand]
    bid = market.net_bid.tolist()

    @cache
    def best(i: int, left: tuple[int, ...]) -> tuple[int, tuple[tuple[int, tuple[int, ...]], ...]]:
        if i == market.tasks or stop.now:
            return 0, ()
        options = [best(i + 1, left)]
        for s in covers[i]:
            if all(left[j] for j in s):
                rest = tuple(w - (j in s) for j, w in enumerate(left))
                welfare, pairs = best(i + 1, rest)
                options.append((welfare + bid[i] - cost[s], ((i, s), *pairs)))
        return max(options, key=lambda option: option[0])

    welfare, chosen = best(0, slots)
    pairs = [(i, j) for i, s in chosen for j in s]
    allocation = Allocation.of([i for i, _ in pairs], [j for _, j in pairs])
    if stop.now:
        return Found(allocation, None, "time limit")
    return Found(allocation, welfare, "optimal")
