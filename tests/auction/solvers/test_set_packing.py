"""Set packing: cliques cut off fractions and no packing, local search finds packings; against exhaustive search."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from auction.search import Stop
from auction.solvers._time import NEVER_RAISED
from auction.solvers.column_generation import branching, by_provider, columns
from auction.solvers.column_generation.branching import branch_and_bound
from auction.solvers.column_generation.cliques import add_cliques
from auction.solvers.column_generation.columns import Pool, price_columns
from auction.solvers.column_generation.local_search import improve_by_swaps
from auction.solvers.column_generation.relaxation import solve_relaxation

GOODS = 6
NOTHING = np.zeros(0, dtype=np.int64)
FOUR_LOOKS = 12  # at the columns of a pool of three


def pool_of(bundles, profit):
    """A task a bundle, a provider a good, one of each."""
    n = len(bundles)
    A = np.zeros((n + GOODS, n), dtype=np.int64)
    for c, bundle in enumerate(bundles):
        A[c, c] = 1
        A[[n + good for good in bundle], c] = 1
    limit = np.ones(n + GOODS, dtype=np.int64)
    return Pool(sparse.csc_array(A), np.array(profit, dtype=np.int64), limit, n, n + GOODS)


bids = st.lists(
    st.tuples(st.sets(st.integers(0, GOODS - 1), min_size=1, max_size=4), st.integers(1, 50)), min_size=1, max_size=10
)


def packings(pool):
    """Every set of columns that fits."""
    columns = range(pool.profit.size)
    for size in range(pool.profit.size + 1):
        for chosen in combinations(columns, size):
            if (pool.A[: pool.base, list(chosen)].sum(axis=1) <= 1).all():
                yield list(chosen)


def optimum(pool):
    return max(int(pool.profit[chosen].sum()) for chosen in packings(pool))


def nothing_of(pool):
    return pool.only(np.zeros(0, dtype=np.int64))


def relaxed(pool):
    _, slack = price_columns(pool, np.zeros(pool.limit.size - pool.tasks, dtype=np.int64))
    return solve_relaxation(pool, slack, Stop(None))


@given(bids)
def test_cliques_cut_off_no_packing_and_are_maximal(drawn):
    pool = pool_of(*zip(*drawn, strict=True))
    solution = relaxed(pool)
    cut = add_cliques(pool, solution.used, solution.x)
    cliques = cut.A[cut.base :].toarray()
    x = np.zeros(pool.profit.size)
    x[solution.used] = solution.x
    shared = (pool.A.T @ pool.A).toarray() > 0
    for clique in cliques:
        members = np.flatnonzero(clique)
        assert clique @ x > 1
        assert shared[np.ix_(members, members)].all()
        outside = np.setdiff1d(np.arange(pool.profit.size), members)
        assert not shared[np.ix_(outside, members)].all(axis=1).any()
    for chosen in packings(pool):
        assert (cliques[:, chosen].sum(axis=1) <= 1).all()


def test_three_bids_two_of_which_always_share_a_good_are_closed_by_their_clique():
    """The relaxation takes a half of each and is worth 15, a packing 10."""
    pool = pool_of([{0, 1}, {1, 2}, {0, 2}], [10, 10, 10])
    solution = relaxed(pool)
    assert np.allclose(solution.x, 0.5)
    cut = add_cliques(pool, solution.used, solution.x)
    assert cut.limit.size == pool.limit.size + 1 and cut.A[cut.base :].toarray().tolist() == [[1, 1, 1]]
    assert price_columns(cut, relaxed(cut).price)[0] == 10
    assert add_cliques(cut, np.array([0]), np.array([1.0])) is cut  # nothing is violated


@given(bids)
def test_swaps_find_the_best_packing_of_few_bids_and_never_lose(drawn):
    pool = pool_of(*zip(*drawn, strict=True))
    found = improve_by_swaps(pool, NOTHING)
    assert pool.only(found).fits() and int(pool.profit[found].sum()) == optimum(pool)
    assert int(pool.profit[improve_by_swaps(pool, found, work=0)].sum()) == optimum(pool)


@given(bids, st.integers(0, 5))
def test_swaps_begin_with_the_columns_that_are_given(drawn, seed):
    pool = pool_of(*zip(*drawn, strict=True))
    given_ = pool.fitting(np.random.default_rng(seed).permutation(pool.profit.size))
    found = improve_by_swaps(pool, given_, work=0)
    assert pool.only(found).fits() and int(pool.profit[found].sum()) >= int(pool.profit[given_].sum())
    assert sorted(found) == sorted(given_) or int(pool.profit[found].sum()) > int(pool.profit[given_].sum())


def test_a_swap_of_two_for_one_is_found_without_perturbation():
    """The bid for both goods is worth more than either of the others, and less than both."""
    pool = pool_of([{0, 1}, {0}, {1}], [10, 6, 7])
    assert improve_by_swaps(pool, NOTHING, work=FOUR_LOOKS).tolist() == [1, 2]
    shared = pool_of([{0, 1}, {0, 2}, {1, 2}], [10, 6, 7])  # here these two share a good
    assert improve_by_swaps(shared, NOTHING, work=FOUR_LOOKS).tolist() == [0]


def test_bids_that_lose_are_not_forced_in():
    pool = pool_of([{0}, {1}, {0, 1}], [3, -500, -500])
    assert improve_by_swaps(pool, NOTHING).tolist() == [0]


def test_pools_of_many_conflicts_keep_what_they_have(monkeypatch):
    pool = pool_of([{0}, {1}], [3, 4])
    monkeypatch.setattr(columns, "CONFLICTS", 3)
    assert improve_by_swaps(pool, NOTHING).size == 0


def test_local_search_ends_where_time_does():
    pool = pool_of([{0}, {1}], [3, 4])
    assert pool.only(improve_by_swaps(pool, np.array([1]), 2**62, flag=np.ones(1, dtype=np.int64))).fits()


def test_the_search_takes_what_long_local_searches_find(monkeypatch):
    """Of an odd cycle, before a second node is taken."""
    pool = pool_of([{c, (c + 1) % 5} for c in range(5)], [10, 11, 12, 13, 14])
    monkeypatch.setattr(branching, "PATIENCE", 1)
    monkeypatch.setattr(branching, "improve_by_swaps", lambda pool, column, **_: column)
    found = pool.only(np.array([1, 3]))
    monkeypatch.setattr(branching, "_swapped", lambda *_: [found, nothing_of(pool)])
    bound, slack = price_columns(pool, np.zeros(pool.limit.size - pool.tasks, dtype=np.int64))
    best, _, nodes = branch_and_bound(pool, slack, bound, 0, nothing_of(pool), 0.0, Stop(None), 1)
    assert nodes == 1 and best is found


@given(bids)
def test_rows_that_others_imply_are_left_out_and_no_others(drawn):
    """Columns that fit the rows kept fit all; without any of them some would not."""
    pool = pool_of(*zip(*drawn, strict=True))
    A, kept = pool.A.toarray(), pool.undominated
    for row in A:
        assert not row.any() or any((A[one] >= row).all() for one in kept)
    for one in kept:
        assert A[one].any() and not any((A[other] >= A[one]).all() for other in kept if other != one)


@given(bids)
def test_branching_on_many_pairs_tried_once_proves_the_optimum(drawn):
    pool = pool_of(*zip(*drawn, strict=True))
    assert pool.is_single_minded
    bound, slack = price_columns(pool, np.zeros(pool.limit.size - pool.tasks, dtype=np.int64))
    best, upper, _ = branch_and_bound(pool, slack, bound, 0, nothing_of(pool), 0.0, Stop(None))
    assert int(best.profit.sum()) == upper == optimum(pool)


@pytest.mark.parametrize("row", [0, 3])
def test_a_slot_more_is_no_set_packing(row):
    pool = pool_of([{0, 1}, {1, 2}, {0, 2}], [10, 10, 10])
    limit = pool.limit.copy()
    limit[row] = 2
    assert pool.is_set_packing and not Pool(pool.A, pool.profit, limit, pool.tasks, pool.base).is_set_packing


def test_columns_that_are_not_all_say_nothing_of_the_bound(monkeypatch):
    """An odd cycle of bids, whose relaxation is above the best packing until nodes are taken."""
    pool = pool_of([{c, (c + 1) % 5} for c in range(5)], [10, 10, 10, 10, 10])
    stop, told = Stop(None), []
    monkeypatch.setattr(stop, "report", lambda **known: told.append(known))
    price = np.zeros(pool.limit.size - pool.tasks, dtype=np.int64)
    for tell in (False, True):
        best, upper, *_ = by_provider._prove(pool, price, 0, nothing_of(pool), 0.0, stop, NEVER_RAISED, 40, tell=tell)
        assert int(best.profit.sum()) == upper == 20
        assert bool(told) == tell
    assert all(known["welfare"] <= 20 <= known["bound"] for known in told)


def test_several_columns_of_a_task_are_no_single_minded_bids():
    pool = pool_of([{0, 1}, {1, 2}], [10, 10])
    A = pool.A.toarray()
    A[:2] = [[1, 1], [0, 0]]
    both = Pool(sparse.csc_array(A), pool.profit, pool.limit, pool.tasks, pool.base)
    assert pool.is_single_minded and both.is_set_packing and not both.is_single_minded


def test_a_clique_takes_in_columns_that_the_relaxation_leaves_at_0():
    pool = pool_of([{0, 1}, {1, 2}, {0, 2}, {0, 1, 2}, {2, 3}], [10, 10, 10, 1, 1])
    cut = add_cliques(pool, np.array([0, 1, 2]), np.array([0.5, 0.5, 0.5]))
    assert cut.A[cut.base :].toarray().tolist() == [[1, 1, 1, 1, 0]]
