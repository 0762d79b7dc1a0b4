"""The walk against a literal coding of the design's 'PRICES, corrected', and the golden example."""

import json
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from auction.allocation import check
from auction.market import READINGS, Market
from auction.solvers import solve
from auction.welfare import welfare

ORDERS = ("printed", "ratio", "random")
VARIANTS = [
    {"backfill": backfill, "task_order": task_order, "provider_order": provider_order}
    for backfill, task_order, provider_order in product((False, True), ORDERS, ORDERS)
]


def normalised(column):
    low, high = min(column), max(column)
    if low == high:
        return [Fraction(1, 2)] * len(column)
    return [Fraction("0.01") + Fraction("0.98") * (x - low) / (high - low) for x in column]


def densities(*columns):
    """Step 2: the root of a row's sum of squares, rounded to 9 decimals."""
    with localcontext(prec=60):
        sums = [sum(x * x for x in row) for row in zip(*columns, strict=True)]
        return [round((Decimal(s.numerator) / s.denominator).sqrt(), 9) for s in sums]


def columns_of(rows):
    return [[Fraction(x) for x in column] for column in zip(*rows, strict=True)]


def order_of_tasks(market, order):
    demand, value = market.demand.tolist(), market.value.tolist()
    if not demand:
        return []
    if order == "printed":
        key = densities(*map(normalised, columns_of(demand)), normalised([Fraction(v) for v in value]))
    else:
        key = [Fraction(v, sum(row)) for v, row in zip(value, demand, strict=True)]
    return sorted(range(len(value)), key=lambda i: (-key[i], i))


def order_of_providers(market, order):
    resource, ability, cost = market.resource.tolist(), market.ability.tolist(), market.cost.tolist()
    if not resource:
        return []
    if order == "printed":
        inverse = [[1 / x for x in normalised(column)] for column in columns_of(resource)]
        key = densities(*inverse, *map(normalised, columns_of(ability)))
        return sorted(range(len(cost)), key=lambda j: (-key[j], j))
    price = [Fraction(c, sum(row)) if any(row) else float("inf") for c, row in zip(cost, resource, strict=True)]
    return sorted(range(len(cost)), key=lambda j: (price[j], j))


def walk(market, reading, tasks, providers, backfill):
    """Step 3, look by look."""
    demand, resource = market.demand.tolist(), market.resource.tolist()
    cost, bid, left = market.cost.tolist(), market.net_bid.tolist(), market.slots.tolist()
    pairs, j = [], 0
    for i in tasks:
        q, paid, taken = list(demand[i]), 0, []
        position = 0 if backfill else j
        while any(q) and position < len(providers):
            provider = providers[position]
            s = resource[provider]
            useful = sum(min(a, b) for a, b in zip(q, s, strict=True)) > 0
            if reading == "whole":
                useful = all(b >= a for a, b in zip(q, s, strict=True))
            if left[provider] > 0 and useful:
                taken.append(provider)
                paid += cost[provider]
                q = [max(a - b, 0) for a, b in zip(q, s, strict=True)]
                if not any(q):
                    break
            position += 1
        if not any(q) and paid <= bid[i]:
            for provider in taken:
                left[provider] -= 1
            pairs += [(i, provider) for provider in taken]
            j = position
    return sorted(pairs)


def expected(market, reading, seed, backfill, task_order, provider_order):
    rng = np.random.default_rng(seed)  # 'random' draws the tasks' order first, then the providers'
    tasks = rng.permutation(market.tasks).tolist() if task_order == "random" else order_of_tasks(market, task_order)
    if provider_order == "random":
        providers = rng.permutation(market.providers).tolist()
    else:
        providers = order_of_providers(market, provider_order)
    return walk(market, reading, tasks, providers, backfill)


def pairs_of(outcome):
    return list(zip(outcome.allocation.task.tolist(), outcome.allocation.provider.tolist(), strict=True))


