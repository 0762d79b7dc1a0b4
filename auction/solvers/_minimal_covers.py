"""Every minimal cover of every task, where there are few: no lattice of demands is needed, however large they are."""

import numpy as np
from numba import njit

from auction.market import Int

SMALL = 2_000_000  # entries of a table of cover prices up to which it is used, however few the covers are
COVERS = 20_000  # of all tasks together at most
STEPS = 1_000_000  # of the search at most: up to a tenth of a second


def minimal_covers(demand: Int, slot: Int) -> tuple[Int, Int, Int] | None:
    """Every set of providers that covers a task and needs all its members.

    Args:
        demand: (t, K) requests, no row all 0.
        slot: (n, K) requests of a slot, clipped to the largest demand.

    Returns:
        task (c,) of each cover in ascending order, where each ends (c,), and the providers of all covers, one cover
        after another; None where that takes more than COVERS or STEPS.
    """
    task, ends, provider = [np.arange(0)], [np.arange(0)], [np.arange(0)]
    found = steps = size = 0
    for i, need in enumerate(demand):
        useful = np.flatnonzero((np.minimum(slot, need) > 0).any(axis=1))
        end, member, taken = _minimal_covers(need, slot[useful], COVERS - found, STEPS - steps)
        found, steps = found + end.size, steps + taken
        if found > COVERS or steps > STEPS:
            return None
        task.append(np.full(end.size, i))
        ends.append(end + size)
        provider.append(useful[member])
        size += member.size
    return np.concatenate(task), np.concatenate(ends), np.concatenate(provider)


@njit("boolean(int64[:, ::1], int64[::1], int64[::1], int64[::1])", cache=True, nogil=True)
def is_minimal(slot, demand, chosen, supply):
    """Whether each chosen provider is needed for what ``supply``, theirs and one more's, covers."""
    for a in chosen:
        needed = False
        for k in range(demand.size):
            needed = needed or supply[k] - slot[a, k] < demand[k]
        if not needed:
            return False
    return True


@njit("Tuple((i8[::1], i8[::1], i8))(i8[::1], i8[:, ::1], i8, i8)", cache=True, nogil=True)
def _minimal_covers(demand, slot, covers, steps):
    """Minimal covers by depth-first search: each provider is taken or skipped while those after it can do the rest.

    Returns:
        ends, the providers of all covers, one after another, and the steps taken; more than ``covers`` covers or
        ``steps`` steps mean that it gave up.
    """
    count, types = slot.shape
    after = np.zeros((count + 1, types), dtype=np.int64)  # what the providers from here on have together
    for j in range(count - 1, -1, -1):
        after[j] = after[j + 1] + slot[j]
    ends = np.empty(16, dtype=np.int64)
    members = np.empty(64, dtype=np.int64)
    chosen = np.empty(count, dtype=np.int64)
    supply = np.zeros((count + 1, types), dtype=np.int64)  # of the chosen together
    found = size = depth = j = taken = 0
    while taken <= steps and found <= covers:
        taken += 1
        possible = j < count and (supply[depth] + after[j] >= demand).all()
        if possible:
            supply[depth + 1] = supply[depth] + slot[j]
            if not is_minimal(slot, demand, chosen[:depth], supply[depth + 1]):
                j += 1
                continue
            chosen[depth] = j
            depth += 1
            j += 1
            if not (supply[depth] >= demand).all():
                continue
            if found == ends.size:
                ends = np.append(ends, np.empty(found, dtype=np.int64))
            if size + depth > members.size:
                members = np.append(members, np.empty(members.size + depth, dtype=np.int64))
            members[size : size + depth] = chosen[:depth]
            size += depth
            ends[found] = size
            found += 1
        if depth == 0:
            break
        depth -= 1  # back to the last choice, skipped this time
        j = chosen[depth] + 1
    return ends[:found].copy(), members[:size].copy(), taken
