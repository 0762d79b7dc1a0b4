"""What holds of every solver that is registered, in every reading it takes."""

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from auction import solvers
from auction.allocation import Allocation, check
from auction.market import READINGS
from auction.search import Found

SOLVER_READINGS = [(name, reading) for name in solvers.names() for reading in solvers.load(name).READINGS]
every = pytest.mark.parametrize("solver, reading", SOLVER_READINGS)
ANYTIME = ("ilp_pulp", "ilp_cpsat", "ilp_scip", "lp_bound")


@every
def test_markets_in_which_nobody_trades(generate, solver, reading):
    market = generate("uniform", 3, 4, 2, 0)
    for nothing in (
        generate("uniform", 0, 4),
        generate("uniform", 3, 0),
        generate("uniform", 0, 0),
        replace(market, slots=[0] * 4),
        replace(market, value=[0] * 3),
        replace(market, demand=market.resource.sum(axis=0) + np.ones((3, 2), dtype=np.int64)),
        replace(market, cost=[10**9] * 4),
    ):
        outcome = solvers.solve(nothing, solver, reading=reading)
        assert outcome.welfare == 0 and not outcome.allocation.task.size
        assert outcome.bound in (0, None)


@every
def test_same_seed_same_result(generate, solver, reading):
    market = generate("uniform", 5, 6, 2, 1)
    one, two = (solvers.solve(market, solver, reading=reading, seed=5) for _ in range(2))
    assert (one.welfare, one.bound, one.status) == (two.welfare, two.bound, two.status)
    if solver != "ilp_cpsat":  # two workers race for one of the equal optima
        assert one.allocation.task.tolist() == two.allocation.task.tolist()
        assert one.allocation.provider.tolist() == two.allocation.provider.tolist()


@every
def test_outcome_says_what_was_run(generate, solver, reading):
    market = generate("uniform", 3, 4)
    outcome = solvers.solve(market, solver, reading=reading, seed=4, time_limit=60)
    assert (outcome.solver, outcome.reading, outcome.seed) == (solver, reading, 4)
    assert outcome.market_digest == market.digest and outcome.seconds >= 0
    assert set(outcome.options) == set(solvers.registry.options_of(solvers.load(solver).solve))


@pytest.fixture(scope="module")
def optima():
    """The optimum of a market, searched for once."""
    found: dict[tuple[str, str], int] = {}

    def optima(market, reading):
        key = market.digest, reading
        if key not in found:
            found[key] = solvers.solve(market, "brute_force", reading=reading).welfare
        return found[key]

    return optima


@every
def test_what_was_known_when(generate, optima, solver, reading):
    """Incumbents rise, bounds fall and hold, the last is the outcome, and the callback hears all of it."""
    for market in (generate("uniform", 5, 8, 2, 3), generate("sparse", 6, 10, 5, 1)):
        heard = []
        outcome = solvers.solve(market, solver, reading=reading, callback=heard.append)
        optimum = optima(market, reading)
        history = outcome.history
        assert history[-1][1:] == (None if outcome.status == "bound" else outcome.welfare, outcome.bound)
        assert history[0].seconds >= 0 and history[-1].seconds <= outcome.seconds
        for before, after in pairwise(history):
            assert before.seconds <= after.seconds and before[1:] != after[1:]
            assert (before.welfare or 0) <= (after.welfare or 0)
            assert before.bound is None or (after.bound is not None and before.bound >= after.bound)
        assert all(at.welfare is None or at.welfare <= optimum for at in history)
        assert all(at.bound is None or at.bound >= optimum for at in history)
        assert {at[1:] for at in history} <= {at[1:] for at in heard}


IMPROVING = ("ilp_pulp", "ilp_cpsat", "ilp_scip", "price_guided")


@pytest.mark.parametrize("solver", IMPROVING)
def test_bounds_and_incumbents_come_on_the_way(generate, solver):
    outcome = solvers.solve(generate("uniform", 20, 40, 3, 0), solver, time_limit=2)
    before = outcome.history[:-1]
    assert len({at.bound for at in before}) > 2 and before[-1].seconds < outcome.seconds
    assert solver in ("ilp_scip", "ilp_pulp") or any(at.welfare for at in before)


def test_what_a_callback_raises_stops_the_solver_and_reaches_the_caller(generate):
    def callback(progress):
        raise KeyError("enough")

    for solver in ("ilp_cpsat", "ilp_pulp", "price_guided"):
        with pytest.raises(KeyError, match="enough"):
            solvers.solve(generate("uniform", 40, 80, 4, 0), solver, time_limit=60, callback=callback)