EXAMPLE = Market(  # golden/prices_example.json
    demand=[[0, 8], [1, 0], [2, 1], [1, 1], [2, 2], [8, 11]],
    value=[15194987, 3466349, 5968277, 4863652, 11821818, 57623903],
    unit_work=[0.131, 0.176],
    alpha=2,
    beta=1,
    resource=[[5, 2], [1, 2], [0, 2], [0, 7], [8, 7], [11, 10], [0, 8], [11, 6], [9, 0], [5, 11]],
    slots=[1, 1, 1, 2, 2, 1, 1, 2, 2, 2],
    cost=[
        *(10422414, 2198208, 2576536, 9526301, 11742577),
        *(22163990, 11320322, 15591094, 12478492, 22651986),
    ],
    ability=[
        *([0.963, 0.687], [0.552, 0.642], [0.469, 0.209], [0.09, 0.347], [0.941, 0.538]),
        *([0.363, 0.587], [0.97, 0.776], [0.334, 0.438], [0.176, 0.59], [0.333, 0.035]),
    ],
)
PRINTED = [(5, 2), (5, 3), (5, 6), (5, 8)]
BACKFILL = [(0, 1), (0, 3), *PRINTED]
WHOLE = [(0, 6), (4, 0)]


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: "-".join(map(str, variant.values())))
@pytest.mark.parametrize("reading", READINGS)
@settings(max_examples=30)
@given(st.from_type(Market), st.integers(0, 3))
@example(EXAMPLE, 0)
def test_the_walk_is_that_of_the_design(reading, variant, market, seed):
    outcome = solve(market, "bid_density", reading=reading, seed=seed, options=variant)
    assert pairs_of(outcome) == expected(market, reading, seed, **variant)


@pytest.mark.parametrize("family", ["uniform", "abundant", "classes", "scarce"])
@pytest.mark.parametrize("reading", READINGS)
def test_the_walk_of_larger_markets(generate, family, reading):
    for seed, variant in enumerate(VARIANTS):
        market = generate(family, 40, 60, 3, seed)
        found = pairs_of(solve(market, "bid_density", reading=reading, seed=seed, options=variant))
        assert found == expected(market, reading, seed, **variant)


@pytest.mark.parametrize(
    "reading, options, pairs, total",
    [
        ("bundle", {}, PRINTED, 16015745),
        ("bundle", {"backfill": True}, BACKFILL, 17791168),
        ("whole", {}, WHOLE, 2579014),
    ],
)
def test_example_of_the_design(reading, options, pairs, total):
    outcome = solve(EXAMPLE, "bid_density", reading=reading, options=options)
    assert (pairs_of(outcome), outcome.welfare, outcome.bound) == (pairs, total, None)
    assert EXAMPLE.net_bid.tolist() == [13499932, 2466349, 4968277, 3863652, 10821818, 51917396]


def test_example_is_the_golden_file(golden):
    stored = json.loads((golden / "prices_example.json").read_text())
    assert Market(**stored["market"]).digest == EXAMPLE.digest
    assert stored["net_bid"] == EXAMPLE.net_bid.tolist()
    for name, pairs in (("printed", PRINTED), ("backfill", BACKFILL), ("whole", WHOLE)):
        assert [tuple(pair) for pair in stored[name]["pairs"]] == pairs
    for name, reading, options in (
        ("printed", "bundle", {}),
        ("backfill", "bundle", {"backfill": True}),
        ("whole", "whole", {}),
    ):
        assert solve(EXAMPLE, "bid_density", reading=reading, options=options).welfare == stored[name]["welfare"]
    for reading, optimum in stored["optimum"].items():
        assert solve(EXAMPLE, "ilp_cpsat", reading=reading).welfare == optimum


def test_optimum_of_the_example():
    for reading, optimum in (("bundle", 37979089), ("whole", 4244458)):
        outcome = solve(EXAMPLE, "ilp_pulp", reading=reading)
        assert outcome.welfare == outcome.bound == optimum


def test_passed_over_providers_are_lost_without_backfill():
    # Task 1 needs type 1, offered only before the provider that completed task 0.
    market = Market(
        demand=[[3, 0], [0, 1]],
        value=[9_000_000, 8_000_000],
        unit_work=[0.0, 0.0],
        alpha=2,
        beta=1,
        resource=[[0, 1], [3, 3]],
        slots=[1, 1],
        cost=[1, 2],
        ability=[[0, 0], [0, 0]],
    )
    assert pairs_of(solve(market, "bid_density")) == [(0, 1)]
    backfilled = solve(market, "bid_density", options={"backfill": True})
    assert pairs_of(backfilled) == [(0, 1), (1, 0)]
    assert welfare(market, backfilled.allocation) == backfilled.welfare == 14_999_997
    assert not check(market, backfilled.allocation, "bundle")
