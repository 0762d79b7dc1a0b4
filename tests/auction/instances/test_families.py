"""What holds of every family that is registered, and what each documents of itself."""

import numpy as np
import pytest

from auction import instances
from auction.market import MICRO
from auction.solvers import solve

every = pytest.mark.parametrize("family", instances.names())
SCALED = pytest.mark.parametrize("family, supply", [("scarce", 0.25), ("abundant", 4.0)])


@every
@pytest.mark.parametrize("types", [1, 2, 3, 4])
@pytest.mark.parametrize("tasks, providers", [(0, 0), (0, 5), (5, 0), (1, 1), (7, 3), (40, 60)])
def test_shapes_of_any_size(generate, family, tasks, providers, types):
    market = generate(family, tasks, providers, types)
    further = market.types - types  # dummy goods, a provider each
    assert (market.tasks, market.providers, market.types) == (tasks, providers + further, types + further)
    assert further == 0 or family == "bundles"


@every
def test_the_seed_decides(generate, family):
    digests = {generate(family, 12, 15, 2, seed).digest for seed in range(5)}
    assert len(digests) == 5
    assert generate(family, 12, 15, 2, 3).digest == generate(family, 12, 15, 2, 3).digest


@every
def test_what_a_caller_gets_wrong(refusal, family):
    def refused(*sizes, **options):
        return refusal(instances.generate, family, *sizes, options=options)

    assert refused(-1, 2) == f"tasks: -1 is not allowed; an integer from 0 to {2**63 - 1}"
    assert refused(2, -1) == f"providers: -1 is not allowed; an integer from 0 to {2**63 - 1}"
    assert refused(2, 2, 0) == f"types: 0 is not allowed; an integer from 1 to {2**63 - 1}"
    assert refused(2.5, 2).startswith("tasks: 2.5 is not allowed")
    assert refused(2, 2, 1, -1) == f"seed: -1 is not allowed; an integer from 0 to {2**63 - 1}"
    assert refused(2, 2, colour=1).startswith(f"unknown option 'colour' of {family}; there are ")


@pytest.mark.parametrize(
    "family, option, values",
    [
        ("scarce", "supply", (0, -1)),
        ("abundant", "supply", (0, -1)),
        ("classes", "classes", (0, -3)),
        ("classes", "largest", (0, -3)),
        ("correlated", "spread", (-0.1, 1.1)),
        ("heavy_tailed", "tail", (0, -1)),
        ("heavy_tailed", "largest", (2, 0)),
        ("adversarial", "against", ("all", "")),
        ("bundles", "recipe", ("all", "")),
        ("sparse", "demanded", (0, -1)),
        ("sparse", "loaded", (0, -1)),
        ("sparse", "largest", (0, -1)),
    ],
)
def test_options_outside_their_range(generate, refusal, family, option, values):
    for value in values:
        assert f"option {option}" in refusal(generate, family, 3, 3, **{option: value})


def units_priced(rows, money, fixed=0):
    return (money / MICRO - fixed) / rows.sum(axis=1)


def assert_uniform(sample, low, high):
    """Within the range, reaching both ends, with the mean in the middle (4 standard errors)."""
    assert low - 1e-6 <= sample.min() <= low + 0.05 * (high - low)
    assert high - 0.05 * (high - low) <= sample.max() <= high + 1e-6
    assert abs(sample.mean() - (low + high) / 2) < 4 * (high - low) / np.sqrt(12 * sample.size)


def test_uniform_is_as_documented(generate):
    market = generate("uniform", 4000, 4000, 3)
    assert set(np.unique(market.resource)) == set(range(12))
    assert market.demand.min() == 0 and 30 <= market.demand.max() <= 33
    assert market.resource.any(axis=1).all() and (market.slots == 1).all()
    assert market.demand.mean() == pytest.approx(1.6 * 5.5, rel=0.05)
    assert_uniform(units_priced(market.resource, market.cost), 0.5, 1.5)
    assert_uniform(units_priced(market.demand, market.value, fixed=2), 0.8, 3.0)
    assert_uniform(market.ability.ravel(), 0, 1)
    assert_uniform(np.concatenate([generate("uniform", 1, 1, 3, seed).unit_work for seed in range(200)]), 0.05, 0.3)
    assert (market.alpha, market.beta) == (2, 1)


