"""Reading ``whole``, exact and polynomial, at large sizes: a minimum-cost flow through the lattice of demands."""

import os
import subprocess
import sys
from tempfile import TemporaryDirectory

import numpy as np
from numba import njit
from ortools.graph.python import min_cost_flow

from auction.allocation import Allocation
from auction.errors import InputError
from auction.market import Int, Market, Reading
from auction.search import Found, Stop, trivial_bound

READINGS: tuple[Reading, ...] = ("whole",)

LATTICE_LIMIT = 20_000_000  # some 3 GB of arcs
IN_PROCESS_ARCS = 300_000  # solved within a second or so; longer runs go to a process that can be stopped


def solve(market: Market, reading: Reading, stop: Stop, seed: int) -> Found:
    """Maximum-weight bipartite b-matching of tasks to single providers that cover them, weight b_i - c_j.

    Weights separate into task and provider, and coverage is dominance s_j >= C_i; so instead of an arc a pair, flow
    runs source -> provider's point -> ... -> task's point -> sink through the lattice of demands, each point leading
    to the next smaller one in every type: m + n arcs and K a lattice point. The lattice keeps only coordinates that
    some task demands. OR-Tools' cost-scaling solver is exact in integers.

    Cut short, the outcome is empty with the trivial bound.

    Raises:
        InputError: a lattice beyond memory, or amounts too large for the solver's integers.
    """
    bidders = np.flatnonzero(market.net_bid > 0)
    offering = np.flatnonzero((market.slots > 0) & market.resource.any(axis=1))
    if not bidders.size or not offering.size:
        return Found(Allocation.empty(), 0, "optimal")
    demand, resource = market.demand[bidders], market.resource[offering]

    levels = [np.unique(np.append(demand[:, k], 0)) for k in range(market.types)]
    shape = tuple(level.size for level in levels)
    points = int(np.prod(shape, dtype=float))
    if points * market.types > LATTICE_LIMIT:
        raise InputError(
            f"market: its lattice of demands has {points} points in {market.types} types; assignment takes at most "
            f"{LATTICE_LIMIT} points times types"
        )
    below = [np.searchsorted(levels[k], resource[:, k], side="right") - 1 for k in range(market.types)]
    at = [np.searchsorted(levels[k], demand[:, k]) for k in range(market.types)]
    provider_point: Int = np.ravel_multi_index(tuple(below), shape)
    task_point: Int = np.ravel_multi_index(tuple(at), shape)

    source, sink = points, points + 1
    grid: Int = np.arange(points).reshape(shape)
    down: Int = np.full((market.types, points), -1)
    for k in range(market.types):
        down[k].reshape(shape).swapaxes(0, k)[1:] = grid.swapaxes(0, k)[:-1]
    largest = max(int(market.net_bid.max()), int(market.cost[offering].max()))
    if largest * (points + 3) >= 2**62:  # cost scaling multiplies costs by the number of nodes
        raise InputError(
            f"market: amounts of {largest} micro-tokens on a lattice of {points} points are too large for assignment; "
            f"their product must stay below 2^62"
        )
    way, start = np.nonzero(down >= 0)
    flow = min(int(bidders.size), int(np.minimum(market.slots[offering], bidders.size).sum()))
    tail = np.concatenate((np.full(offering.size, source), task_point, start, [source]))
    head = np.concatenate((provider_point, np.full(bidders.size, sink), down[way, start], [sink]))
    lattice = np.full(start.size + 1, flow)  # the last arc lets slots and tasks go unmatched
    capacity = np.concatenate((np.minimum(market.slots[offering], flow), np.ones_like(bidders), lattice))
    cost = np.concatenate((market.cost[offering], -market.net_bid[bidders], np.zeros_like(lattice)))
    flows = _flow(np.stack((tail, head, capacity, cost)), flow, stop)
    if flows is None:
        return Found(Allocation.empty(), trivial_bound(market), "time limit")

    from_provider, to_task, along, _ = np.split(flows, np.cumsum((offering.size, bidders.size, start.size)))
    slots = np.repeat(np.arange(offering.size), from_provider)
    slots = slots[np.argsort(provider_point[slots], kind="stable")]
    winners = np.flatnonzero(to_task)
    winners = winners[np.argsort(task_point[winners], kind="stable")]
    downward = np.zeros_like(down)
    downward[way, start] = along
    matched = _handed_down(
        np.bincount(provider_point[slots], minlength=points),
        offering[slots],
        np.bincount(task_point[winners], minlength=points),
        winners,
        down,
        downward,
    )
    return Found(Allocation.of(bidders[winners], matched), -int((flows * cost).sum()), "optimal")


def _flow(arcs: Int, amount: int, stop: Stop) -> Int | None:
    """Flow on each arc, or None when stopped; the last two nodes are source and sink."""
    if arcs.shape[1] <= IN_PROCESS_ARCS:
        return _minimum_cost_flow(arcs, amount)
    with TemporaryDirectory() as folder:
        np.save(f"{folder}/arcs.npy", arcs)
        code = f"from auction.solvers.assignment import serve; serve({folder!r}, {amount})"
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        with subprocess.Popen([sys.executable, "-c", code], env=environment, start_new_session=True) as child:
            while child.poll() is None:
                if stop.now:
                    child.kill()
                    return None
                stop.wait(0.05)
        if child.returncode:
            raise RuntimeError("the flow solver's process failed; its message is above")
        return np.load(f"{folder}/flow.npy")


def serve(folder: str, amount: int) -> None:
    """The child process's side of ``_flow``: arcs.npy in, flow.npy out."""
    np.save(f"{folder}/flow.npy", _minimum_cost_flow(np.load(f"{folder}/arcs.npy"), amount))


def _minimum_cost_flow(arcs: Int, amount: int) -> Int:
    tail, head, capacity, cost = arcs
    network = min_cost_flow.SimpleMinCostFlow()
    added = network.add_arcs_with_capacity_and_unit_cost(tail, head, capacity, cost)
    network.set_node_supply(int(tail[-1]), amount)
    network.set_node_supply(int(head[-1]), -amount)
    status = network.solve()
    if status != network.OPTIMAL:
        raise RuntimeError(f"the flow solver stopped with {status.name}")
    return network.flows(added)


@njit("i8[::1](i8[::1], i8[::1], i8[::1], i8[::1], i8[:, ::1], i8[:, ::1])", cache=True, nogil=True)
def _handed_down(inflow, provider, served, task, down, used):
    """Follow the flow: slots arriving at a lattice point serve its tasks first, the rest go on to smaller points.

    ``provider`` lists slots by point and ``inflow`` counts them, so do ``task`` and ``served``; ``down[k]`` is the
    point next below in type k (-1: none) and ``used[k]`` the flow that takes that way. Points are visited from the
    largest index down: every way down leads to a smaller one.
    """
    points, types = inflow.size, down.shape[0]
    first = np.full(points, -1)  # linked lists of the slots waiting at each point
    following = np.full(provider.size, -1)
    slot = 0
    for point in range(points):
        for _ in range(inflow[point]):
            following[slot] = first[point]
            first[point] = slot
            slot += 1
    matched = np.empty(task.size, dtype=np.int64)
    last = task.size
    for point in range(points - 1, -1, -1):
        for place in range(last - served[point], last):
            matched[place] = provider[first[point]]
            first[point] = following[first[point]]
        last -= served[point]
        for k in range(types):
            for _ in range(used[k, point]):
                slot = first[point]
                first[point] = following[slot]
                following[slot] = first[down[k, point]]
                first[down[k, point]] = slot
    return matched
