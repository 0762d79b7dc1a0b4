"""A million tasks x a million providers: the auction against its own two sorts, and the exact assignment."""

import numpy as np
import pytest

from auction import generate, mechanisms, solve
from auction.density import provider_density, task_density

SIZE = 1_000_000


@pytest.fixture(scope="session")
def market():
    return generate("classes", SIZE, SIZE, 3, 0)


@pytest.mark.benchmark(group="a million tasks x a million providers, bundle")
def test_two_stable_argsorts(benchmark, market):
    densities = task_density(market.demand, market.value), provider_density(market.resource, market.ability)
    benchmark.pedantic(lambda: [np.argsort(-density, kind="stable") for density in densities], rounds=5)


@pytest.mark.benchmark(group="a million tasks x a million providers, bundle")
@pytest.mark.parametrize("backfill", [False, True])
def test_bid_density(benchmark, market, backfill):
    def run():
        return solve(market, "bid_density", options={"backfill": backfill})

    assert benchmark.pedantic(run, rounds=5).welfare > 0


@pytest.mark.benchmark(group="a million tasks x a million providers, whole")
def test_assignment(benchmark, market):
    outcome = benchmark.pedantic(lambda: solve(market, "assignment", reading="whole"), rounds=1)
    assert outcome.proven_optimal


@pytest.mark.benchmark(group="a million tasks x a million providers, bundle")
@pytest.mark.parametrize("printed", [False, True])
def test_whitepaper_mechanism(benchmark, market, printed):
    """Allocation and prices; the allocation alone is ``test_bid_density`` without backfill."""
    settled = benchmark.pedantic(lambda: mechanisms.run(market, "whitepaper", options={"printed": printed}), rounds=5)
    assert settled.budget_surplus == 0 and settled.payment.any()
