"""Good allocations from a pool of columns: diving, then searches of large neighbourhoods."""

import numpy as np

from auction.market import Int
from auction.search import Stop
from auction.solvers.column_generation.branching import branch_and_bound
from auction.solvers.column_generation.columns import Pool, join, nearest, price_columns
from auction.solvers.column_generation.packing import pack
from auction.solvers.column_generation.relaxation import solve_relaxation

COLUMNS = 2_000  # of least slack, from which allocations are built
FREED = (20, 30, 40)  # tasks that a neighbourhood frees
NODES = 1.5  # of its search, a task freed
PATIENCE = 20  # neighbourhoods of one size in a row that may bring nothing
FIRST, GROWTH = 200, 1.25  # tasks freed where neighbourhoods are packed, and how that grows and shrinks
FRUITLESS, LAST = 6, 60  # of these in a row before it grows, and before the search ends
SECONDS = 1.0  # for one of these
CLOSE = 1e-4  # gap at which one is solved well enough


def improve_from_pool(pool: Pool, price: Int, best: Pool, stop: Stop) -> Pool:
    """Columns that fit together and are worth no less than ``best``.

    A dive, then neighbourhoods: random tasks lose their providers, and the columns that fit what the others leave are
    searched.

    Args:
        pool: columns to choose from; those of least slack at ``price`` are.
        price: of all rows but the tasks'.
    """
    pool = nearest(pool, price, COLUMNS)
    best = max(best, _dive(pool, price, stop), key=_worth)
    rng = np.random.default_rng(0)
    for size in FREED:
        idle = 0
        while idle < PATIENCE and not stop.now:
            order = rng.permutation(best.profit.size)
            old, kept = best.only(order[:size]), best.only(order[size:])
            rest = pool.after(kept)
            bound, slack = price_columns(rest, price)
            new, _, _ = branch_and_bound(rest, slack, bound, 0, old, 0.0, stop, NODES * size, afresh=True)
            idle = 0 if _worth(new) > _worth(old) else idle + 1
            best = join(kept, new)
            if not kept.profit.size:
                return best
    return best


def improve_by_packing(pool: Pool, best: Pool, enough: int, stop: Stop) -> Pool:
    """Columns that fit together and are worth no less than ``best``, until they are worth ``enough``.

    Neighbourhoods as above, packed by an integer programme each: more tasks are freed where so many bring nothing
    further, fewer where time is over first (Shaw 1998). Pools of ten thousand columns are too large to be packed whole.

    Args:
        pool: columns to choose from, those of ``best`` among them.
    """
    rng, size, idle, fruitless = np.random.default_rng(0), float(FIRST), 0, 0
    tasks = np.unique(pool.task)
    while not stop.now and _worth(best) < enough and fruitless < LAST:
        freed = rng.permutation(tasks)[: round(size)]
        mine = np.isin(best.task, freed)
        kept, old = best.only(np.flatnonzero(~mine)), best.only(np.flatnonzero(mine))
        rest = pool.only(np.flatnonzero(np.isin(pool.task, freed))).after(kept)
        limit = Stop(min(SECONDS, stop.remaining() or SECONDS))
        stop.on_interrupt(limit.interrupt)
        new = pack(rest, old, CLOSE, limit)
        better = _worth(new) > _worth(old)
        idle, fruitless = (0, 0) if better else (idle + 1, fruitless + 1)
        best = join(kept, new)
        if better:
            continue
        if limit.now:
            size /= GROWTH
        elif freed.size == tasks.size:
            return best
        elif idle >= FRUITLESS:
            size, idle = size * GROWTH, 0
    return best


def _worth(pool: Pool) -> int:
    return int(pool.profit.sum())


def _dive(pool: Pool, price: Int, stop: Stop) -> Pool:
    """The relaxation solved again and again, each time its columns of 1 and the largest others fixed."""
    taken = pool.only(np.zeros(0, dtype=np.int64))
    while pool.profit.size:
        _, slack = price_columns(pool, price)
        solution = solve_relaxation(pool, slack, stop)
        if solution is None or not solution.used.size:
            break
        used, x = solution.used, solution.x
        order = np.argsort(-x, kind="stable")
        certain = int((x > 1 - 1e-6).sum())
        chosen = pool.only(pool.fitting(used[order[: certain + max(1, (x.size - certain) // 20)]]))
        pool, taken = pool.after(chosen), join(taken, chosen)
    return taken
