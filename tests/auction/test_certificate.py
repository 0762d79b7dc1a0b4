"""Prices prove what they prove: never below the optimum, by exact arithmetic, and only for their market."""

from dataclasses import replace
from itertools import combinations, combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auction import certificate, solve
from auction.certificate import derived_bound
from auction.market import READINGS, Market
from auction.solvers._vectors import distinct_rows

PRICES = st.integers(0, 9_000_000)


def clipped(market):
    return np.minimum(market.resource, market.demand.max(axis=0, initial=0))


def literal(market, reading, price, vector):
    """The formula read off the page, covers by exhaustion."""
    by_vector = vector is not None
    rows = vector if by_vector else clipped(market)
    paid = price if by_vector else market.cost + price
    offered = [v for v in range(len(rows)) if by_vector or market.slots[v] > 0]
    most = 1 if reading == "whole" else int(market.demand.sum(axis=1).max(initial=1))
    choose = combinations_with_replacement if by_vector else combinations
    total = 0
    for i, q in enumerate(market.demand):
        covers = [
            int(sum(paid[v] for v in chosen))
            for size in range(1, min(most, len(offered) if not by_vector else most) + 1)
            for chosen in choose(offered, size)
            if (sum(rows[v] for v in chosen) >= q).all()
        ]
        total += max(0, int(market.net_bid[i]) - min(covers, default=10**18))
    if by_vector:
        place = {tuple(row): v for v, row in enumerate(rows.tolist())}
        premium = [
            max(0, int(price[place[tuple(s)]]) - int(c))
            for s, c in zip(clipped(market).tolist(), market.cost, strict=True)
        ]
    else:
        premium = price.tolist()
    return total + sum(int(w) * pi for w, pi in zip(market.slots, premium, strict=True))


@given(st.from_type(Market), st.sampled_from(READINGS), st.data())
def test_prices_of_providers_prove_the_formula_and_never_too_little(market, reading, data):
    price = np.array(data.draw(st.lists(PRICES, min_size=market.providers, max_size=market.providers)), dtype=np.int64)
    bound = derived_bound(market, reading, price, None)
    assert bound == literal(market, reading, price, None)
    assert bound >= solve(market, "brute_force", reading=reading).welfare


@given(st.from_type(Market), st.sampled_from(READINGS), st.data())
def test_prices_of_a_coarse_market_prove_no_less_than_its_optimum(market, reading, data):
    unit = np.array(data.draw(st.lists(st.integers(0, 4), min_size=market.types, max_size=market.types)))
    price = np.array(data.draw(st.lists(PRICES, min_size=market.providers, max_size=market.providers)), dtype=np.int64)
    exact = derived_bound(market, reading, price, None)
    assert derived_bound(market, reading, price, None, np.ones_like(unit)) == exact
    assert derived_bound(market, reading, price, None, unit) >= exact


def small_demands(market):
    return market.demand.sum(axis=1).max(initial=0) <= 5 and len(set(map(tuple, clipped(market).tolist()))) <= 4


@given(st.from_type(Market).filter(small_demands), st.sampled_from(READINGS), st.data())
def test_prices_of_vectors_prove_the_formula_and_never_too_little(market, reading, data):
    vector, _ = distinct_rows(clipped(market))
    price = np.array(data.draw(st.lists(PRICES, min_size=len(vector), max_size=len(vector))), dtype=np.int64)
    bound = derived_bound(market, reading, price, vector)
    assert bound == literal(market, reading, price, vector)
    assert bound >= solve(market, "brute_force", reading=reading).welfare


@pytest.mark.parametrize(
    "solver, reading",
    [
        ("column_generation", "bundle"),
        ("column_generation", "whole"),
        ("price_guided", "bundle"),
        ("assignment", "whole"),
    ],
)
def test_of_many_types_few_may_be_asked_for(solver, reading):
    """More types than an array of NumPy has axes."""
    demand, resource = np.zeros((6, 70), dtype=np.int64), np.zeros((4, 70), dtype=np.int64)
    demand[:, 68], resource[:, 68], resource[:, 1] = range(1, 7), range(2, 6), 1
    market = Market(
        demand=demand, resource=resource, value=[10, 20, 30, 40, 50, 60], slots=[1] * 4, cost=[1, 2, 3, 4],
        unit_work=[0.0] * 70, ability=np.ones((4, 70)), alpha=2, beta=0,
    )  # fmt: skip
    few = replace(market, **{name: getattr(market, name)[:, 68:69] for name in ("demand", "resource", "ability")},
                  unit_work=[0.0])  # fmt: skip
    prices = solve(market, solver, reading=reading).certificate
    of = prices.price, None if prices.vector is None else prices.vector[:, 68:69], None
    assert derived_bound(market, reading, prices.price, prices.vector, prices.unit, repeat=prices.repeat) == (
        derived_bound(few, reading, *of, repeat=prices.repeat)
    )


