"""Relaxations solved from one another are those solved alone; probes fall no further than what they stand for."""

import numpy as np
import pytest
from scipy import optimize

import auction.solvers.column_generation.relaxation as relaxations
from auction.search import Stop
from auction.solvers.column_generation.columns import minimal_columns, price_columns, reduce_market
from auction.solvers.column_generation.relaxation import Relaxation, solve_relaxation


@pytest.fixture
def pool(generate):
    return minimal_columns(reduce_market(generate("uniform", 8, 16, 2, 3)))


def value(pool, solution):
    return float(pool.profit[solution.used] @ solution.x)


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
        solution = relaxation.solve(column, np.zeros(column.size, dtype=np.int64), slack)
        part = pool.only(column)
        assert value(part, solution) == pytest.approx(alone(part), rel=1e-6)
        assert (part.A[:, solution.used] @ solution.x <= part.limit + 1e-6).all()
        assert price_columns(part, solution.price)[0] == pytest.approx(alone(part), rel=1e-5)


def test_a_bonus_counts_for_the_node_alone(pool):
    relaxation, column = Relaxation(pool, Stop(None)), np.arange(pool.profit.size)
    nothing, slack = np.zeros(column.size, dtype=np.int64), np.zeros(column.size, dtype=np.int64)
    loser = int(np.argmin(np.bincount(pool.task, pool.profit)))
    bonus = np.where(pool.task == loser, int(pool.profit.sum()), 0)
    served = relaxation.solve(column, bonus, slack)
    assert served.x[pool.task[served.used] == loser].sum() == pytest.approx(1)
    assert value(pool, relaxation.solve(column, nothing, slack)) == pytest.approx(alone(pool), rel=1e-6)


@pytest.mark.parametrize("steps", [1, 5, 1000])
def test_a_probe_falls_no_further_than_the_relaxation_does(pool, steps, monkeypatch):
    monkeypatch.setattr(relaxations, "FIRST", 10**6)  # all columns are in it
    relaxation, column = Relaxation(pool, Stop(None)), np.arange(pool.profit.size)
    solution = relaxation.solve(column, np.zeros_like(column), np.zeros_like(column))
    for provider in range(pool.tasks, pool.base):
        lost = pool.uses(column, provider)
        fall = relaxation.fall(lost, steps)
        true = max(1 - alone(pool.only(~lost)) / value(pool, solution), 1e-6)
        assert fall <= true + 1e-6
        if steps == 1000:
            assert fall == pytest.approx(true, abs=1e-6)
    again = relaxation.solve(column, np.zeros_like(column), np.zeros_like(column))
    assert value(pool, again) == pytest.approx(value(pool, solution), rel=1e-9)
