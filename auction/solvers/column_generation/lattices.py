"""Lattices of demands over which covers are priced: one for all tasks, or one for each demand where that is less."""

from dataclasses import dataclass

import numpy as np

from auction.market import Int
from auction.solvers._vectors import distinct_rows
from auction.solvers.column_generation.columns import ReducedMarket

ENTRIES = 200_000_000  # of the tables of cover prices together: 1.6 GB were it one
STEPS = 1_000_000_000  # entries x types: about a second a list of prices


@dataclass(frozen=True)
class Lattice:
    """Tasks, and the providers and types that their covers are made of."""

    task: Int  # (t,) of the reduced market
    demand: Int  # (t, K) of the types that count
    top: Int  # (K,) the largest demand
    provider: Int  # (p,) of the reduced market
    slot: Int  # (p, K) requests of a slot, clipped to the largest demand


@dataclass(frozen=True)
class _Sizes:
    """Entries of the tables, and entries x types."""

    together: float
    apart: float
    steps: float  # of whichever has fewer entries


def fits(reduced: ReducedMarket) -> bool:
    """Whether one list of prices is evaluated in about a second, and its tables fit memory."""
    sizes = _sizes(reduced)
    return min(sizes.together, sizes.apart) <= ENTRIES and sizes.steps <= STEPS


def lattices(reduced: ReducedMarket) -> list[Lattice]:
    """One for all tasks, or one for each distinct demand, whichever makes for fewer entries."""
    sizes = _sizes(reduced)
    everyone = np.arange(reduced.task.size)
    if sizes.together <= sizes.apart:
        providers = np.arange(reduced.provider.size)
        return [Lattice(everyone, reduced.demand, reduced.top, providers, reduced.slot)]
    parts = []
    demands, of = distinct_rows(reduced.demand)
    for d, demand in enumerate(demands):
        wanted = demand > 0
        top = demand[wanted]
        task = np.flatnonzero(of == d)
        useful = np.flatnonzero(reduced.slot[:, wanted].any(axis=1))
        slot = np.ascontiguousarray(np.minimum(reduced.slot[useful][:, wanted], top))
        parts.append(Lattice(task, np.repeat(top[None], task.size, axis=0), top, useful, slot))
    return parts


def _sizes(reduced: ReducedMarket) -> _Sizes:
    demands, _ = distinct_rows(reduced.demand)
    useful = (demands > 0).astype(float) @ (reduced.slot > 0).T.astype(float) > 0
    entries = np.prod(demands + 1.0, axis=1) * (useful.sum(axis=1) + 1)
    together = float(np.prod(reduced.top + 1.0)) * (reduced.provider.size + 1)
    apart = float(entries.sum())
    steps = together * reduced.top.size if together <= apart else float(entries @ (demands > 0).sum(axis=1))
    return _Sizes(together, apart, steps)