def test_what_is_no_price_list_is_refused(generate, refusal):
    market = generate("uniform", 4, 6)
    ones = np.ones(6, dtype=np.int64)
    assert "one for each of 6" in refusal(derived_bound, market, "bundle", ones[:5], None)
    assert refusal(derived_bound, market, "bundle", ones - 2 * np.eye(6, dtype=np.int64)[3], None).startswith(
        "price[3]: -1"
    )
    assert "beyond int64" in refusal(derived_bound, market, "bundle", ones * 2**62, None)
    vector, _ = distinct_rows(clipped(market))
    assert "not listed" in refusal(derived_bound, market, "bundle", np.ones(len(vector) - 1, np.int64), vector[1:])
    assert "the market has 2" in refusal(
        derived_bound, market, "bundle", np.ones(1, np.int64), np.ones((1, 3), np.int64)
    )


@pytest.mark.parametrize("slots", [2**61, 2**62])
def test_sums_beyond_int64_are_caught(slots, refusal):
    market = Market(
        demand=[[1]],
        value=[5],
        unit_work=[0.0],
        alpha=2,
        beta=1,
        resource=[[1]],
        slots=[slots],
        cost=[1],
        ability=[[1.0]],
    )
    assert "beyond int64" in refusal(derived_bound, market, "bundle", np.array([8]), None)


@given(st.from_type(Market), st.sampled_from(READINGS), st.data())
def test_demand_by_demand_gives_what_one_lattice_gives(market, reading, data):
    price = np.array(data.draw(st.lists(PRICES, min_size=market.providers, max_size=market.providers)), dtype=np.int64)
    expected = derived_bound(market, reading, price, None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(certificate, "LATTICE_LIMIT", 0)
        assert derived_bound(market, reading, price, None) == expected


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("scale", [1, 10**4, 10**12])
def test_the_certificates_of_vast_demands_are_derived_again(generate, reading, scale):
    """Under whole no lattice of demands is needed; of bundles, subsets of few providers do."""
    market = generate("uniform", 6, 10, 3, 8)
    vast = replace(market, demand=market.demand * scale, resource=market.resource * scale, unit_work=np.zeros(3))
    found = solve(vast, "column_generation", reading=reading, options={"rows": "providers"})
    price = found.certificate.price
    assert derived_bound(vast, reading, price, None) == found.certified_bound >= found.welfare
    same = replace(market, unit_work=np.zeros(3))
    assert derived_bound(same, reading, price, None) == found.certified_bound


def test_a_vector_is_repeated_as_often_as_it_takes_in_one_pass(generate):
    """Three requests a slot, a lattice of 10^6: 333,334 slots."""
    market = replace(
        generate("uniform", 1, 1, 1, 0),
        demand=[[10**6]], value=[10**12], resource=[[3]], slots=[1], cost=[5], unit_work=[0.0],
    )  # fmt: skip
    bound = derived_bound(market, "bundle", np.array([7]), np.array([[3]]))
    assert bound == int(market.net_bid[0]) - 333_334 * 7 + 2


def test_more_work_than_allowed_is_refused_at_once(generate, refusal):
    market = replace(generate("uniform", 2, 40, 2, 0), demand=[[9999, 9998], [9999, 1]])
    vector, _ = distinct_rows(clipped(market))
    assert "steps" in refusal(derived_bound, market, "bundle", np.zeros(len(vector), dtype=np.int64), vector)
    vaster = replace(market, demand=[[10**9, 10**9], [10**9, 1]], unit_work=np.zeros(2))
    vector, _ = distinct_rows(clipped(vaster))
    assert "memory" in refusal(derived_bound, vaster, "bundle", np.zeros(len(vector), dtype=np.int64), vector)
