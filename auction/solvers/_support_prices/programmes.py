"""One covering programme a support: the cheapest cover of every demand of its box, a slot used as often as it takes.

f(q) = min over slots v of p_v + f(max(q - v, 0)) on the box 0..top of the support, v clipped to it. Repeating a slot
can only make covers cheaper, so bounds from f stay valid; where types have hundreds of slots it hardly happens.
"""

from typing import NamedTuple

import numpy as np
from numba import njit, types
from numba.core.types import int64

from auction.market import Int
from auction.solvers._support_prices.grid import Offers, Supports

_VECTOR, _MATRIX = int64[::1], int64[:, ::1]
_SUPPORTS = types.NamedTuple([_MATRIX if name == "demand" else _VECTOR for name in Supports._fields], Supports)
_OFFERS = types.NamedTuple([_MATRIX if name == "pair" else _VECTOR for name in Offers._fields], Offers)

LISTS = 4  # of prices that supports see in turn


class Asks(NamedTuple):
    """What slots cost, and the cheapest of each type and amount."""

    price: Int  # (n,)
    least: Int  # (K, amounts) least price of a slot with at least x of type k
    slot: Int  # (K, amounts) a slot of that price, -1 where there is none


_ASKS = types.NamedTuple([_VECTOR, _MATRIX, _MATRIX], Asks)
_LISTS = types.UniTuple(_ASKS, LISTS)
_BOX = types.Tuple([_VECTOR, _VECTOR, _VECTOR])  # its types, the largest demand of each, strides in C order


@njit(types.Tuple([_MATRIX, _MATRIX])(_OFFERS, _VECTOR, int64, int64), cache=True, nogil=True)
def cheapest_amounts(offers, price, amounts, never):
    """``least`` and ``slot`` of Asks; ``never`` where no slot costs less."""
    kinds = offers.pair.shape[0]
    least = np.full((kinds, amounts), never)
    slot = np.full((kinds, amounts), -1)
    for j in range(price.size):
        for e in range(offers.first[j], offers.first[j + 1]):
            if price[j] < least[offers.type[e], offers.amount[e]]:
                least[offers.type[e], offers.amount[e]] = price[j]
                slot[offers.type[e], offers.amount[e]] = j
    for k in range(kinds):
        for x in range(amounts - 2, -1, -1):
            if least[k, x + 1] < least[k, x]:
                least[k, x] = least[k, x + 1]
                slot[k, x] = slot[k, x + 1]
    return least, slot


@njit(_BOX(_SUPPORTS, int64), cache=True, nogil=True)
def box_of(supports, s):
    kinds = supports.type[supports.type_first[s] : supports.type_first[s + 1]]
    top = supports.top[supports.type_first[s] : supports.type_first[s + 1]]
    stride = np.ones(top.size, dtype=np.int64)
    for a in range(top.size - 1, 0, -1):
        stride[a - 1] = stride[a] * (top[a] + 1)
    return kinds, top, stride


@njit(int64(_BOX, _OFFERS, int64), cache=True, nogil=True)
def point_of(box, offers, j):
    """Where the box has slot j, clipped to it."""
    kinds, top, stride = box
    point = 0
    a = 0
    for e in range(offers.first[j], offers.first[j + 1]):
        while a < kinds.size and kinds[a] < offers.type[e]:
            a += 1
        if a == kinds.size:
            break
        if kinds[a] == offers.type[e]:
            point += stride[a] * min(offers.amount[e], top[a])
    return point


@njit(types.void(_BOX, _OFFERS, _ASKS, int64, _VECTOR, _VECTOR), cache=True, nogil=True)
def single_slots(box, offers, asks, limit, least, slot):
    """Fill in the cheapest single slot that covers each point of the box, its price below ``limit``, and that price."""
    kinds, top, stride = box
    least[:] = limit
    slot[:] = -1
    for a in range(kinds.size):
        for x in range(1, top[a] + 1):
            if asks.least[kinds[a], x] < limit:
                least[stride[a] * x] = asks.least[kinds[a], x]
                slot[stride[a] * x] = asks.slot[kinds[a], x]
    for a in range(kinds.size):
        for b in range(a + 1, kinds.size):
            r = offers.pair[kinds[a], kinds[b]]
            for j in offers.pair_member[offers.pair_first[r] : offers.pair_first[r + 1]]:
                if asks.price[j] < limit:
                    q = point_of(box, offers, j)
                    if asks.price[j] < least[q]:
                        least[q] = asks.price[j]
                        slot[q] = j
    for a in range(kinds.size):
        step = stride[a]
        block = step * (top[a] + 1)
        for start in range(0, least.size, block):
            for q in range(start + block - step - 1, start - 1, -1):
                if least[q + step] < least[q]:
                    least[q] = least[q + step]
                    slot[q] = slot[q + step]
    least[0] = 0


