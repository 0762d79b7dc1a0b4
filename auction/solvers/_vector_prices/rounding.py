"""From a fractional allocation of slot vectors to an integer one of providers, and its greedy completion at prices.

A provider's place is its position in ``grid.supply``: vector by vector, cheapest first.
"""

from collections.abc import Iterator

import numpy as np
from numba import njit
from numpy.typing import NDArray

from auction.allocation import Allocation
from auction.market import Int
from auction.search import Stop
from auction.solvers._covering import UNINTERRUPTED
from auction.solvers._vector_prices.dual import DualPoint, GroupedMarket, covers
from auction.solvers._vector_prices.master import Flow
from auction.solvers.greedy import serve as serve_exactly

Pairs = tuple[Int, Int]  # tasks and the places of their providers

NOBODY: Pairs = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
CHUNKS = 32  # how often the completion looks at what is left anew
PASSES = 8
EXACT = 1000  # tasks at most that are given exact covers in the end
EXACT_AT_ONCE = 20  # of them between two looks at the clock


def round_flow(grid: GroupedMarket, flow: Flow, at: DualPoint, stop: Stop) -> Allocation:
    """An integer allocation near a fractional one, feasible: every task has distinct providers that cover it.

    1. Of each demand the highest bids win, as many as the flow has, rounded.
    2. Demands from the largest down: the tasks that stand there are split over the steps in the flow's proportions,
       take their slot vectors and move on to the rest.
    3. The requests for each vector are met by its cheapest slots. Requests are laid out first slots first, so that two
       of one task are far apart and meet the same provider only where one holds nearly all slots.
    4. Tasks short of a slot, or not worth theirs, lose; ``complete`` fills what is left.
    """
    bids = grid.bids
    size = np.diff(bids.first)
    won = np.minimum(np.rint(flow.won).astype(np.int64), size)
    winners = np.flatnonzero(np.arange(bids.member.size) - np.repeat(bids.first[:-1], size) < np.repeat(won, size))
    by_demand = np.argsort(flow.demand, kind="stable")
    task, vector = _split(
        np.argsort(-grid.demand_point, kind="stable"),
        won,
        bids.member[winners],
        np.searchsorted(flow.demand[by_demand], np.arange(len(grid.demands) + 1)),
        by_demand,
        np.maximum(flow.taken, 0.0),
        flow.rest,
        flow.vector,
        flow.start,
    )
    return complete(grid, at, stop, _drop_losses(grid, *_place_requests(grid, task, vector)))


def _place_requests(grid: GroupedMarket, task: Int, vector: Int) -> Pairs:
    """Requests (task, vector) to places, without the tasks that a request of which stays unmet."""
    market, supply = grid.market, grid.supply
    request = np.argsort(vector * market.tasks + task, kind="stable")
    task, vector = task[request], vector[request]
    new = np.append(True, (task[1:] != task[:-1]) | (vector[1:] != vector[:-1]))
    place = np.arange(task.size)
    turn = place - np.maximum.accumulate(np.where(new, place, 0))  # how many of this vector the task has already
    request = np.lexsort((task, turn, vector))
    task, vector = task[request], vector[request]

    customers = np.bincount(vector[turn[request] == 0], minlength=len(grid.vectors))
    slots = np.minimum(market.slots[supply.member], np.repeat(customers, np.diff(supply.first)))
    total = np.concatenate(([0], np.cumsum(slots)))
    begin = np.searchsorted(vector, np.arange(len(grid.vectors)))
    wanted = np.arange(task.size) - begin[vector] + total[supply.first[vector]]
    at = np.searchsorted(total, wanted, side="right") - 1
    unmet = wanted >= total[supply.first[vector + 1]]

    pair = np.argsort(task * max(market.providers, 1) + at, kind="stable")
    twice = (task[pair][1:] == task[pair][:-1]) & (at[pair][1:] == at[pair][:-1])
    loses = np.zeros(market.tasks, dtype=bool)
    loses[task[unmet]] = True
    loses[task[pair][1:][twice]] = True
    kept = ~loses[task]
    return task[kept], at[kept]


