"""Columns near good prices, their master, and a dive: for thousands of tasks of few of many types.

Covers that are cheapest at shaken prices are most of what a fractional optimum needs; a few rounds of pricing add the
rest. The dive fixes the largest columns, prices the others anew for what is left, and solves again.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from auction.allocation import Allocation
from auction.market import Float, Int
from auction.search import Stop
from auction.solvers._covering import ANY_NODES
from auction.solvers._exact import dot
from auction.solvers._support_prices.dual import DualPoint, evaluate
from auction.solvers._support_prices.grid import Grid
from auction.solvers._support_prices.serving import Covers, cheapest_covers, serve
from auction.solvers._time import flag_of, half_of, with_grace
from auction.solvers.column_generation.columns import Pool
from auction.solvers.column_generation.master import PRIMAL, RestrictedMaster
from auction.solvers.column_generation.primal import improve_by_packing
from auction.welfare import welfare

ROWS = 10_000  # tasks and slots of a master at most
LISTS, NOISE = 8, 0.01  # shaken prices whose covers are columns from the start
FEW = 50  # nodes of the search for a cover that need not be the cheapest
ONCE = 1 << 14  # points of the box of each support up to which the bound lets no cover repeat a slot
TOLERANCE = 3e-4  # of the bound: between it and the master
SMOOTHING = 0.7  # weight of the best prices so far in the prices tried
CLOSE = 5e-4  # gap of the packing of whole columns
FIXED = 6  # one in so many fractional columns is fixed at a time


def pack_columns(
    grid: Grid, at: DualPoint, allocation: Allocation, rng: np.random.Generator, stop: Stop
) -> tuple[DualPoint, Allocation]:
    """Better prices by column generation from these, and the allocation that a dive finds.

    Args:
        grid: both sides.
        at: prices to start from.
        allocation: its columns are in the master.
        rng: shakes prices.
        stop: the master is solved no more; what it has fixed is completed.

    Returns:
        the prices of the lower bound that a certificate of theirs proves, where boxes are wide by repeated covers: what
        few nodes prove of others takes too long to derive again; and the allocation.
    """
    with flag_of(stop) as flag:
        master, known, proven = _Columns(grid, stop), Covers.of(grid), at
        at = _generate(grid, master, known, at, allocation, rng, stop, flag)
        proven = min(proven, evaluate(grid, at.price, stop), key=lambda one: one.value) if grid.wide else at
        stop.report(bound=proven.value)
        best = max(allocation, _dive(grid, master, known, at, stop, flag), key=lambda one: welfare(grid.market, one))
    stop.report(welfare=welfare(grid.market, best))
    if not stop.now:
        best = max(best, _choose(grid, master, at, best, stop), key=lambda one: welfare(grid.market, one))
    return proven, best


def _generate(
    grid: Grid,
    master: "_Columns",
    known: Covers,
    at: DualPoint,
    allocation: Allocation,
    rng: np.random.Generator,
    stop: Stop,
    flag: Int,
) -> DualPoint:
    """Columns of cheapest covers at shaken prices, then at the master's own, smoothed or not; the best prices."""
    master.add(*_places(grid, allocation))
    tried, task, slot = respond_once(grid, at.price, known, flag, stop)
    at = tried if tried.value <= at.value else at
    master.add(task, slot)
    everyone = np.arange(grid.supports.bid.size)
    for _ in range(LISTS):
        if stop.now:
            break
        price = np.rint(at.price * np.exp(NOISE * rng.standard_normal(at.price.size))).astype(np.int64)
        master.add(*cheapest_covers(grid, everyone, price, grid.offers.slots, known, FEW, flag))
    half = half_of(stop)
    while not half.now and (solution := master.solve(half)) is not None:
        value, price, _ = solution
        if at.value - value <= TOLERANCE * at.value:
            break
        smoothed = np.rint(SMOOTHING * at.price + (1 - SMOOTHING) * price).astype(np.int64)
        new = 0
        for tried, task, slot in (respond_once(grid, asks, known, flag, stop) for asks in (smoothed, price)):
            at = min(at, tried, key=lambda one: one.value)
            new += master.add(task, slot)
        if not new:
            break
    return at


