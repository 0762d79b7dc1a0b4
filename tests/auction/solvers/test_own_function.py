"""A solver that is a function of the caller's."""

import pytest

from auction import Allocation, generate, solve
from auction.search import Found
from auction.solvers import greedy


def mine(market, reading, stop, seed, *, count: int = 2):
    """The greedy, whatever is asked."""
    assert seed == 5 and count == 4
    return greedy.solve(market, reading, stop, seed)


def test_a_function_is_run_and_checked_like_any_solver(refusal):
    market = generate("uniform", 6, 10, seed=3)
    outcome, greedily = solve(market, mine, seed=5, options={"count": "4"}), solve(market, "greedy")
    assert (outcome.solver, outcome.options, outcome.status) == ("mine", {"count": 4}, "heuristic")
    assert outcome.welfare == greedily.welfare > 0
    assert refusal(solve, market, mine, options={"speed": 1}) == "unknown option 'speed' of mine; there are count"


def test_what_it_returns_wrongly_is_said():
    market = generate("uniform", 6, 10, seed=3)
    with pytest.raises(TypeError, match="nothing returned NoneType"):
        solve(market, type("nothing", (), {"__call__": lambda self, *arguments: None})())
    with pytest.raises(AssertionError, match="<lambda> returned an infeasible allocation"):
        solve(market, lambda *arguments: Found(Allocation.of([0, 1], [0, 0]), None, "heuristic"))
    with pytest.raises(AssertionError, match="<lambda> claims the bound -1 below"):
        solve(market, lambda *arguments: Found(Allocation.empty(), -1, "feasible"))
