"""Relaxations solved from one another are those solved alone; probes fall no further than what they stand for."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize

import auction.solvers.column_generation.relaxation as relaxations
from auction.search import Stop
from auction.solvers.column_generation.branching import branch_and_bound
from auction.solvers.column_generation.columns import minimal_columns, price_columns, price_finely, reduce_market
from auction.solvers.column_generation.master import RestrictedMaster
from auction.solvers.column_generation.relaxation import Relaxation, solve_relaxation


@pytest.fixture
def pool(generate):
    return minimal_columns(reduce_market(generate("uniform", 8, 16, 2, 3)))


def value(pool, solution):
    return float(pool.profit[solution.used] @ solution.x)


def nothing(pool):
    return np.zeros(pool.tasks, dtype=np.int64)


def alone(pool):
    return -optimize.linprog(-pool.profit, pool.A, pool.limit).fun if pool.profit.size else 0.0


def test_a_pool_s_relaxation_is_that_of_its_programme(pool):
    for share in (0.0, 0.01, 0.2, 1.0):
        part = pool.only(np.random.default_rng(1).random(pool.profit.size) < share)
        _, slack = price_columns(part, np.zeros(part.limit.size - part.tasks, dtype=np.int64))
        solution = solve_relaxation(part, slack, Stop(None))
        assert value(part, solution) == pytest.approx(alone(part), rel=1e-6)
        assert (part.A[:, solution.used] @ solution.x <= part.limit + 1e-6).all()


def test_nodes_solved_from_one_another_are_worth_what_they_are_alone(pool):
    relaxation, rng = Relaxation(pool, Stop(None)), np.random.default_rng(0)
    for share in (1.0, 0.5, 0.1, 0.9, 0.3):
        column = np.flatnonzero(rng.random(pool.profit.size) < share)
        _, slack = price_columns(pool.only(column), np.zeros(pool.limit.size - pool.tasks, dtype=np.int64))
        solution = relaxation.solve(column, nothing(pool), slack)
        part = pool.only(column)
        assert value(part, solution) == pytest.approx(alone(part), rel=1e-6)
        assert (part.A[:, solution.used] @ solution.x <= part.limit + 1e-6).all()
        assert price_columns(part, solution.price)[0] == pytest.approx(alone(part), rel=1e-5)


def test_children_take_few_steps_from_their_parent_s_basis_in_any_relaxation(pool, monkeypatch):
    """All of them together fewer than the root, each without one of its columns; another node comes between."""
    monkeypatch.setattr(relaxations, "FIRST", 10**6)  # all columns are in it
    relaxation, other, every = Relaxation(pool, Stop(None)), Relaxation(pool, Stop(None)), np.arange(pool.profit.size)
    root = relaxation.solve(every, nothing(pool), np.zeros_like(every))
    first, after, elsewhere = steps(relaxation), 0, 0
    other.solve(every[pool.task != 3], nothing(pool), np.zeros_like(every)[pool.task != 3])
    for used in root.used:
        column = np.delete(every, used)
        relaxation.solve(every, nothing(pool), np.zeros_like(every))
        solution = relaxation.solve(column, nothing(pool), np.zeros_like(column))
        after += steps(relaxation)
        assert value(pool.only(column), solution) == pytest.approx(alone(pool.only(column)), rel=1e-6)
        solution = other.solve(column, nothing(pool), np.zeros_like(column), root.basis)
        elsewhere += steps(other)
        assert value(pool.only(column), solution) == pytest.approx(alone(pool.only(column)), rel=1e-6)
    assert root.used.size > 5 and after < first and elsewhere < first


def steps(relaxation):
    return relaxation._master._highs.getInfo().simplex_iteration_count


@pytest.mark.parametrize("unit", [1, 1 << 20, 1 << 34])
def test_a_bound_of_fine_prices_is_the_relaxation_s_rounded_down(pool, unit):
    """As far as floats tell the dual, and whatever room amounts leave for fractions."""
    value, pool = alone(pool) * unit, replace(pool, profit=pool.profit * unit)
    solution = solve_relaxation(pool, np.zeros(pool.profit.size, dtype=np.int64), Stop(None))
    bound, slack = price_finely(pool, solution.dual)
    assert branched(pool) <= bound <= value + 1e-9 * value * (unit > 1)
    assert bound <= price_columns(pool, solution.price)[0]
    for c in np.argsort(-slack, kind="stable")[::100]:  # no allocation with the column is worth more than is said
        assert int(pool.profit[c]) + branched(pool.after(pool.only(np.array([c])))) <= bound - slack[c]


def branched(pool):
    bound, slack = price_columns(pool, np.zeros(pool.limit.size - pool.tasks, dtype=np.int64))
    return branch_and_bound(pool, slack, bound, 0, pool.only(np.arange(0)), 0.0, Stop(None))[1]


def test_a_bonus_counts_for_the_node_alone(pool):
    relaxation, column = Relaxation(pool, Stop(None)), np.arange(pool.profit.size)
    slack = np.zeros(column.size, dtype=np.int64)
    loser = int(np.argmin(np.bincount(pool.task, pool.profit)))
    bonus = np.where(np.arange(pool.tasks) == loser, int(pool.profit.sum()), 0)
    served = relaxation.solve(column, bonus, slack)
    assert served.x[pool.task[served.used] == loser].sum() == pytest.approx(1)
    assert value(pool, relaxation.solve(column, nothing(pool), slack)) == pytest.approx(alone(pool), rel=1e-6)


@pytest.mark.parametrize("steps", [1, 5, 1000])
def test_a_probe_falls_no_further_than_the_relaxation_does(pool, steps, monkeypatch):
    monkeypatch.setattr(relaxations, "FIRST", 10**6)  # all columns are in it
    relaxation, column = Relaxation(pool, Stop(None)), np.arange(pool.profit.size)
    solution = relaxation.solve(column, nothing(pool), np.zeros_like(column))
    for provider in range(pool.tasks, pool.base):
        lost = pool.uses(column, provider)
        fall = relaxation.fall(lost, steps)
        true = max(1 - alone(pool.only(~lost)) / value(pool, solution), 1e-6)
        assert fall <= true + 1e-6
        if steps == 1000:
            assert fall == pytest.approx(true, abs=1e-6)
    again = relaxation.solve(column, nothing(pool), np.zeros_like(column))
    assert value(pool, again) == pytest.approx(value(pool, solution), rel=1e-9)


def test_a_master_takes_no_longer_than_the_sooner_stop(pool):
    """Which leaves less than the stop of all solves, whose limit is the next one's again."""
    master, limits = RestrictedMaster(pool.limit, 1, Stop(None)), []
    master.add_columns(pool.A, pool.profit)
    for sooner in (Stop(0.25), None):
        begun = master._highs.getRunTime()
        assert master.solve(sooner=sooner)[0] == pytest.approx(alone(pool), rel=1e-6)
        limits.append(master._highs.getOptionValue("time_limit")[1] - begun)
    assert limits[0] <= 0.25 < limits[1]
