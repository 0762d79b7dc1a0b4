"""Lattices of demands over which covers are priced: one for all tasks, or one for each demand where that is less."""

from dataclasses import dataclass

import numpy as np

from auction.market import Int
from auction.solvers._minimal_covers import SMALL
from auction.solvers._vectors import distinct_rows
from auction.solvers.column_generation.columns import ReducedMarket
from auction.solvers.column_generation.pricing import NEVER

ENTRIES = 200_000_000  # of all tables together at most: 1.6 GB were they one
STEPS = 1_000_000_000  # entries x types at most: about a second a list of prices


@dataclass(frozen=True)
class Lattice:
    """Tasks, and what their covers are made of; indices are those of the reduced market."""

    task: Int  # (t,)
    needed: Int  # providers in every cover of these tasks
    demand: Int  # (t, K) what those leave, of the types that it is not 0 of
    top: Int  # (K,) the largest
    provider: Int  # (p,) the others
    slot: Int  # (p, K) their requests of a slot, clipped to the largest demand

    @property
    def entries(self) -> float:
        """Of the table of cover prices."""
        return float(np.prod(self.top + 1.0)) * (self.provider.size + 1)


def lattices(reduced: ReducedMarket) -> list[Lattice] | None:
    """One for all tasks, or one for each distinct demand, whichever makes for fewer entries; None beyond the limits.

    Tasks that nothing covers are in none of the latter.
    """
    nobody, everyone = np.arange(0), np.arange(reduced.provider.size)
    together = Lattice(np.arange(reduced.task.size), nobody, reduced.demand, reduced.top, everyone, reduced.slot)
    parts = [together]
    if together.entries > SMALL:
        demands, of = distinct_rows(reduced.demand)
        apart = [part for d, demand in enumerate(demands) if (part := _lattice(reduced, demand, of == d)) is not None]
        parts = min(parts, apart, key=lambda one: sum(part.entries for part in one))
    entries = sum(part.entries for part in parts)
    steps = sum(part.entries * part.top.size for part in parts)
    return parts if entries <= ENTRIES and steps <= STEPS else None


def _lattice(reduced: ReducedMarket, demand: Int, mine: Int) -> Lattice | None:
    """Of one demand; None where nothing covers it. Without a provider that is needed the others fall short of it."""
    supply = np.minimum(reduced.slot, demand)
    spare = supply.sum(axis=0) - demand
    if (spare < 0).any():
        return None
    needed = (supply > spare).any(axis=1)
    left = np.maximum(demand - reduced.slot[needed].sum(axis=0), 0)
    wanted = left > 0
    wanted[0] |= not wanted.any()  # a lattice has a type
    useful = np.flatnonzero(~needed & np.minimum(supply, left).any(axis=1))
    slot = np.ascontiguousarray(np.minimum(reduced.slot[useful][:, wanted], left[wanted]))
    task = np.flatnonzero(mine)
    rows = np.repeat(left[wanted][None], task.size, axis=0)
    return Lattice(task, np.flatnonzero(needed), rows, left[wanted], useful, slot)


def needed_price(part: Lattice, price: Int) -> int:
    """What the needed providers cost together, at most NEVER.

    Args:
        price: (n,) of the reduced market.
    """
    return min(sum(price[part.needed].tolist()), NEVER)


def with_needed(part: Lattice, ends: Int, member: Int) -> tuple[Int, Int]:
    """Covers of what the needed providers leave, together with those.

    Args:
        ends: (c,) where each cover ends in ``member``.
        member: indices into ``part.provider``.

    Returns:
        the same, with indices of the reduced market.
    """
    count = part.needed.size
    starts = np.concatenate(([0], ends[:-1])) if ends.size else ends
    provider = np.insert(part.provider[member], np.repeat(starts, count), np.tile(part.needed, ends.size))
    return ends + count * np.arange(1, ends.size + 1), provider