@SCALED
def test_supply_is_that_of_the_option(generate, family, supply):
    for options in ({}, {"supply": supply * 1.5}):
        market = generate(family, 3000, 3000, 3, **options)
        offered = (market.slots @ market.resource).sum() / market.demand.sum()
        assert offered == pytest.approx(options.get("supply", supply), rel=0.05)
        assert np.ptp(market.slots) <= 1
    assert (market.slots == 0).any() == (family == "scarce")


def test_correlated_prices_follow_size(generate):
    for spread in (0.05, 0.2):
        market = generate("correlated", 2000, 2000, 3, spread=spread)
        assert_uniform(units_priced(market.resource, market.cost), 1 - spread, 1 + spread)
        assert_uniform(units_priced(market.demand, market.value, fixed=2), 2 - 2 * spread, 2 + 2 * spread)


def test_classes_of_providers(generate):
    market = generate("classes", 500, 2000, 3, classes=7, largest=4)
    kinds = np.column_stack((market.resource, market.cost, market.ability))
    assert len(np.unique(kinds, axis=0)) == 7
    assert market.resource.max() == market.demand.max() == 4
    assert_uniform(units_priced(market.demand, market.value, fixed=2), 0.8, 3.0)


def test_heavy_tails(generate):
    market = generate("heavy_tailed", 4000, 4000, 2)
    plain = generate("uniform", 4000, 4000, 2)

    def held_by_a_percent(money):
        return np.sort(money)[-40:].sum() / money.sum()

    for name in ("value", "cost"):
        assert held_by_a_percent(getattr(market, name)) > 3 * held_by_a_percent(getattr(plain, name))
    assert market.demand.max() <= 200 and market.resource.max() <= 200
    assert generate("heavy_tailed", 2000, 2000, 2, largest=20).demand.max() == 20


def assert_as_often(counts, draws):
    """Every count is as often as the others, within five standard errors."""
    share = 1 / counts.size
    assert np.abs(counts / draws - share).max() < 5 * np.sqrt(share * (1 - share) / draws)


def test_sparse_tasks_need_few_types(generate):
    market = generate("sparse", 6000, 6000, 20)
    for rows, most in ((market.demand, 3), (market.resource, 4)):
        assert_as_often(np.bincount((rows > 0).sum(axis=1), minlength=most + 1)[1:], 6000)
        assert_as_often(np.bincount(rows[rows > 0], minlength=12)[1:], np.count_nonzero(rows))
    assert_uniform(units_priced(market.resource, market.cost), 0.5, 1.5)
    assert_uniform(units_priced(market.demand, market.value, fixed=2), 0.8, 3.0)
    assert (market.slots == 1).all()

    market = generate("sparse", 500, 500, 20, demanded=50, loaded=1, largest=2)
    assert set((market.demand > 0).sum(axis=1)) == set(range(1, 21))
    assert ((market.resource > 0).sum(axis=1) == 1).all()
    assert market.demand.max() == market.resource.max() == 2


@pytest.mark.parametrize("popularity", [0.0, 0.5, 2.0])
def test_types_of_sparse_are_as_popular_as_their_weights(generate, popularity):
    def chance_of_two(weight):  # of each type to be among two drawn one after the other without replacement
        first = weight / weight.sum()
        return first + (first[:, None] * weight / (weight.sum() - weight[:, None]) * (1 - np.eye(weight.size))).sum(0)

    weight = np.arange(1, 9) ** -popularity
    loaded = (generate("sparse", 1, 20_000, 8, loaded=2, popularity=popularity).resource > 0).mean(axis=0)
    assert loaded == pytest.approx((weight / weight.sum() + chance_of_two(weight)) / 2, abs=0.015)


@pytest.mark.parametrize("size", [5, 10, 20, 40, 80])
@pytest.mark.parametrize(
    "against, solver, options",
    [
        ("norm", "bid_density", {}),
        ("ratio", "bid_density", {"task_order": "ratio"}),
        ("ratio", "greedy", {"norm": "unit"}),
    ],
    ids=["norm", "ratio", "ratio by the net bid"],
)
def test_share_of_the_optimum_falls_with_size(generate, against, solver, options, size):
    for seed in range(5):
        market = generate("adversarial", size, size, 2, seed, against=against)
        reached = solve(market, solver, options=options).welfare
        served_one_by_one = solve(market, "assignment", reading="whole").welfare  # at most the optimum
        assert 0 < reached <= 3 / size * served_one_by_one
