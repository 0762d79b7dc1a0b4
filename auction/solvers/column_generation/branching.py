"""Branch and bound over a pool of columns, best bound first, every node's bound re-derived in exact integers."""

import heapq
import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from auction.market import Float, Int
from auction.search import Stop
from auction.solvers._time import flag_of
from auction.solvers.column_generation.columns import Pool, price_finely
from auction.solvers.column_generation.local_search import LONG, improve_by_swaps
from auction.solvers.column_generation.relaxation import Basis, Relaxation

PLUNGES = 8  # side by side
DECIDED = 1e-3  # from 0 and 1
PATIENCE, SEEDS = 40, 2  # nodes of single-minded bids before local searches that are long, and how many these are
BONUSES = 2**60  # of a node together at most
Pair = tuple[int, int]  # of a task and a provider
Falls = Mapping[Pair, Sequence[float]]  # of bounds, each time that a pair was tried


class Trials(NamedTuple):
    """What is done to choose the pair that a node is branched on (Achterberg, Koch, Martin 2005)."""

    pairs: int  # whose children are looked at
    steps: int  # of the simplex method, for each of these
    reliable: int  # times that a pair is tried: then it is known how far bounds fall


FEW = Trials(16, 25, 4)
MANY = Trials(200, 40, 1)  # of single-minded bids, whose pairs are columns: more of them, each looked at once
NONE = Trials(1, 0, 0)


@dataclass(frozen=True)
class Node:
    """The allocations of some columns that serve some tasks."""

    bound: int  # nothing in it is worth more
    column: Int  # indices into the pool
    slack: Int  # an allocation that uses the column is worth at most bound - slack
    bonus: Int  # (tasks,) added to every column of a task that must be served, and taken off the bound; else 0
    basis: Basis | None = None  # of the node above it

    def only(self, kept: NDArray[np.bool_]) -> "Node":
        return replace(self, column=self.column[kept], slack=self.slack[kept])

    def above(self, lower: int) -> "Node":
        """Without the columns that no allocation worth more than ``lower`` uses."""
        return self.only(self.slack < self.bound - lower)


@dataclass(frozen=True)
class Explored:
    """What came of a node."""

    better: Pool | None  # than what was known when it was taken
    children: tuple[Node, Node] | None = None
    """Without its pair, and that must serve it; None where nothing of interest is left."""
    tried: Mapping[Pair, float] = field(default_factory=dict)
    """By how much the bounds of both children of a pair fell, multiplied."""


