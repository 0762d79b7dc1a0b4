"""Subset-row cuts: violated by the fraction they are made for, kept by every integer point."""

from itertools import chain, combinations

import numpy as np
from scipy import sparse

from auction.solvers._time import NEVER_RAISED
from auction.solvers.column_generation.columns import Pool
from auction.solvers.column_generation.cuts import add_cuts, drop_idle_cuts


def drawn_pool(seed):
    """Up to 3 tasks with columns of 1 to 3 of 5 providers, each of 1 to 3 slots."""
    rng = np.random.default_rng(seed)
    tasks, providers = 3, 5
    columns = sorted(
        {(int(rng.integers(tasks)), *sorted(rng.choice(providers, rng.integers(1, 4), replace=False).tolist()))
         for _ in range(9)}
    )  # fmt: skip
    A = np.zeros((tasks + providers, len(columns)), dtype=np.int64)
    for c, (task, *chosen) in enumerate(columns):
        A[[task, *(tasks + j for j in chosen)], c] = 1
    limit = np.concatenate((np.ones(tasks, dtype=np.int64), rng.integers(1, 4, providers)))
    return Pool(sparse.csc_array(A), np.ones(len(columns), dtype=np.int64), limit, tasks, tasks + providers), rng


def integer_points(pool):
    """Every set of columns within the limits of tasks and providers, by Python's integers."""
    A, limit = pool.A[: pool.base].toarray().tolist(), pool.limit[: pool.base].tolist()
    count = pool.profit.size
    subsets = chain.from_iterable(combinations(range(count), size) for size in range(count + 1))
    return [s for s in subsets if all(sum(row[c] for c in s) <= most for row, most in zip(A, limit, strict=True))]


def test_every_integer_point_keeps_every_cut():
    cuts = 0
    for seed in range(40):
        pool, rng = drawn_pool(seed)
        x = rng.uniform(0.3, 0.7, pool.profit.size)
        cut = add_cuts(pool, np.arange(pool.profit.size), x, NEVER_RAISED)
        rows, limit = cut.A[cut.base :].toarray(), cut.limit[cut.base :]
        assert (rows @ x > limit).all()
        for point in integer_points(pool):
            assert (rows[:, list(point)].sum(axis=1) <= limit).all(), (seed, point)
        cuts += limit.size
    assert cuts > 200


def test_of_three_tasks_that_each_need_two_of_three_providers_one_is_served():
    A = np.vstack((np.eye(3, dtype=np.int64), 1 - np.eye(3, dtype=np.int64)))
    pool = Pool(sparse.csc_array(A), np.ones(3, dtype=np.int64), np.ones(6, dtype=np.int64), 3, 6)
    cut = add_cuts(pool, np.arange(3), np.full(3, 0.5), NEVER_RAISED)
    assert cut.A[6:].toarray().tolist() == [[1, 1, 1]] and cut.limit[6:].tolist() == [1]
    assert drop_idle_cuts(cut, np.zeros(4, dtype=np.int64)).limit.size == 6
    assert drop_idle_cuts(cut, np.array([0, 0, 0, 1])).limit.size == 7
