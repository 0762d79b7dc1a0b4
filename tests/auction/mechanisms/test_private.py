"""The private price: scores by their definition, neighbours within epsilon exactly, sales at the price alone."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import opendp.prelude as dp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from auction import mechanisms
from auction.incentives.privacy_audit import TIGHT_GRID, privacy_loss, tight_neighbours
from auction.market import MICRO, READINGS, Market
from auction.mechanisms import _permute_and_flip as permute_and_flip
from auction.mechanisms import private
from auction.welfare import provider_utility, user_utility

GRID = "0.5,8,1,3.3,12"


def offers(market, price, maximum):
    """(type, offer) of every request of a task that bids the price."""
    for demand, bid in zip(market.demand.tolist(), market.net_bid.tolist(), strict=True):
        if bid >= price * sum(demand):
            yield from ((k, min(bid, maximum) // sum(demand)) for k, count in enumerate(demand) for _ in range(count))


@given(st.from_type(Market), st.sampled_from((1, MICRO, 5 * MICRO, 10**9)))
def test_a_score_is_the_sum_of_the_largest_offers_that_meet_supply(market, maximum):
    per_request = np.maximum(market.net_bid // market.demand.sum(axis=1), 1)  # prices that a bid just meets
    prices = np.concatenate(([1, MICRO // 3, MICRO, 9 * MICRO], per_request))
    expected = []
    for price in prices.tolist():
        active = [j for j in range(market.providers) if market.cost[j] <= price * sum(market.resource[j].tolist())]
        total = 0
        for k in range(market.types):
            supply = sum(int(market.slots[j] * market.resource[j, k]) for j in active)
            total += sum(sorted((o for t, o in offers(market, price, maximum) if t == k), reverse=True)[:supply])
        expected.append(total)
    assert private.scores(market, prices, maximum).tolist() == expected


@st.composite
def neighbours(draw):
    """A market, and the same with one task removed or replaced by any other."""
    market = draw(st.from_type(Market).filter(lambda market: market.tasks))
    task = draw(st.integers(0, market.tasks - 1))
    if draw(st.booleans()):
        rest = np.arange(market.tasks) != task
        return market, replace(market, demand=market.demand[rest], value=market.value[rest]), True
    demand, value = market.demand.copy(), market.value.copy()
    row = st.lists(st.integers(0, 40), min_size=market.types, max_size=market.types).filter(any)
    demand[task], value[task] = draw(row), draw(st.sampled_from((0, 3 * MICRO, 10**8, 10**15)))
    return market, replace(market, demand=demand, value=value), False


@given(neighbours(), st.sampled_from((0.1, 1.0, 5.0)), st.sampled_from((2.0, 20.0)))
def test_one_task_moves_no_score_beyond_the_maximum_and_no_log_probability_beyond_epsilon(pair, epsilon, maximum):
    first, second, removed = pair
    prices = np.rint(MICRO * np.array([0.5, 8, 1, 3.3, 12])).astype(np.int64)
    moved = [private.scores(market, prices, int(maximum * MICRO)) for market in (first, second)]
    change = moved[0] - moved[1]
    assert (change >= (0 if removed else -maximum * MICRO)).all() and (change <= maximum * MICRO).all()
    drawn = [private.price_distribution(m, epsilon=epsilon, maximum=maximum, grid=GRID)[1] for m in (first, second)]
    assert privacy_loss(*drawn) <= epsilon + 1e-9


@pytest.mark.parametrize("epsilon", [0.01, 0.3, 1.0, 4.0])
def test_the_whole_of_epsilon_is_lost_on_the_tight_neighbours(epsilon):
    drawn = [private.price_distribution(m, epsilon=epsilon, grid=TIGHT_GRID)[1] for m in tight_neighbours()]
    assert privacy_loss(*drawn) == pytest.approx(epsilon, rel=1e-9)


def test_opendp_certifies_the_noise():
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.linf_distance(T="i64")
    dp.enable_features("contrib")
    for epsilon in np.geomspace(1e-6, 100, 60).tolist():
        scale = private.noise_scale(100 * MICRO, epsilon)
        assert dp.m.make_noisy_max(*space, dp.max_divergence(), scale=scale).map(100 * MICRO) <= epsilon


@pytest.mark.parametrize("reading", READINGS)
@given(market=st.from_type(Market), seed=st.integers(0, 5))
def test_payments_are_receipts_at_one_price_and_nobody_loses(reading, market, seed):
    settled = mechanisms.run(market, "private", reading=reading, seed=seed, options={"grid": GRID})
    assert settled.budget_surplus == 0 and settled.epsilon == 1.0
    assert (user_utility(market, settled.allocation, settled.payment) >= 0).all()
    assert (provider_utility(market, settled.allocation, settled.receipt) >= 0).all()
    units = np.zeros(market.tasks, dtype=np.int64)
    np.add.at(units, settled.allocation.task, market.resource.sum(axis=1)[settled.allocation.provider])
    assert len({p // u for p, u in zip(settled.payment.tolist(), units.tolist(), strict=True) if u}) <= 1
    assert settled.payment[units == 0].sum() == 0


def test_prices_are_drawn_with_the_stated_probabilities_seeded_and_released():
    market = tight_neighbours()[0]
    chance = private.price_distribution(market, epsilon=1.0, grid=TIGHT_GRID)[1]

    def dear(draws, **options):
        runs = [mechanisms.run(market, "private", seed=s, options={"grid": TIGHT_GRID} | options) for s in range(draws)]
        return sum(int(not run.payment.any()) for run in runs)  # at 10 nobody buys

    for options in ({}, {"release": True}):
        assert stats.binomtest(dear(400, **options), 400, chance[1]).pvalue > 1e-6
    first, again = [mechanisms.run(market, "private", seed=7, options={"grid": TIGHT_GRID}) for _ in range(2)]
    assert first.payment.tolist() == again.payment.tolist()


def test_the_release_takes_the_very_scores_and_scale(monkeypatch, generate):
    market = generate("uniform", 6, 10)
    prices, score, scale = private.scored(market, 0.5, 30.0, GRID)
    seen = []
    monkeypatch.setattr(permute_and_flip, "release", lambda *given: seen.append(given) or 1)
    settled = mechanisms.run(
        market, "private", options={"grid": GRID, "epsilon": 0.5, "maximum": 30, "release": "true"}
    )
    assert seen[0][0].tolist() == score.tolist() and seen[0][1] == scale == pytest.approx(120 * MICRO)
    units = market.resource.sum(axis=1)
    assert settled.receipt.sum() == prices[1] * units[settled.allocation.provider].sum()


def test_amounts_near_the_end_of_int64_do_not_wrap(refusal):
    market = Market(
        demand=[[1], [2]],
        value=[3 * 2**59, 3 * 2**59],
        unit_work=[0.0],
        alpha=2,
        beta=1,
        resource=[[1], [1]],
        slots=[2**62, 1],
        cost=[2**58, 2**59],
        ability=[[1], [1]],
    )
    options = {"grid": str(Decimal(2**59) / MICRO), "maximum": 4e12, "epsilon": 1e-12}
    paid = {tuple(mechanisms.run(market, "private", seed=s, options=options).payment.tolist()) for s in range(4)}
    assert paid == {(2**59, 2**60)}
    assert private.scores(market, np.array([2**59]), 2**62 - 1).tolist() == [3 * 2**60 - 2 * MICRO]
    assert "(2^62)" in refusal(mechanisms.run, market, "private", options={"grid": str(Decimal(2**61) / MICRO)})


@pytest.mark.parametrize(
    "option, value",
    [("epsilon", 0), ("epsilon", -1), ("epsilon", "inf"), ("epsilon", 1e-320), ("maximum", 0), ("maximum", 1e-9)]
    + [("maximum", 1e13), ("grid", ""), ("grid", "1,,2"), ("grid", "1,0"), ("grid", "-1"), ("grid", "nan")]
    + [("grid", "inf"), ("grid", "one"), ("grid", "1e999999999"), ("grid", ",".join(["1"] * 1001))],
)
def test_options_outside_their_range_are_refused(option, value, generate, refusal):
    market = generate("uniform", 2, 2)
    assert f"option {option}" in refusal(mechanisms.run, market, "private", options={option: value})