def branch_and_bound(
    pool: Pool,
    slack: Int,
    bound: int,
    outside: int,
    best: Pool,
    gap: float,
    stop: Stop,
    limit: float = math.inf,
    afresh: bool = False,
    tell: bool = False,
) -> tuple[Pool, int, int]:
    """The best columns that fit together, what nothing in or out of the pool is worth more than, and the nodes taken.

    Best bound first, but from each such node it plunges: on to the child that must serve its pair, until that holds
    nothing of interest. ``PLUNGES`` plunge side by side, each with a relaxation of its own, and wait for each other at
    every node, so that the same is found however many processors there are and however fast. Of single-minded bids
    good allocations come from local search, and the bound is what is wanting: none plunges.

    Args:
        slack, bound: an allocation that uses column c is worth at most bound - slack_c.
        outside: what allocations that need other columns are worth at most; below it nothing is searched.
        best: columns that fit together, kept where the pool holds nothing better.
        gap: stop once (bound - worth) / bound is at most this.
        limit: stop after so many nodes.
        afresh: one node is taken at a time, its relaxation solved from nothing and no pair tried: vertices that owe
            nothing to the last one are rounded to better allocations, if that is what is sought.
        tell: report welfare and bound to the stop as they change; only where ``outside`` holds for all that is not in
            the pool.
    """
    order = count(1)  # of equal bounds, the first made is the first explored
    lower, swaps = int(best.profit.sum()), pool.is_single_minded and not afresh
    gainful = np.flatnonzero(pool.profit > 0)
    heap = [(-bound, 0, Node(bound, gainful, slack[gainful], np.zeros(pool.tasks, dtype=np.int64)))]
    plunging: list[Node | None] = [None] * (1 if afresh else PLUNGES)
    relaxations, nodes = [Relaxation(pool, stop) for _ in plunging], 0
    falls: dict[Pair, list[float]] = {}
    with ThreadPoolExecutor(min(PLUNGES, os.cpu_count() or 1)) as threads:
        while (upper := _upper(heap, plunging)) > max(lower, outside) and upper - lower > upper * gap:
            if tell:
                stop.report(welfare=lower, bound=upper)
            if nodes >= limit or stop.now:
                break
            plunging = [node or (heapq.heappop(heap)[2] if heap else None) for node in plunging]
            taken = [at for at, node in enumerate(plunging) if node is not None]
            nodes += len(taken)
            if afresh:
                relaxations = [Relaxation(pool, stop) for _ in plunging]
            explore = partial(_explore, pool, falls, lower=lower, outside=outside, afresh=afresh)
            parts = [plunging[at] for at in taken], [relaxations[at] for at in taken]
            explored = list(threads.map(explore, *parts) if len(taken) > 1 else map(explore, *parts))
            for at, found in zip(taken, explored, strict=True):
                if found is None:  # the node stays open
                    continue
                plunging[at] = None
                for pair, fall in found.tried.items():
                    falls.setdefault(pair, []).append(fall)
                if found.better is not None and (worth := int(found.better.profit.sum())) > lower:
                    best, lower = found.better, worth
                if found.children is not None:
                    without, must = found.children
                    plunging[at] = None if swaps else must
                    for child in (without,) if plunging[at] else (without, must):
                        heapq.heappush(heap, (-child.bound, next(order), child))
            if None in explored:  # stopped
                break
            if swaps and nodes - len(taken) < PATIENCE <= nodes:
                best = max(best, *_swapped(pool, stop, threads), key=lambda packing: int(packing.profit.sum()))
                lower = int(best.profit.sum())
    return best, max(lower, outside, _upper(heap, plunging)), nodes


def _swapped(pool: Pool, stop: Stop, threads: ThreadPoolExecutor) -> list[Pool]:
    """Packings of long local searches that begin with nothing."""
    nothing = np.zeros(0, dtype=np.int64)
    with flag_of(stop) as flag:
        found = threads.map(lambda seed: improve_by_swaps(pool, nothing, LONG, seed, flag), range(SEEDS))
        return [pool.only(columns) for columns in found]


def _upper(heap: list[tuple[int, int, Node]], plunging: list[Node | None]) -> int:
    """What nothing in open nodes is worth more than."""
    return max([0, *(-bound for bound, *_ in heap[:1]), *(node.bound for node in plunging if node is not None)])


def _explore(
    pool: Pool, falls: Falls, node: Node, relaxation: Relaxation, lower: int, outside: int, afresh: bool
) -> Explored | None:
    """A node's relaxation, rounded, and its children; None when stopped."""
    floor, better = max(lower, outside), None
    node = node.above(floor)
    bonus = node.bonus[pool.task[node.column]]
    part = pool.only(node.column)
    part = replace(part, profit=part.profit + bonus)
    basis = None if afresh else node.basis
    if (solution := relaxation.solve(node.column, node.bonus, node.slack, basis)) is None:
        return None
    used, x = solution.used, solution.x
    near = np.argsort(node.slack, kind="stable")[: 4 * part.tasks]
    fit = part.fitting(np.concatenate((used[np.argsort(-x, kind="stable")], near)))
    fit = node.column[fit]
    fit = improve_by_swaps(pool, fit, seed=node.bound) if pool.is_single_minded and not afresh else fit
    if (worth := int(pool.profit[fit].sum())) > lower:
        better, floor = pool.only(fit), max(worth, outside)
    bound, slack = price_finely(part, solution.dual)
    bound -= int(node.bonus.sum())
    worse = max(0, bound - node.bound)
    node = replace(node, bound=bound - worse, slack=slack - worse, basis=solution.basis)
    if node.bound <= floor:
        return Explored(better)
    rest = node.above(floor)
    if rest.column.size <= pool.tasks and (whole := pool.only(rest.column)).fits():
        known = lower if better is None else worth
        return Explored(whole if int(whole.profit.sum()) > known else better)
    z = _over_pairs(pool, node.column[used], x)
    trials = NONE if afresh else MANY if pool.is_single_minded else FEW
    pair, tried = _strongest(pool, z, relaxation, trials, falls)
    return Explored(better, _children(pool, rest, z, pair, floor), tried)