def test_what_a_solver_takes_back_is_not_in_the_history(generate):
    def doubting(market, reading, stop, seed):
        stop.report(welfare=-5, bound=1)
        stop.report(welfare=100, bound=0)
        return Found(Allocation.empty(), 3, "time limit")

    outcome = solvers.solve(generate("uniform", 3, 4), doubting)
    assert [at[1:] for at in outcome.history] == [(-5, None), (None, None), (0, 3)]


@pytest.mark.parametrize("solver", solvers.names())
def test_what_a_caller_gets_wrong(generate, refusal, solver):
    market = generate("uniform", 2, 2)

    def refused(**changes):
        return refusal(solvers.solve, market, **{"solver": solver, "reading": "whole"} | changes)

    assert refused(solver="magic") == f"unknown solver 'magic'; there are {', '.join(solvers.names())}"
    assert refused(reading="half") == f"unknown reading 'half'; there are {', '.join(READINGS)}"
    assert refused(options={"colour": 1}).startswith(f"unknown option 'colour' of {solver}; there are ")
    for limit in (0, -1, float("inf"), float("nan")):
        assert refused(time_limit=limit) == f"time limit: {limit} is not allowed; a positive number of seconds"
    for seed in (-1, 2**31, 1.5, True):
        assert refused(seed=seed) == f"seed: {seed} is not allowed; an integer from 0 to {2**31 - 1}"
    for name in solvers.registry.options_of(solvers.load(solver).solve):
        assert refused(options={name: "?"}).startswith(f"option {name} of {solver}: '?' is not allowed; ")
    for reading in set(READINGS) - set(solvers.load(solver).READINGS):
        assert refused(reading=reading).startswith(f"{solver} cannot take the reading {reading!r}; it takes ")


@pytest.mark.parametrize("limit", [0.001, 0.1, 1])
@pytest.mark.parametrize("solver", ANYTIME)
def test_a_time_limit_keeps_what_was_found_and_proven(generate, solver, limit):
    market = generate("uniform", 40, 80, 3, 0)
    known = solvers.solve(market, "greedy").welfare  # the optimum is larger still
    warm = {} if solver == "lp_bound" else {"warm_start": True}
    for options in ({}, warm):
        outcome = solvers.solve(market, solver, time_limit=limit, options=options)
        assert not check(market, outcome.allocation, "bundle")
        assert max(known + 1, outcome.welfare) <= outcome.bound <= market.net_bid.clip(0).sum()
        assert not outcome.proven_optimal
        assert outcome.status in ("time limit", "feasible", "bound")
        if limit == 1 and options:
            assert outcome.welfare >= known


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["ilp_pulp", "ilp_cpsat", "ilp_scip"])
def test_a_limit_that_building_alone_exceeds(generate, solver):
    """Minutes of building a model that is never solved: the test ends, with the warm start."""
    market = generate("uniform", 700, 700, 3, 1)
    outcome = solvers.solve(market, solver, time_limit=2, options={"warm_start": True})
    assert outcome.status == "time limit" and not outcome.proven_optimal
    assert solvers.solve(market, "greedy").welfare <= outcome.welfare < outcome.bound <= market.net_bid.clip(0).sum()


@pytest.mark.parametrize(
    "found, message",
    [
        (Found(Allocation.of([0], [99]), None, ""), "infeasible allocation: pair 0: provider 99"),
        (
            Found(Allocation.of([0, 0], [1, 1]), None, ""),
            "infeasible allocation: task 0 takes provider 1 more than once",
        ),
        (Found(Allocation.empty(), -1, ""), "claims the bound -1 below its own welfare 0"),
    ],
)
def test_a_solver_that_lies_is_caught(generate, monkeypatch, found, message):
    liar = SimpleNamespace(READINGS=READINGS, solve=lambda market, reading, stop, seed: found)
    monkeypatch.setattr(solvers, "load", lambda name: liar)
    with pytest.raises(AssertionError, match=message):
        solvers.solve(generate("uniform", 3, 4), "liar")


def test_an_error_in_a_solver_reaches_the_caller(generate, refusal):
    assert "brute_force takes at most 12 providers" in refusal(solvers.solve, generate("uniform", 2, 13), "brute_force")
