"""Pricing: the cheapest cover of every demand at once, and the bound that prices prove."""

import numpy as np
from numba import njit

from auction.market import Int

AT_ONCE = 1 << 24  # entries of a table that are filled before the flag is looked at
NEVER = 2**62  # the price of covering what no providers cover; no bid reaches it, and one price on top fits int64


@njit("int64(int64[::1], int64[::1])", cache=True, nogil=True)
def lattice_point(top, q):
    """Where the lattice 0..top in C order holds q."""
    at = 0
    for k in range(top.size):
        at = at * (top[k] + 1) + q[k]
    return at


@njit("int64[:, ::1](int64[::1], int64[:, ::1], int64[::1], int64[::1])", cache=True, nogil=True)
def cover_prices(top, slot, price, flag):
    """f_j(q) = min(f_j+1(q), p_j + f_j+1(max(q - s_j, 0))): the cheapest cover of q by providers j, j + 1, ... once.

    One pass over the providers prices every task, and the table tells both the cheapest cover (follow the minimum) and
    what any partial cover still costs at least (``enumeration``).

    Args:
        top: (K,) the largest demand of each type.
        slot: (n, K) requests of a slot, at most ``top``.
        price: (n,) of a slot, 0 up to below NEVER.
        flag: (1,) cuts a table of more than AT_ONCE entries short once it is 1.

    Returns:
        (n + 1, points) int64 over the lattice 0..top in C order; NEVER where nothing covers. Empty where cut short.
    """
    count, types = slot.shape
    width = top[types - 1] + 1
    outer = 1
    for k in range(types - 1):
        outer *= top[k] + 1
    table = np.empty((count + 1, outer * width), dtype=np.int64)
    table[count] = NEVER
    table[count, 0] = 0
    q = np.zeros(types, dtype=np.int64)
    for j in range(count - 1, -1, -1):
        if flag[0] != 0 and (count - j) * outer * width > AT_ONCE:
            return table[:0]
        p, last = price[j], slot[j, types - 1]
        q[:] = 0
        for line in range(outer):
            rest = 0
            for k in range(types - 1):
                rest = rest * (top[k] + 1) + max(q[k] - slot[j, k], 0)
            here = table[j, line * width : (line + 1) * width]
            skipped = table[j + 1, line * width : (line + 1) * width]
            taken = table[j + 1, rest * width : (rest + 1) * width]
            within = p + taken[0]
            for x in range(last):
                here[x] = min(skipped[x], within)
            for x in range(last, width):
                here[x] = min(skipped[x], p + taken[x - last])
            k = types - 2
            while k >= 0 and q[k] == top[k]:
                q[k] = 0
                k -= 1
            if k >= 0:
                q[k] += 1
    return table


@njit(
    "Tuple((int64[::1], int64[::1]))(int64[::1], int64[:, ::1], int64[:, ::1], int64[:, ::1])", cache=True, nogil=True
)
def cheapest_covers(top, slot, table, demand):
    """The cover that each demand's table entry stands for, the later providers preferred where prices tie.

    Args:
        top, slot, table: as in ``cover_prices``.
        demand: (t, K); a demand that nothing covers gets no providers.

    Returns:
        ends (t,) and the providers of all covers, one cover after another.
    """
    tasks, types = demand.shape
    count = slot.shape[0]
    ends = np.empty(tasks, dtype=np.int64)
    chosen = np.empty(tasks * count, dtype=np.int64)
    size = 0
    q = np.empty(types, dtype=np.int64)
    for i in range(tasks):
        q[:] = demand[i]
        at = lattice_point(top, q)
        if table[0, at] < NEVER:
            for j in range(count):
                if at == 0:
                    break
                if table[j, at] < table[j + 1, at]:
                    chosen[size] = j
                    size += 1
                    q = np.maximum(q - slot[j], 0)
                    at = lattice_point(top, q)
        ends[i] = size
    return ends, chosen[:size].copy()


def lattice_points(top: Int, demand: Int) -> Int:
    """(t,) where the lattice 0..top in C order holds each demand."""
    return np.ravel_multi_index(tuple(demand.T), tuple(top + 1)).astype(np.int64)
