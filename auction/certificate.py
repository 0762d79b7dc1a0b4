"""Price lists as certificates: integer prices from which anyone re-derives an upper bound on the optimal welfare.

For any prices pi >= 0 of a slot of each provider,

    sum_i max(0, b_i - f(C_i; c + pi)) + sum_j w_j pi_j

is an upper bound (Lagrangian duality), f(q; p) being the cheapest cover of q at prices p that uses each provider at
most once, under ``whole`` the cheapest single slot that covers q. Prices of slot vectors, clipped to the largest demand
and with f allowed to repeat a vector, give a weaker bound that costs far less. This file shares nothing with the
solvers but the market, so that it can check them.
"""

from dataclasses import dataclass

import numpy as np

from auction.arrays import INT64_MAX
from auction.errors import InputError
from auction.market import Int, Market, Reading

LATTICE_LIMIT = 100_000_000  # points of the lattice of demands: 800 MB


@dataclass(frozen=True, eq=False)
class Certificate:
    """Prices and the bound they prove."""

    market_digest: str
    reading: Reading
    bound: int  # micro-tokens
    price: Int  # of each provider (n,): pi_j; or of each vector (v,): what its slot costs at most, c_j + pi_j
    vector: Int | None = None  # (v, K) every distinct slot vector, clipped to the largest demand; None: by provider
    unit: Int | None = None  # (K,) requests of each type that count as one, 0 leaves the type out; None: 1 of all


def derived_bound(market: Market, reading: Reading, price: Int, vector: Int | None, unit: Int | None = None) -> int:
    """The bound that prices prove, in exact integers.

    Args:
        market: the market.
        reading: ``bundle`` or ``whole``.
        price: (n,) of providers, or (v,) of vectors.
        vector: (v, K), or None for prices of providers.
        unit: (K,), or None. Demands and clipped slots are divided by it and rounded up, so that every cover remains one
            (the rounded slots of a cover sum to no less than the rounded demand) and the bound holds; 0 drops a type.

    Raises:
        InputError: prices of the wrong number or below 0, a slot vector that is not listed, a lattice beyond memory,
            or a sum that would not fit int64.
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
    paid, premium = _premiums(market, slot, price, vector)
    on_offer = [(int(w), int(pi)) for w, pi in zip(market.slots, premium, strict=True) if w and pi]
    total = sum(w * pi for w, pi in on_offer)

    usable = np.ones(rows.shape[0], dtype=bool) if vector is not None else market.slots > 0
    least = _cheapest_covers(top, rows[usable], paid[usable], reading, repeat=vector is not None)
    cover = least[tuple(demand.T)]
    served = (cover >= 0) & (cover < market.net_bid)
    total += int((market.net_bid[served] - cover[served]).sum())
    if total > INT64_MAX:
        raise InputError(f"price: the bound they give, {total}, is beyond int64")
    return total


def _in_units(requests: Int, unit: Int | None) -> Int:
    if unit is None:
        return requests
    return np.where(unit > 0, -(-requests // np.maximum(unit, 1)), 0)


def _premiums(market: Market, slot: Int, price: Int, vector: Int | None) -> tuple[Int, Int]:
    """What a slot of each row costs at most, and pi_j >= 0 of each provider."""
    largest = int(price.max(initial=0)) + int(market.cost.max(initial=0))
    if largest * (int(market.demand.sum(axis=1).max(initial=0)) + 1) > INT64_MAX:
        raise InputError(f"price: {price.max()} is not allowed; covers at such prices would not fit int64")
    if vector is None:
        return market.cost + price, price
    place = {tuple(row): v for v, row in enumerate(vector.tolist())}
    try:
        of = np.array([place[tuple(row)] for row in slot.tolist()], dtype=np.int64)
    except KeyError as missing:
        raise InputError(f"vector: the market has the slot vector {missing}, which is not listed") from None
    return price, np.maximum(price[of] - market.cost, 0)


def _cheapest_covers(top: Int, rows: Int, price: Int, reading: Reading, *, repeat: bool) -> Int:
    """f over the lattice 0..top; -1 where nothing covers. A row is used once, or again until nothing gets cheaper."""
    shape = tuple(int(t) + 1 for t in top)
    if (points := int(np.prod(shape, dtype=float))) > LATTICE_LIMIT:
        raise InputError(f"market: its lattice of demands has {points} points; at most {LATTICE_LIMIT} are re-derived")
    least = np.full(shape, INT64_MAX)
    least[(0,) * len(shape)] = 0
    for row, p in zip(rows, price, strict=True):
        if reading == "whole":
            corner = least[tuple(slice(0, int(s) + 1) for s in row)]
            corner[...] = np.minimum(corner, p)
            continue
        shifted = np.ix_(*(np.maximum(np.arange(n) - s, 0) for n, s in zip(shape, row, strict=True)))
        while True:
            rest = least[shifted]
            better = (rest < INT64_MAX) & (rest < least - p)
            if not better.any():
                break
            least[better] = rest[better] + p
            if not repeat:
                break
    return np.where(least == INT64_MAX, -1, least)