def _drop_losses(grid: GroupedMarket, task: Int, at: Int) -> Pairs:
    """Without the tasks whose slots cost at least their bid."""
    spent = np.zeros(grid.market.tasks, dtype=np.int64)
    np.add.at(spent, task, grid.supply.amount[at])
    kept = (spent < grid.market.net_bid)[task]
    return task[kept], at[kept]


def complete(grid: GroupedMarket, at: DualPoint, stop: Stop, pairs: Pairs = NOBODY) -> Allocation:
    """Serve tasks that have nothing yet with slots that are left, as long as somebody gains.

    Tasks in descending surplus b_i - f(C_i) take a cheapest cover and win if its slots cost less than their bid. In the
    first pass slots cost their price if that is more, so that they go where they are worth most; then their own cost.
    Where covers fail because they repeat a vector of which too few providers are left, exact 0/1 covers come last.
    """
    market, supply = grid.market, grid.supply
    left = market.slots[supply.member] - np.bincount(pairs[1], minlength=market.providers)
    waiting = market.net_bid > 0
    waiting[pairs[0]] = False
    found = [pairs]
    whole = grid.reading == "whole"
    for number in range(PASSES):
        floor = at.price if number == 0 else np.zeros_like(at.price)
        queue = _queue(grid, waiting, _asks(grid, left, floor))
        before = len(found)
        for chunk in turns(queue, CHUNKS, stop):
            _, slot = covers(grid, _asks(grid, left, floor))
            points, bid = grid.demand_point[grid.demand_of[chunk]], market.net_bid[chunk]
            curve = supply.first, supply.amount
            won = take_covers(chunk, points, bid, grid.shape, grid.vectors, slot, *curve, left, whole)
            waiting[won[0]] = False
            found += [won] if won[0].size else []
        if stop.now or (number and len(found) == before):
            break
    if not stop.now:
        queue = _queue(grid, waiting, _asks(grid, left, np.zeros_like(at.price)))[:EXACT]
        arrays = market.demand, market.net_bid, grid.vectors, supply.first, supply.amount, left
        for chunk in turns(queue, EXACT // EXACT_AT_ONCE, stop):
            found.append(serve_exactly(chunk, *arrays, whole, UNINTERRUPTED))
    task, place = (np.concatenate(part) for part in zip(*found, strict=True))
    return Allocation.of(task, supply.member[place])


def turns(queue: Int, count: int, stop: Stop) -> Iterator[Int]:
    """The tasks in so many groups, as long as there is time."""
    for group in np.array_split(queue, min(count, queue.size) or 1):
        if stop.now:
            return
        yield group


def _queue(grid: GroupedMarket, waiting: NDArray[np.bool_], asks: Int) -> Int:
    """The waiting tasks that covers at these prices leave a surplus, the largest first."""
    cover, _ = covers(grid, asks)
    surplus = grid.market.net_bid - cover[grid.demand_point][grid.demand_of]
    queue = np.flatnonzero(waiting & (surplus > 0))
    return queue[np.argsort(-surplus[queue], kind="stable")]


def _asks(grid: GroupedMarket, left: Int, floor: Int) -> Int:
    """(V,) the cost of the cheapest slot left of each vector, at least ``floor``; ``dearest`` where none is left."""
    return np.maximum(heads(grid.supply.first, grid.supply.amount, left, grid.dearest), floor)


@njit("i8[::1](i8[::1], i8[::1], i8[::1], i8)", cache=True, nogil=True)
def heads(first, cost, left, dearest):
    """(V,) the first amount in each group of which a slot is left, at most ``dearest``; that where none is."""
    head = np.full(first.size - 1, dearest)
    for v in range(head.size):
        for place in range(first[v], first[v + 1]):
            if left[place] > 0:
                head[v] = min(cost[place], dearest)
                break
    return head


_INT = "i8[::1]"


@njit(
    f"Tuple(({_INT}, {_INT}))({_INT}, {_INT}, {_INT}, {_INT}, {_INT}, f8[::1], {_INT}, {_INT}, {_INT})",
    cache=True,
    nogil=True,
)
def _split(order, won, winners, first, steps, taken, rest, vector, start):
    """Send the winners of each demand along its steps, ``steps[first[d]:first[d + 1]]``, larger demands first.

    Quotas are differences of rounded cumulative shares, so they add up; a demand without flow ends its tasks' cover.
    """
    head = np.full(won.size, -1)  # linked lists of the tasks that stand at each demand, as places among the winners
    count = won.copy()
    following = np.full(winners.size, -1)
    place = winners.size
    for d in range(won.size - 1, -1, -1):
        for _ in range(won[d]):
            place -= 1
            following[place] = head[d]
            head[d] = place
    task = np.empty(4 * winners.size + 64, dtype=np.int64)
    asked = np.empty_like(task)
    complete = np.ones(winners.size, dtype=np.bool_)
    owner = np.empty_like(task)
    size = 0
    for d in order:
        total = 0.0
        for s in steps[first[d] : first[d + 1]]:
            total += taken[s]
        share = 0.0
        sent = 0
        for s in steps[first[d] : first[d + 1]]:
            if total <= 0.0:
                break
            share += taken[s]
            quota = int(np.rint(share / total * count[d]))
            while sent < quota:
                sent += 1
                place = head[d]
                head[d] = following[place]
                for v in vector[start[s] : start[s + 1]]:
                    if size == task.size:
                        task = np.concatenate((task, np.empty_like(task)))
                        asked = np.concatenate((asked, np.empty_like(asked)))
                        owner = np.concatenate((owner, np.empty_like(owner)))
                    task[size] = winners[place]
                    asked[size] = v
                    owner[size] = place
                    size += 1
                if rest[s] >= 0:
                    following[place] = head[rest[s]]
                    head[rest[s]] = place
                    count[rest[s]] += 1
        while head[d] >= 0:
            complete[head[d]] = False
            head[d] = following[head[d]]
    kept = np.array([complete[place] for place in owner[:size]], dtype=np.bool_)
    return task[:size][kept], asked[:size][kept]


@njit(
    f"Tuple(({_INT}, {_INT}))({_INT}, {_INT}, {_INT}, {_INT}, i8[:, ::1], {_INT}, {_INT}, {_INT}, {_INT}, b1)",
    cache=True,
    nogil=True,
)
def take_covers(tasks, points, bid, shape, vectors, slot, first, cost, left, whole):
    """Each task takes the slots of its cheapest cover, the cheapest left of distinct providers; updates ``left``."""
    won = np.empty(2 * tasks.size + 64, dtype=np.int64)
    at = np.empty_like(won)
    size = 0
    head = first[:-1].copy()
    q = np.empty(shape.size, dtype=np.int64)
    for t in range(tasks.size):
        point = points[t]
        taken = 0
        paid = 0
        for k in range(shape.size - 1, -1, -1):
            q[k] = point % shape[k]
            point //= shape[k]
        point = points[t]
        while point > 0 and slot[point] >= 0 and paid < bid[t]:
            v = slot[point]
            while head[v] < first[v + 1] and left[head[v]] == 0:
                head[v] += 1
            place = head[v]
            for a in range(size, size + taken):
                if first[v] <= at[a] < first[v + 1]:
                    place = max(place, at[a] + 1)
            while place < first[v + 1] and left[place] == 0:
                place += 1
            if place == first[v + 1]:
                break
            if size + taken == won.size:
                won = np.concatenate((won, np.empty_like(won)))
                at = np.concatenate((at, np.empty_like(at)))
            won[size + taken] = tasks[t]
            at[size + taken] = place
            taken += 1
            paid += cost[place]
            point = 0
            for k in range(shape.size):
                q[k] = 0 if whole else max(q[k] - vectors[v, k], 0)
                point = point * shape[k] + q[k]
        if point == 0 and paid < bid[t]:
            for a in range(size, size + taken):
                left[at[a]] -= 1
            size += taken
    return won[:size].copy(), at[:size].copy()