def _children(pool: Pool, node: Node, z: Float, pair: Pair, floor: int) -> tuple[Node, Node] | None:
    """A provider is kept from a task, or must serve it.

    Each child has fewer columns or one more task that must be served. None where all is decided: the node's columns
    are one allocation, which does not fit.
    """
    i, j = pair
    kept_from, must_serve = _lost(pool, node.column, i, j)
    if not 1e-6 < z[i, j] < 1 - 1e-6 or (node.bonus[i] > 0 and not must_serve.any()):  # floats hide what is left
        count, size = _over_pairs(pool, node.column), np.bincount(pool.task[node.column], minlength=pool.tasks)
        undecided = (count > 0) & ((count < size[:, None]) | (node.bonus == 0)[:, None])
        if not undecided.any():
            return None
        i, j = divmod(int(np.argmin(np.where(undecided, np.abs(z - 0.5), np.inf))), z.shape[1])
        kept_from, must_serve = _lost(pool, node.column, i, j)
    bonus = node.bonus.copy()
    bonus[i] = 0  # then so much that an allocation without i is worth less than ``floor``, unless sums would not fit
    bonus[i] = max(1, min(node.bound - floor + int(pool.profit.max()), BONUSES - int(bonus.sum())))
    return node.only(~kept_from), replace(node.only(~must_serve), bonus=bonus)


def _strongest(
    pool: Pool, z: Float, relaxation: Relaxation, trials: Trials, falls: Falls
) -> tuple[Pair, Mapping[Pair, float]]:
    """Of the pairs about which z is least decided, that of whose two children the bounds fall most; those tried for it.

    A few steps of the simplex method tell how far they fall, or what they told before; of three types the tree has a
    third to a thirtieth of the nodes.
    """
    far = np.abs(z - 0.5).ravel()
    undecided = np.flatnonzero(far < 0.5 - DECIDED)
    nearest = undecided[np.argsort(far[undecided], kind="stable")[: trials.pairs]]
    pairs = [divmod(int(pair), z.shape[1]) for pair in nearest]
    if len(pairs) < 2:
        return divmod(int(np.argmin(far)), z.shape[1]), {}
    every, tried, known = np.arange(pool.profit.size), dict[Pair, float](), dict[Pair, float]()
    for pair in pairs:
        if len(before := falls.get(pair, ())) < trials.reliable:
            tried[pair] = math.prod(relaxation.fall(lost, trials.steps) for lost in _lost(pool, every, *pair))
        else:
            known[pair] = math.exp(math.fsum(map(math.log, before)) / len(before))
    return max(pairs, key=(tried | known).__getitem__), tried


def _lost(pool: Pool, column: Int, i: int, j: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which of the columns are none where provider j is kept from task i, and where it must serve it."""
    mine, with_j = pool.task[column] == i, pool.uses(column, pool.tasks + j)
    return mine & with_j, mine & ~with_j | with_j & ~mine & (pool.limit[pool.tasks + j] == 1)


def _over_pairs(pool: Pool, column: Int, weight: Float | float = 1.0) -> Float:
    """(tasks, providers) the weights of the columns with each pair."""
    A = pool.A[: pool.base, column]
    of = np.repeat(np.arange(column.size), np.diff(A.indptr))
    total = np.zeros((pool.tasks, pool.base))
    np.add.at(total, (pool.task[column][of], A.indices), np.broadcast_to(weight, column.size)[of])
    return total[:, pool.tasks :]
