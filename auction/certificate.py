"""Price lists as certificates: integer prices from which anyone re-derives an upper bound on the optimal welfare.

For any prices pi >= 0 of a slot of each provider,

    sum_i max(0, b_i - f(C_i; c + pi)) + sum_j w_j pi_j

is an upper bound (Lagrangian duality), f(q; p) being the cheapest cover of q at prices p that uses each provider at
most once, under ``whole`` the cheapest single slot that covers q. Prices of slot vectors, clipped to the largest demand
and with f allowed to repeat a vector, give a weaker bound that costs far less; so does f that may repeat a provider, of
markets with many types. This file shares nothing with the solvers but the market, so that it can check them.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from auction._few_rows import few_rows_cover
from auction._searched_cover import searched_cover
from auction._support_covers import covers_by_support
from auction.arrays import INT64_MAX
from auction.errors import InputError
from auction.market import Float, Int, Market, Reading

LATTICE_LIMIT = 100_000_000  # points of a lattice of demands: 800 MB
WORK_LIMIT = 4_000_000_000  # steps of a derivation, lattice points x rows of prices x types: some ten seconds
SEARCH_FROM = 20_000_000  # steps of all lattices from which demands are searched for their covers
PAIR_LIMIT = 100_000_000  # demands x rows up to which demands are looked at one by one


@dataclass(frozen=True, eq=False, repr=False)
class Certificate:
    """Prices and the bound they prove."""

    market_digest: str
    reading: Reading
    bound: int  # micro-tokens
    price: Int  # of each provider (n,): pi_j; or of each vector (v,): what its slot costs at most, c_j + pi_j
    vector: Int | None = None  # (v, K) every distinct slot vector, clipped to the largest demand; None: by provider
    unit: Int | None = None  # (K,) requests of each type that count as one, 0 leaves the type out; None: 1 of all
    repeat: bool = False  # whether covers may use a provider more than once; of vectors they always may

    def __repr__(self) -> str:
        of = "providers" if self.vector is None else "slot vectors"
        return f"Certificate({self.reading}: bound {self.bound} micro-tokens by prices of {self.price.size} {of})"


def derived_bound(
    market: Market,
    reading: Reading,
    price: Int,
    vector: Int | None,
    unit: Int | None = None,
    *,
    repeat: bool = False,
) -> int:
    """The bound that prices prove, in exact integers.

    Args:
        market: the market.
        reading: ``bundle`` or ``whole``.
        price: (n,) of providers, or (v,) of vectors.
        vector: (v, K), or None for prices of providers.
        unit: (K,), or None. Demands and clipped slots are divided by it and rounded up, so that every cover remains one
            (the rounded slots of a cover sum to no less than the rounded demand) and the bound holds; 0 drops a type.
        repeat: covers may use a provider more than once, which weakens the bound and makes many types possible.

    Raises:
        InputError: prices of the wrong number or below 0, a slot vector that is not listed, a lattice beyond memory,
            a derivation of more than WORK_LIMIT steps, or a bound beyond int64.
    """
    if unit is not None and unit.shape != (market.types,):
        raise InputError(f"unit: has {unit.size} entries; one for each of {market.types} types is needed")
    demand = _in_units(market.demand, unit)
    top = demand.max(axis=0, initial=0)
    slot = _in_units(np.minimum(market.resource, market.demand.max(axis=0, initial=0)), unit)
    rows = slot if vector is None else vector
    if rows.shape[1] != market.types:
        raise InputError(f"vector: lists vectors of {rows.shape[1]} types; the market has {market.types}")
    if price.shape != (rows.shape[0],):
        raise InputError(f"price: has {price.size} entries; one for each of {rows.shape[0]} is needed")
    if (price < 0).any():
        raise InputError(f"price[{int(np.argmax(price < 0))}]: {price.min()} is not allowed; integers from 0 up")
    premium = price if vector is None else _premiums(market, slot, price, vector)
    total = sum(int(w) * int(pi) for w, pi in zip(market.slots, premium, strict=True) if w and pi)

    # Covers at the highest bid or above are of no use, so prices and their sums are cut there and fit int64.
    highest = max(0, int(market.net_bid.max(initial=0)))
    paid = np.minimum(price, highest)
    if vector is None:
        paid = np.minimum(paid + np.minimum(market.cost, highest), highest)
        rows, paid = rows[market.slots > 0], paid[market.slots > 0]
    asked = top > 0
    asked[:1] |= not asked.any()
    # Types that nobody asks for only lengthen shapes, of which NumPy has at most 64.
    demand, rows = np.ascontiguousarray(demand[:, asked]), np.ascontiguousarray(np.minimum(rows, top)[:, asked])
    if repeat:
        cover = covers_by_support(demand, rows, paid, highest, single=reading == "whole")
    elif reading == "whole":
        cover = _cheapest_slots(demand, rows, paid, highest)
    else:
        cover = _cheapest_covers(demand, market.net_bid, rows, paid, highest, repeat=vector is not None)
    total += int(np.maximum(market.net_bid - cover, 0).sum())
    if total > INT64_MAX:
        raise InputError(f"price: the bound they give, {total}, is beyond int64")
    return total


def _in_units(requests: Int, unit: Int | None) -> Int:
    if unit is None:
        return requests
    return np.where(unit > 0, -(-requests // np.maximum(unit, 1)), 0)


def _premiums(market: Market, slot: Int, price: Int, vector: Int) -> Int:
    """(n,) pi_j = max(0, p_v - c_j) of each provider, v being its slot vector."""
    place = {tuple(row): v for v, row in enumerate(vector.tolist())}
    try:
        of = np.array([place[tuple(row)] for row in slot.tolist()], dtype=np.int64)
    except KeyError as missing:
        raise InputError(f"vector: the market has the slot vector {missing}, which is not listed") from None
    return np.maximum(price[of] - market.cost, 0)


def _cheapest_slots(demand: Int, rows: Int, price: Int, highest: int) -> Int:
    """(m,) the least price of a row that covers the demand alone, at most ``highest``; 0 of nothing.

    Least prices are handed down a lattice of demands, or each demand looks through the rows if that is less.
    """
    shape = tuple(int(t) + 1 for t in demand.max(axis=0, initial=0))
    points = float(np.prod(shape, dtype=float))
    demands, of = np.unique(demand, axis=0, return_inverse=True)
    if points <= min(LATTICE_LIMIT, len(demands) * len(rows)):
        lattice = np.full(shape, highest)
        np.minimum.at(lattice, tuple(rows.T), price)
        for axis in range(lattice.ndim):
            lattice = np.flip(np.minimum.accumulate(np.flip(lattice, axis), axis), axis)
        least = lattice[tuple(demands.T)]
    else:
        _refuse_work(float(len(demands)) * rows.size)
        order = np.argsort(price, kind="stable")
        least = _first_covering(demands, np.ascontiguousarray(rows[order]), price[order], highest)
    return np.where(demands.any(axis=1), least, 0)[of.reshape(-1)]


def _cheapest_covers(demand: Int, bid: Int, rows: Int, price: Int, highest: int, *, repeat: bool) -> Int:
    """(m,) f of each demand, where it is below the bid: over one lattice for all, or demand by demand if that is less.

    What is no less than the bid counts as at most ``highest`` and at least the bid.

    A row is used once, or with ``repeat`` as often as it takes. A single demand has a lattice of its own or, where few
    rows are of use to it and none is repeated, goes through their subsets. Where all that is much, demands of larger
    lattices whose rows are not repeated are searched for their covers; one that takes too many steps counts as what it
    costs at least by then.
    """
    top = demand.max(axis=0, initial=0)
    demands, of = np.unique(demand, axis=0, return_inverse=True)
    together = float(_lattice_steps(top[None], np.array([len(rows)]))[0])
    own = subsets = np.full(len(demands), np.inf)
    if len(demands) * len(rows) <= PAIR_LIMIT:
        useful = ((demands > 0).astype(float) @ (rows > 0).T.astype(float) > 0).sum(axis=1)
        own = _lattice_steps(demands, useful)
        if not repeat:
            subsets = 2.0 ** np.minimum(useful, 1000) * (demands > 0).sum(axis=1)
    alone = np.minimum(own, subsets)
    searched = np.zeros(len(demands), dtype=bool)
    if not repeat and len(demands) * len(rows) <= PAIR_LIMIT and min(together, float(alone.sum())) > SEARCH_FROM:
        searched = alone > SEARCH_FROM / len(demands)
    apart = float(alone[~searched].sum())
    _refuse_work(min(together, apart))
    if together <= apart and not searched.any():
        return _covers_of_all(top, rows, price, highest, repeat)[np.ravel_multi_index(tuple(demand.T), tuple(top + 1))]
    limit = np.zeros(len(demands), dtype=np.int64)
    np.maximum.at(limit, of.reshape(-1), bid)
    cover, steps = np.zeros(len(demands), dtype=np.int64), WORK_LIMIT
    for d in np.flatnonzero(demands.any(axis=1)):
        wanted = demands[d] > 0
        use = rows[:, wanted].any(axis=1)
        arrays = demands[d, wanted], np.ascontiguousarray(rows[use][:, wanted]), price[use], highest
        if searched[d]:
            clipped = np.ascontiguousarray(np.minimum(arrays[1], arrays[0]))
            cover[d], taken = few_rows_cover(arrays[0], clipped, price[use], limit[d], steps)
            if cover[d] < 0:
                cover[d], more = searched_cover(arrays[0], clipped, price[use], limit[d], steps)
                taken += more
            steps = max(0, steps - taken)
            continue
        cover[d] = _covers_of_all(*arrays, repeat)[-1] if (own <= subsets)[d] else _cheapest_subset(*arrays)
    return cover[of.reshape(-1)]


def _lattice_steps(tops: Int, rows: Int) -> Float:
    """Points of each lattice x rows x types that are not 0; infinite beyond LATTICE_LIMIT points."""
    points = np.prod(tops + 1.0, axis=1)
    steps = points * np.maximum(rows, 1) * np.maximum((tops > 0).sum(axis=1), 1)
    return np.where(points <= LATTICE_LIMIT, steps, np.inf)


def _refuse_work(steps: float) -> None:
    if steps > WORK_LIMIT:
        needed = "too many steps and too much memory" if steps == np.inf else f"{steps:.3g} steps"
        raise InputError(f"market: its bound takes {needed} to derive again; at most {WORK_LIMIT} steps are taken")


@njit("i8[::1](i8[:, ::1], i8[:, ::1], i8[::1], i8)", cache=True, nogil=True)
def _first_covering(demands, rows, price, highest):
    """For each demand the price of the first row that covers it."""
    least = np.full(demands.shape[0], highest)
    for d in range(demands.shape[0]):
        for v in range(rows.shape[0]):
            if price[v] >= highest:
                break
            covers = True
            for k in range(rows.shape[1]):
                if rows[v, k] < demands[d, k]:
                    covers = False
                    break
            if covers:
                least[d] = price[v]
                break
    return least


@njit("i8[::1](i8[::1], i8[:, ::1], i8[::1], i8, b1)", cache=True, nogil=True)
def _covers_of_all(top, rows, price, highest, repeat):
    """f(q) = min(f(q), p_v + f(max(q - v, 0))) over the lattice 0..top in C order, row by row.

    Points in descending order use a row once; in ascending order, where f(max(q - v, 0)) may hold it already, again.
    """
    types = top.size
    stride = np.ones(types, dtype=np.int64)
    for k in range(types - 1, 0, -1):
        stride[k - 1] = stride[k] * (top[k] + 1)
    size = stride[0] * (top[0] + 1)
    least = np.full(size, highest)
    least[0] = 0
    q = np.empty(types, dtype=np.int64)
    for v in range(rows.shape[0]):
        if price[v] >= highest:
            continue
        for k in range(types):
            q[k] = 0 if repeat else top[k]
        for step in range(size):
            point = step if repeat else size - 1 - step
            rest = point
            for k in range(types):
                rest -= stride[k] * min(q[k], rows[v, k])
            least[point] = min(least[point], price[v] + least[rest])
            k = types - 1
            if repeat:
                while k >= 0 and q[k] == top[k]:
                    q[k] = 0
                    k -= 1
                if k >= 0:
                    q[k] += 1
            else:
                while k >= 0 and q[k] == 0:
                    q[k] = top[k]
                    k -= 1
                if k >= 0:
                    q[k] -= 1
    return least


@njit("i8(i8[::1], i8[:, ::1], i8[::1], i8)", cache=True, nogil=True)
def _cheapest_subset(demand, rows, price, highest):
    """The least price of rows that cover the demand together, each once: row by row, with it and without it."""
    count, types = rows.shape
    left = np.empty((count + 1, types), dtype=np.int64)
    spent = np.zeros(count + 1, dtype=np.int64)
    tried = np.zeros(count + 1, dtype=np.int64)
    left[0] = demand
    least = highest
    j = 0
    while j >= 0:
        if not left[j].any():
            least = min(least, spent[j])
            j -= 1
        elif j == count or tried[j] == 2:
            j -= 1
        else:
            taken = tried[j] == 0
            tried[j] += 1
            if taken and spent[j] + price[j] >= least:
                continue
            for k in range(types):
                left[j + 1, k] = max(left[j, k] - rows[j, k], 0) if taken else left[j, k]
            spent[j + 1] = spent[j] + (price[j] if taken else 0)
            j += 1
            tried[j] = 0
    return least