def respond_once(grid: Grid, price: Int, known: Covers, flag: Int, stop: Stop) -> tuple[DualPoint, Int, Int]:
    """The dual at prices, and the pairs of cheapest covers that repeat no slot.

    The dual is that of such covers too, but where boxes are large or the flag is raised: then covers may repeat. Where
    boxes are wide it is what few nodes prove of such covers, in a fraction of the time.
    """
    supports, offers = grid.supports, grid.offers
    small = grid.largest <= ONCE
    nodes = ANY_NODES if small else FEW
    task, slot = cheapest_covers(grid, np.arange(supports.bid.size), price, offers.slots, known, nodes, flag)
    if not grid.wide and (not small or flag[0] != 0):
        return evaluate(grid, price, stop), task, slot
    value = int((supports.bid - known.lower).sum()) + dot(offers.slots, price - offers.cost)
    return DualPoint(value, price, known.lower.copy(), False), task, slot


def _dive(grid: Grid, master: "_Columns", known: Covers, at: DualPoint, stop: Stop, flag: Int) -> Allocation:
    supports, offers = grid.supports, grid.offers
    left, waiting = offers.slots.copy(), np.ones(supports.bid.size, dtype=bool)
    fixed: list[int] = []
    while not stop.now and (solution := master.solve()) is not None:
        _, price, x = solution
        x[fixed] = 0
        order = np.argsort(-x, kind="stable")[: int((x > 1e-6).sum())]
        certain = int((x > 1 - 1e-6).sum())
        chosen = master.fitting(order[: certain + -(-(order.size - certain) // FIXED)].tolist(), waiting, left)
        if not chosen:
            break
        master.fix(chosen)
        fixed += chosen
        master.add(*cheapest_covers(grid, np.flatnonzero(waiting), price, left, known, FEW, flag))
    return _completed(grid, master.pairs(fixed), at, stop)


def _completed(grid: Grid, taken: tuple[Int, Int], at: DualPoint, stop: Stop) -> Allocation:
    """Pairs taken, and covers of other tasks by what is left: in descending surplus at the prices, then at costs."""
    supports, offers = grid.supports, grid.offers
    waiting, left = np.ones(supports.bid.size, dtype=bool), offers.slots.copy()
    waiting[taken[0]] = False
    np.subtract.at(left, taken[1], 1)
    won = [taken]
    for amount, ask in ((supports.bid - at.cover, at.price), (supports.bid, offers.cost)):
        order = np.argsort(-amount, kind="stable")
        won.append(serve(grid, order[waiting[order]], ask, left, at.cover, with_grace(stop)))
        waiting[won[-1][0]] = False
    task, slot = (np.concatenate(part) for part in zip(*won, strict=True))
    return Allocation.of(supports.task[task], offers.provider[slot])


def _choose(grid: Grid, master: "_Columns", at: DualPoint, best: Allocation, stop: Stop) -> Allocation:
    """A better packing of columns that could be in a better one than ``best``, completed."""
    places = _places(grid, best)
    master.add(*places)
    pool, of_best = master.pool(at, at.value - welfare(grid.market, best), _keys(*places))
    enough = int(at.value * (1 - CLOSE))
    packed = improve_by_packing(pool, of_best, enough, stop)
    task = np.repeat(packed.task, np.diff(packed.A.indptr))
    pair = packed.A.indices >= packed.tasks
    return _completed(grid, (task[pair], packed.A.indices[pair].astype(np.int64) - packed.tasks), at, stop)


def _places(grid: Grid, allocation: Allocation) -> tuple[Int, Int]:
    """An allocation's pairs by place in the grid, task by task."""
    place = np.argsort(grid.supports.task, kind="stable")
    task = place[np.searchsorted(grid.supports.task[place], allocation.task)]
    order = np.argsort(task, kind="stable")
    return task[order], np.searchsorted(grid.offers.provider, allocation.provider)[order]


class _Columns:
    """A task and its slots each, in a master with a row for each task and each provider."""

    def __init__(self, grid: Grid, stop: Stop) -> None:
        self._grid = grid
        self._limit = np.concatenate((np.ones_like(grid.supports.bid), grid.offers.slots))
        self._master = RestrictedMaster(self._limit, max(1, int(grid.supports.bid.max()) // 1000), stop)
        self._known: set[tuple[int, ...]] = set()
        self._column: list[tuple[int, ...]] = []  # the task, then its slots

    def add(self, task: Int, slot: Int) -> int:
        """Columns of pairs, task by task; how many are new."""
        new = [one for one in dict.fromkeys(_keys(task, slot)) if one not in self._known]
        self._column += new
        self._known.update(new)
        if new:
            pool = self._pool(new)
            self._master.add_columns(pool.A, pool.profit)
        return len(new)

    def _pool(self, columns: list[tuple[int, ...]]) -> Pool:
        bid, cost = self._grid.supports.bid, self._grid.offers.cost
        rows = np.array([row for i, *slots in columns for row in (i, *(bid.size + j for j in slots))])
        ends = np.cumsum([0] + [len(one) for one in columns])
        profit = np.array([bid[i] - cost[slots].sum() for i, *slots in columns])
        A = sparse.csc_array((np.ones(rows.size, dtype=np.int64), rows, ends), (self._limit.size, len(columns)))
        return Pool(A, profit, self._limit, bid.size, self._limit.size)

    def solve(self, sooner: Stop | None = None) -> tuple[float, Int, Float] | None:
        """Value of the master, what a slot of each provider costs at its prices, and the columns' shares."""
        if (solution := self._master.solve(PRIMAL, sooner)) is None:
            return None
        value, dual, x = solution
        premium = np.rint(dual[self._grid.supports.bid.size :]).astype(np.int64)
        return value, np.minimum(self._grid.offers.cost + premium, self._grid.supports.bid.max()), x

    def fitting(self, columns: Iterable[int], waiting: NDArray[np.bool_], left: Int) -> list[int]:
        """Those taken in order while they fit; their tasks wait no longer, their slots are no longer left."""
        taken = []
        for c in columns:
            task, *slots = self._column[c]
            if waiting[task] and (left[slots] > 0).all():
                waiting[task] = False
                left[slots] -= 1
                taken.append(c)
        return taken

    def fix(self, columns: list[int]) -> None:
        self._master.fix(np.array(columns))

    def pool(self, at: DualPoint, gap: int, best: list[tuple[int, ...]]) -> tuple[Pool, Pool]:
        """Columns that fall short of the prices by less than a gap, with those of an allocation, and these alone."""
        own, price = set(best), at.price
        kept = [one for one in self._column if one in own or price[list(one[1:])].sum() - at.cover[one[0]] < gap]
        pool = self._pool(kept)
        return pool, pool.only(np.array([c for c, one in enumerate(kept) if one in own], dtype=np.int64))

    def pairs(self, columns: list[int]) -> tuple[Int, Int]:
        """Tasks and slots of columns."""
        both = [(self._column[c][0], j) for c in columns for j in self._column[c][1:]]
        task, slot = np.array(both, dtype=np.int64).reshape(-1, 2).T
        return task.copy(), slot.copy()


def _keys(task: Int, slot: Int) -> list[tuple[int, ...]]:
    """Columns of pairs, task by task: the task, then its slots in ascending order."""
    start = np.flatnonzero(np.diff(task, prepend=-1))
    spans = zip(task[start].tolist(), start.tolist(), np.append(start, task.size)[1:].tolist(), strict=True)
    return [(i, *sorted(slot[a:b].tolist())) for i, a, b in spans]
