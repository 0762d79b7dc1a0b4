"""Providers grouped by slot vector, tasks by demand vector, and the Lagrangian dual over prices of slot vectors.

Within a clipped slot vector only cost differs, within a demand vector only the bid: a supply curve and a demand curve.
The size of everything but the curves is that of the lattice of demands, however many tasks and providers there are.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from auction.certificate import Certificate
from auction.market import Float, Int, Market, Reading
from auction.search import Stop
from auction.solvers._exact import dot
from auction.solvers._vector_prices.coarsening import in_units, units
from auction.solvers._vectors import distinct_rows

ROUNDING = 1e-9  # how far floats can be off, relative
UNITS = 2**40  # slots of one provider beyond which more make no difference, and floats would lose the others'
NAMED = 12  # types up to which the unit of each is told


@dataclass(frozen=True, eq=False)
class Curves:
    """Costs or negated bids of one side, ascending within each of g groups: the most attractive first."""

    member: Int  # (size,) task or provider, group by group
    first: Int  # (g + 1,) where each group starts
    amount: Int  # (size,) cost or minus the bid of each member, micro-tokens, ascending in each group
    quantity: Float  # (size + 1,) units before each place: tasks or slots
    money: Float  # (size + 1,) the sum of amount x units before each place

    @classmethod
    def of(cls, group: Int, groups: int, amount: Int, units: Int) -> "Curves":
        member = np.argsort(amount, kind="stable")
        member = member[np.argsort(group[member].astype(np.uint16 if groups < 2**16 else np.int64), kind="stable")]
        ordered, units = amount[member], np.minimum(units[member], UNITS).astype(float)
        return cls(
            member,
            np.searchsorted(group[member], np.arange(groups + 1)),
            ordered,
            np.concatenate(([0.0], np.cumsum(units))),
            np.concatenate(([0.0], np.cumsum(units * ordered))),
        )

    def places(self, limit: Int) -> Int:
        """(g, c) in each group the places of the first amounts that are not below its limits (g, c)."""
        return _search(self.first, self.amount, limit)

    def reached(self, place: Int) -> tuple[Float, Float]:
        """Units and money between the start of each group (axis 0) and a place in it."""
        start = self.first[:-1].reshape((-1,) + (1,) * (place.ndim - 1))
        return self.quantity[place] - self.quantity[start], self.money[place] - self.money[start]


@dataclass(frozen=True, eq=False)
class GroupedMarket:
    """A market as V supply curves and D demand curves over the lattice of demands, in units of ``unit`` requests."""

    market: Market
    reading: Reading
    unit: Int  # (K,) requests of each type that count as one; 0: the type is left out
    shape: Int  # (K,) points of the lattice along each type
    vectors: Int  # (V, K) distinct slot vectors, clipped to the largest demand
    vector_of: Int  # (n,)
    supply: Curves  # slots of each vector, cheapest first
    demands: Int  # (D, K) distinct demand vectors
    demand_of: Int  # (m,)
    bids: Curves  # tasks of each demand, highest bid first
    vector_point: Int  # (V,) places in the lattice
    demand_point: Int  # (D,)
    demand_at: Int  # (points,) the demand at a place; -1 where there is none
    dearest: int  # the highest net bid: no cover at or above it is of use

    @property
    def exact(self) -> bool:
        """Whether covers of the lattice's demands are covers of the tasks'."""
        return bool((self.unit == 1).all())

    @property
    def remark(self) -> str:
        """What the status of an outcome says of a coarse lattice."""
        if self.exact:
            return ""
        if self.unit.size > NAMED:
            left_out, coarse = np.count_nonzero(self.unit == 0), np.count_nonzero(self.unit > 1)
            return f"; of {self.unit.size} types {left_out} are left out, {coarse} counted in units of several requests"
        return f"; demands in units of {', '.join(map(str, self.unit))} requests"


def group_market(market: Market, reading: Reading) -> GroupedMarket:
    """Group both sides, in units that keep the lattice of demands small enough."""
    top = market.demand.max(axis=0, initial=0)
    unit = units(market)
    shape = in_units(top, unit) + 1
    vectors, vector_of = distinct_rows(in_units(np.minimum(market.resource, top), unit))
    demands, demand_of = distinct_rows(in_units(market.demand, unit))
    stride = np.append(np.cumprod(shape[:0:-1])[::-1], 1)
    ones = np.ones(market.tasks, dtype=np.int64)
    demand_point = demands @ stride
    demand_at = np.full(shape.prod(), -1)
    demand_at[demand_point] = np.arange(len(demands))
    return GroupedMarket(
        market,
        reading,
        unit,
        shape,
        vectors,
        vector_of,
        Curves.of(vector_of, len(vectors), market.cost, market.slots),
        demands,
        demand_of,
        Curves.of(demand_of, len(demands), -market.net_bid, ones),
        vectors @ stride,
        demand_point,
        demand_at,
        max(0, int(market.net_bid.max(initial=0))),
    )


@dataclass(frozen=True, eq=False)
class DualPoint:
    """The dual at one price list: its value and one optimal response of both sides."""

    price: Int  # (V,) micro-tokens; no vector costs more than its own cheapest cover
    value: float  # the bound, micro-tokens, up to rounding
    cover: Int  # (points,) cheapest cover of every demand, `dearest` where none costs less
    slot: Int  # (points,) the vector that such a cover begins with; -1 where there is none
    asked: Float  # (V,) slots that the tasks with a surplus take
    offered: Float  # (V,) slots whose cost is below the price


def evaluate_dual(grid: GroupedMarket, price: Int) -> DualPoint:
    """Evaluate sum_i max(0, b_i - f(C_i; p)) + sum_v sum_j w_j max(0, p_v - c_j).

    A price above the vector's own cheapest cover is lowered to that: no cover gets cheaper, supply does.
    """
    cover, slot = covers(grid, price)
    price = np.minimum(price, cover[grid.vector_point])
    least = cover[grid.demand_point]
    sold, spent = (x[:, 0] for x in grid.supply.reached(grid.supply.places(price[:, None])))
    won, bid = (x[:, 0] for x in grid.bids.reached(grid.bids.places(-least[:, None])))
    asked = _asked(grid.shape, grid.vectors, slot, grid.demand_point, won)
    value = float((-bid - won * least).sum() + (sold * price - spent).sum())
    return DualPoint(price, value, cover, slot, asked, sold)


def report(at: DualPoint, stop: Stop) -> None:
    """Its value is a bound, up to the rounding of its sums."""
    stop.report(bound=math.ceil(at.value + ROUNDING * abs(at.value)))


def derive_bound(grid: GroupedMarket, price: Int, cover: Int) -> int:
    """The dual's value in exact integers, as ``auction.certificate.derived_bound`` has it.

    Args:
        price: (V,) micro-tokens.
        cover: (points,) f at these prices, as ``covers`` has it.
    """
    market = grid.market
    surplus = int(np.maximum(market.net_bid - cover[grid.demand_point][grid.demand_of], 0).sum())
    return surplus + dot(market.slots, np.maximum(price[grid.vector_of] - market.cost, 0))


def certify(grid: GroupedMarket, at: DualPoint) -> Certificate:
    """The exact bound at these prices, or at prices of 0 should that be lower."""
    none = np.zeros_like(at.price)
    price, proven = at.price, derive_bound(grid, at.price, at.cover)
    if (without := derive_bound(grid, none, _covers_for_nothing(grid))) < proven:
        price, proven = none, without
    unit = None if grid.exact else grid.unit
    return Certificate(grid.market.digest, grid.reading, proven, price, grid.vectors, unit)


def _covers_for_nothing(grid: GroupedMarket) -> Int:
    """f at prices of 0: 0 where something covers, ``dearest`` elsewhere."""
    if grid.reading == "whole":
        return covers(grid, np.zeros(len(grid.vectors), dtype=np.int64))[0]
    supplied = np.flatnonzero(grid.vectors.any(axis=0))
    axes = np.flatnonzero(np.asarray(grid.shape) > 1)  # numpy knows no more than 64, and no lattice has so many longer
    cover = np.full([grid.shape[k] for k in axes], grid.dearest)
    cover[tuple(slice(None) if k in supplied else 0 for k in axes)] = 0
    return cover.ravel()


def covers(grid: GroupedMarket, price: Int) -> tuple[Int, Int]:
    """f(q; p) over the lattice and the vector that a cheapest cover begins with."""
    # Cheapest first: a vector that cheaper ones cover at its price or less is skipped.
    order = np.argsort(price, kind="stable")
    start = _whole if grid.reading == "whole" else _bundle
    return start(grid.shape, grid.vectors, grid.vector_point, price, order, grid.dearest)


@njit("Tuple((i8[::1], i8[::1]))(i8[::1], i8[:, ::1], i8[::1], i8[::1], i8[::1], i8)", cache=True, nogil=True)
def _bundle(shape, vectors, point, price, order, dearest):
    """f(q) = min over v of p_v + f(max(q - v, 0)), vector by vector, q ascending so that a vector may serve again."""
    types = shape.size
    last = types - 1
    size = 1
    for k in range(types):
        size *= shape[k]
    cover = np.full(size, dearest)
    slot = np.full(size, -1)
    cover[0] = 0
    q = np.empty(types, dtype=np.int64)
    for v in order:
        p = price[v]
        if cover[point[v]] <= p:
            continue
        step = vectors[v, last]
        width = shape[last]
        q[:] = 0
        for row in range(0, size, width):
            rest = 0  # the row that this one leads to
            for k in range(last):
                rest = (rest + max(q[k] - vectors[v, k], 0)) * shape[k + 1]
            for x in range(width):
                c = p + cover[rest + max(x - step, 0)]
                if c < cover[row + x]:
                    cover[row + x] = c
                    slot[row + x] = v
            k = last - 1
            while k >= 0:
                q[k] += 1
                if q[k] < shape[k]:
                    break
                q[k] = 0
                k -= 1
    return cover, slot


@njit("Tuple((i8[::1], i8[::1]))(i8[::1], i8[:, ::1], i8[::1], i8[::1], i8[::1], i8)", cache=True, nogil=True)
def _whole(shape, vectors, point, price, order, dearest):
    """f(q) = the least p_v of the vectors v >= q: least prices handed down, one type after the other."""
    size = 1
    for k in range(shape.size):
        size *= shape[k]
    cover = np.full(size, dearest)
    slot = np.full(size, -1)
    for v in order:
        if price[v] < cover[point[v]]:
            cover[point[v]] = price[v]
            slot[point[v]] = v
    stride = 1
    for k in range(shape.size - 1, -1, -1):
        for q in range(size - 1, -1, -1):
            if q // stride % shape[k] < shape[k] - 1 and cover[q + stride] < cover[q]:
                cover[q] = cover[q + stride]
                slot[q] = slot[q + stride]
        stride *= shape[k]
    cover[0] = 0
    return cover, slot


@njit("i8[:, ::1](i8[::1], i8[::1], i8[:, ::1])", cache=True, nogil=True)
def _search(first, ascending, limit):
    """In each group (g) the places of the first amounts that are not below its limits (g, c)."""
    place = np.empty(limit.shape, dtype=np.int64)
    for g in range(limit.shape[0]):
        for c in range(limit.shape[1]):
            low, high = first[g], first[g + 1]
            while low < high:
                middle = (low + high) // 2
                if ascending[middle] < limit[g, c]:
                    low = middle + 1
                else:
                    high = middle
            place[g, c] = low
    return place


@njit("i8(i8[::1], i8[:, ::1], i8, i8)", cache=True, nogil=True)
def rest_of(shape, vectors, v, point):
    """The lattice point max(q - v, 0)."""
    rest = 0
    stride = 1
    for k in range(shape.size - 1, -1, -1):
        rest += stride * max(point % shape[k] - vectors[v, k], 0)
        point //= shape[k]
        stride *= shape[k]
    return rest


@njit("f8[::1](i8[::1], i8[:, ::1], i8[::1], i8[::1], f8[::1])", cache=True, nogil=True)
def _asked(shape, vectors, slot, demand_point, won):
    """Slots of each vector in the cheapest covers of ``won`` tasks of each demand.

    Tasks step down the lattice together: a point is passed once, however many covers lead through it.
    """
    asked = np.zeros(vectors.shape[0])
    passing = np.zeros(slot.size)
    for d in range(won.size):
        passing[demand_point[d]] += won[d]
    for point in range(slot.size - 1, 0, -1):
        if passing[point] > 0:
            v = slot[point]
            asked[v] += passing[point]
            passing[rest_of(shape, vectors, v, point)] += passing[point]
    return asked


@njit("Tuple((i8[::1], i8[::1], i8[::1]))(i8[::1], i8[:, ::1], i8[::1], i8[::1], i8[::1], i8)", cache=True, nogil=True)
def steps(shape, vectors, slot, demand_point, demand_at, most):
    """From each demand that has a cover, the slots of its cheapest one up to the next point that is a demand too.

    Returns (d, D + 1 offsets into it, the demand reached or -1 at 0): vectors taken in order, none without a cover and
    none where that takes more than ``most`` slots.
    """
    taken = np.empty(4 * demand_point.size + 64, dtype=np.int64)
    start = np.zeros(demand_point.size + 1, dtype=np.int64)
    reached = np.full(demand_point.size, -1)
    size = 0
    for d in range(demand_point.size):
        point = demand_point[d]
        while point > 0 and slot[point] >= 0:
            if size - start[d] == most:
                size = start[d]
                break
            if size == taken.size:
                taken = np.concatenate((taken, np.empty_like(taken)))
            taken[size] = slot[point]
            size += 1
            point = rest_of(shape, vectors, slot[point], point)
            reached[d] = demand_at[point]
            if reached[d] >= 0:
                break
        start[d + 1] = size
    return taken[:size], start, reached