@njit(_VECTOR(_BOX, _VECTOR, int64), cache=True, nogil=True)
def _undominated(box, least, limit):
    """Points whose cheapest slot is cheaper than that of any larger point, in ascending order of its price."""
    _, top, stride = box
    found = np.empty(least.size, dtype=np.int64)
    count = 0
    for q in range(1, least.size):
        kept = least[q] < limit
        for a in range(top.size):
            kept = kept and (q // stride[a] % (top[a] + 1) == top[a] or least[q] < least[q + stride[a]])
        if kept:
            found[count] = q
            count += 1
    return found[:count][np.argsort(least[found[:count]], kind="mergesort")]


@njit(_VECTOR(_BOX, _VECTOR, int64, _VECTOR), cache=True, nogil=True)
def covers(box, least, limit, cover):
    """Fill in f, ``limit`` where no cover costs less; the points of the slots that cheapest covers are made of."""
    _, top, stride = box
    d = top.size
    width = top[d - 1] + 1
    x = np.zeros(d, dtype=np.int64)
    v = np.empty(d, dtype=np.int64)
    cover[:] = limit
    cover[0] = 0
    points = _undominated(box, least, limit)
    count = 0
    for point in points:
        p = least[point]
        if cover[point] <= p:  # cheaper slots cover as much
            continue
        points[count] = point
        count += 1
        for a in range(d):
            v[a] = point // stride[a] % (top[a] + 1)
        x[:] = 0
        last = v[d - 1]
        for row in range(0, cover.size, width):
            rest = 0
            for a in range(d - 1):
                rest += stride[a] * max(x[a] - v[a], 0)
            if p + cover[rest] < limit:
                here = cover[row : row + width]
                there = cover[rest : rest + width]
                within = p + there[0]
                for y in range(last):
                    here[y] = min(here[y], within)
                for y in range(last, width):
                    here[y] = min(here[y], p + there[y - last])
            a = d - 2
            while a >= 0 and x[a] == top[a]:
                x[a] = 0
                a -= 1
            if a >= 0:
                x[a] += 1
    return points[:count].copy()


@njit(int64(_BOX, int64, int64), cache=True, nogil=True)
def rest_of(box, q, v):
    """The point max(q - v, 0)."""
    _, top, stride = box
    rest = 0
    for a in range(top.size):
        rest += stride[a] * max(q // stride[a] % (top[a] + 1) - v // stride[a] % (top[a] + 1), 0)
    return rest


@njit(
    int64(_VECTOR, _SUPPORTS, _OFFERS, types.UniTuple(_ASKS, 4), types.boolean, _VECTOR, _VECTOR),
    cache=True,
    nogil=True,
)
def respond(which, supports, offers, asks, whole, asked, cover):
    """Supports answer price lists, in turn one of them each: the surplus of their tasks.

    Adds to ``asked`` (n,) the slots of cheapest covers of tasks that bid more, and fills ``cover`` (t,) with what
    those cost, the highest bid of the support where none costs less.
    """
    surplus = 0
    for s in which:
        box = box_of(supports, s)
        _, top, stride = box
        list_ = asks[s % LISTS]
        tasks = range(supports.first[s], supports.first[s + 1])
        limit = supports.bid[supports.first[s] : supports.first[s + 1]].max()
        size = stride[0] * (top[0] + 1)
        least = np.empty(size, dtype=np.int64)
        slot = np.empty(size, dtype=np.int64)
        f = np.empty(size, dtype=np.int64)
        single_slots(box, offers, list_, limit, least, slot)
        points = covers(box, least, limit, f) if not whole else slot[:0]
        for i in tasks:
            q = 0
            for a in range(top.size):
                q += stride[a] * supports.demand[i, a]
            cover[i] = least[q] if whole else f[q]
            if cover[i] >= supports.bid[i]:
                continue
            surplus += supports.bid[i] - cover[i]
            if whole:
                asked[slot[q]] += 1
                continue
            while q > 0:
                for v in points:
                    rest = rest_of(box, q, v)
                    if rest < q and least[v] + f[rest] == f[q]:
                        asked[slot[v]] += 1
                        q = rest
                        break
    return surplus


@njit(types.void(_VECTOR, _SUPPORTS, _OFFERS, _ASKS, types.boolean, _VECTOR, _MATRIX), cache=True, nogil=True)
def worth(which, supports, offers, asks, whole, shared, single):
    """The most that supports would pay for a slot, what the rest of the market offers in its place.

    Raises ``single`` (K, amounts) to f of x requests of type k alone, and ``shared`` (n,) to f of what a slot does for
    a support that it shares two types or more with.
    """
    for s in which:
        box = box_of(supports, s)
        kinds, top, stride = box
        limit = supports.bid[supports.first[s] : supports.first[s + 1]].max()
        size = stride[0] * (top[0] + 1)
        least = np.empty(size, dtype=np.int64)
        f = np.empty(size, dtype=np.int64)
        single_slots(box, offers, asks, limit, least, np.empty(size, dtype=np.int64))
        if not whole:
            covers(box, least, limit, f)
            least = f
        for a in range(kinds.size):
            for x in range(1, single.shape[1]):
                single[kinds[a], x] = max(single[kinds[a], x], least[stride[a] * min(x, top[a])])
            for b in range(a + 1, kinds.size):
                r = offers.pair[kinds[a], kinds[b]]
                for j in offers.pair_member[offers.pair_first[r] : offers.pair_first[r + 1]]:
                    shared[j] = max(shared[j], least[point_of(box, offers, j)])
