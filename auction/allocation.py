"""Who serves whom, and the check of feasibility (whitepaper section 4)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from auction.arrays import INT64_MAX, frozen
from auction.market import Int, Market, Reading


@dataclass(frozen=True, eq=False, repr=False)
class Allocation:
    """The pairs (task, provider) with A_ij = 1, sorted by task, then provider; y_i = 1 for every task that occurs."""

    task: Int  # (pairs,)
    provider: Int  # (pairs,)

    def __repr__(self) -> str:
        return f"Allocation({self.task.size} pairs, {np.unique(self.task).size} tasks win)"

    @classmethod
    def of(cls, task: Any, provider: Any) -> "Allocation":
        """Sort the pairs and freeze the arrays."""
        task, provider = np.asarray(task, dtype=np.int64), np.asarray(provider, dtype=np.int64)
        width = int(provider.max(initial=0)) + 1
        negative = min(task.min(initial=0), provider.min(initial=0)) < 0
        if negative or (int(task.max(initial=0)) + 1) * width > INT64_MAX:  # of no market, but perhaps of a file
            ordered = np.lexsort((provider, task))
            return cls(frozen(task[ordered]), frozen(provider[ordered]))
        # One key: sorting it is several times faster than a lexsort.
        task, provider = np.divmod(np.sort(task * width + provider), width)
        return cls(frozen(task), frozen(provider))

    @classmethod
    def empty(cls) -> "Allocation":
        return cls.of([], [])


def check(market: Market, allocation: Allocation, reading: Reading) -> list[str]:
    """Every constraint of the exact model that the allocation violates, each with its task or provider.

    Covering: sum_j s_jk A_ij >= C_ik for every task that occurs; slots: sum_i A_ij <= w_j; A binary; and under
    ``whole`` one provider a task. An empty list means feasible.
    """
    task, provider = allocation.task, allocation.provider
    faults = [
        f"pair {p}: {name} {index[p]} does not exist; the market has {count}"
        for name, index, count in (("task", task, market.tasks), ("provider", provider, market.providers))
        for p in np.flatnonzero((index < 0) | (index >= count))
    ]
    if faults:
        return faults

    ordered = np.lexsort((provider, task))
    task, provider = task[ordered], provider[ordered]
    repeated = np.flatnonzero((task[1:] == task[:-1]) & (provider[1:] == provider[:-1]))
    faults += [f"task {task[p]} takes provider {provider[p]} more than once" for p in repeated]

    used = np.bincount(provider, minlength=market.providers)
    faults += [
        f"provider {j} serves {used[j]} tasks with {market.slots[j]} slots" for j in np.flatnonzero(used > market.slots)
    ]

    winners, start, served_by = np.unique(task, return_index=True, return_counts=True)
    if winners.size:
        supply = np.add.reduceat(market.resource[provider], start, axis=0)
        short = market.demand[winners] - supply
        faults += [
            f"task {winners[w]} is short of {short[w, k]} requests of type {k}" for w, k in np.argwhere(short > 0)
        ]
    if reading == "whole":
        faults += [f"task {winners[w]} is split over {served_by[w]} providers" for w in np.flatnonzero(served_by > 1)]
    return faults
