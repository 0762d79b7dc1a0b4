"""What takes over where the master of slot vectors is too large: descent, neighbourhoods, prices of an allocation."""

import numpy as np
import pytest

from auction.allocation import Allocation, check
from auction.market import MICRO, READINGS, Market
from auction.mechanisms._supporting import fit_prices
from auction.search import Stop
from auction.solvers._vector_prices import descent as vector_descent
from auction.solvers._vector_prices import master as vector_master
from auction.solvers._vector_prices.dual import evaluate_dual, group_market
from auction.solvers._vector_prices.rounding import complete
from auction.solvers._vector_prices.rounds import linear_prices
from auction.solvers._vectors import distinct_rows
from auction.solvers.column_generation import by_vector, neighbourhoods
from auction.welfare import welfare


def at_linear_prices(market, reading="bundle"):
    grid = group_market(market, reading)
    return grid, evaluate_dual(grid, linear_prices(grid))


@pytest.mark.parametrize("family", ["uniform", "correlated", "scarce"])
def test_descent_comes_near_the_optimum_of_the_dual(generate, family):
    """The optimum, to the tolerance of the master, by the simplex method."""
    market = generate(family, 200, 200, 2, 0)
    bound = by_vector.solve(market, "bundle", Stop(None), 0.0).bound
    grid, start = at_linear_prices(market)
    tried = vector_descent.descend(grid, start, Stop(None))
    best = min(one.value for one in tried)
    assert bound * (1 - 1e-4) <= best <= 1.01 * bound < start.value


def test_descent_stops_when_told(generate):
    grid, start = at_linear_prices(generate("uniform", 50, 50, 2, 0))
    stop = Stop(0.0)
    assert 1 <= len(vector_descent.descend(grid, start, stop)) <= 3


@pytest.mark.parametrize("reading", READINGS)
def test_neighbourhoods_improve_an_allocation_and_keep_it_feasible(generate, monkeypatch, reading):
    monkeypatch.setattr(neighbourhoods, "TASKS", 15)
    market = generate("scarce", 120, 120, 2, 0)
    grid, at = at_linear_prices(market, reading)
    before = complete(grid, at, Stop(None))
    after = neighbourhoods.search_neighbourhoods(grid, at, before, Stop(8.0))
    assert not check(market, after, reading)
    assert welfare(market, after) > welfare(market, before)
    stopped = neighbourhoods.search_neighbourhoods(grid, at, before, Stop(0.0))
    assert welfare(market, stopped) == welfare(market, before)


def test_a_large_master_is_solved_by_an_interior_point_and_certified(generate, monkeypatch):
    market = generate("uniform", 150, 150, 2, 0)
    exact = by_vector.solve(market, "bundle", Stop(None), 0.0)
    monkeypatch.setattr(vector_master, "SIMPLEX_ROWS", 10)
    found = by_vector.solve(market, "bundle", Stop(60.0), 0.0)
    assert found.bound <= 1.01 * exact.bound
    assert welfare(market, found.allocation) >= 0.985 * found.bound


def sold(costs, values, provider_of) -> tuple[Market, Allocation]:
    """Tasks of one request, each with a provider of its own, all of one vector."""
    market = Market(
        demand=[[1]] * len(values),
        value=[value * MICRO for value in values],
        unit_work=[0.0],
        alpha=2,
        beta=1,
        resource=[[1]] * len(costs),
        slots=[1] * len(costs),
        cost=[cost * MICRO for cost in costs],
        ability=[[0.0]] * len(costs),
    )
    return market, Allocation.of(list(range(len(provider_of))), provider_of)


@pytest.mark.parametrize("wanted, nearest", [(2, 4), (6, 6), (50, 7)])
def test_prices_move_to_the_nearest_that_everyone_accepts(wanted, nearest):
    """Costs of 1 and 4, bids of 9 and 7: any price from 4 to 7."""
    market, allocation = sold([1, 4], [10, 8], [0, 1])
    _, vector_of = distinct_rows(market.resource)
    price = fit_prices(market, allocation, vector_of, np.array([wanted * MICRO]), Stop(None))
    assert abs(int(price[0]) - nearest * MICRO) <= 1


def test_few_trades_fail_rather_than_many_by_a_little():
    """Bids of 4, 5 and 6 and a cost of 9 cannot share a price: the one dear slot is given up."""
    market, allocation = sold([1, 1, 9], [5, 6, 11], [0, 1, 2])
    _, vector_of = distinct_rows(market.resource)
    (price,) = fit_prices(market, allocation, vector_of, np.array([5 * MICRO]), Stop(None)).tolist()
    bids, costs = market.net_bid[allocation.task], market.cost[allocation.provider]
    assert ((price <= bids) & (price >= costs)).sum() == 2


def test_vectors_that_do_not_trade_keep_their_price(generate):
    market = generate("classes", 30, 30, 2, 0)
    _, vector_of = distinct_rows(market.resource)
    price = np.arange(1, vector_of.max() + 2) * MICRO
    traded = int(vector_of[0])
    cheap = int(np.flatnonzero(vector_of == traded)[0])
    task = int(np.argmax(market.net_bid))
    moved = fit_prices(market, Allocation.of([task], [cheap]), vector_of, price, Stop(None))
    others = np.arange(price.size) != traded
    assert np.abs(moved[others] - price[others]).max() <= 1
