"""Thresholds, each checked by solving again with another solver at the threshold and beside it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auction import Market, solve
from auction.explain.report import report
from auction.explain.thresholds import Threshold, trading_cost, winning_bid
from auction.market import MICRO
from auction.search import Stop


def with_bid(market, task, bid):
    value = market.value.copy()
    value[task] = bid + market.extra_cost[task]
    return replace(market, value=value)


def with_cost(market, provider, cost):
    costs = market.cost.copy()
    costs[provider] = cost
    return replace(market, cost=costs)


def optimum(market, solver):
    outcome = solve(market, solver)
    assert outcome.proven_optimal
    return outcome.welfare


def holds(market, made, solver):
    """At a threshold the optimum is what it was; a micro-token beyond, it is more, so that every optimum trades."""
    total = optimum(market, solver)
    assert total == made.outcome.welfare
    checked = 0
    for i, found in made.bids.items():
        if found == Threshold() or found.never or found.most + market.extra_cost[i] > 2**61:
            continue
        assert found.exact, (i, found)
        assert optimum(with_bid(market, i, found.most), solver) == total
        assert optimum(with_bid(market, i, found.most + 1), solver) > total
        checked += 1
    for j, found in made.costs.items():
        if found == Threshold():
            continue
        assert optimum(with_cost(market, j, max(0, found.most)), solver) == total
        if found.most > 0:
            assert found.exact, (j, found)
            assert optimum(with_cost(market, j, found.least - 1), solver) > total
        checked += 1
    return checked


@given(st.from_type(Market), st.sampled_from(["bundle", "whole"]))
@settings(max_examples=40)
def test_thresholds_of_small_markets_are_exact(market, reading):
    made = report(market, solve(market, "brute_force", reading=reading), "whitepaper")
    total = made.outcome.welfare

    def again(other):
        return solve(other, "brute_force", reading=reading).welfare

    for i, found in made.bids.items():
        if found.never:
            assert again(with_bid(market, i, 2**50)) == total
        elif found != Threshold():
            assert found.exact
            assert again(with_bid(market, i, found.most)) == total < again(with_bid(market, i, found.most + 1))
    for j, found in made.costs.items():
        if found != Threshold():
            assert again(with_cost(market, j, max(0, found.most))) == total
            if found.most > 0:
                assert found.exact and again(with_cost(market, j, found.least - 1)) > total


def test_two_slots_that_only_together_gain_by_hand():
    """Tasks of 8 and 7 each need a slot of provider 2 beside one of those that serve the task of 10: 5 for two."""
    market = Market(
        demand=[[2, 0], [1, 1], [1, 1]], value=[10, 8, 7], unit_work=[0.0, 0.0], alpha=2, beta=0,
        resource=[[1, 0], [1, 0], [0, 1]], slots=[1, 1, 2], cost=[0, 0, 4], ability=np.ones((3, 2)),
    )  # fmt: skip
    made = report(market, solve(market, "brute_force"), "whitepaper")
    assert made.costs == {2: Threshold(3, 3)}  # 2 a slot leave 15 - 4 = 11, 3 leave 9: it is 2.5
    assert made.bids == {1: Threshold(11, 11), 2: Threshold(10, 10)}  # b - 4 + 3 > 10, b - 4 + 4 > 10


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 30))
def test_bounds_on_welfare_give_bounds_on_thresholds(short, over, seed):
    rng = np.random.default_rng(seed)
    market = Market(
        demand=rng.integers(1, 4, (4, 1)), value=rng.integers(0, 12, 4), unit_work=[0.0], alpha=2, beta=0,
        resource=rng.integers(1, 4, (4, 1)), slots=rng.integers(1, 3, 4), cost=rng.integers(1, 6, 4),
        ability=np.ones((4, 1)),
    )  # fmt: skip
    best = solve(market, "brute_force")
    loose = replace(best, bound=best.welfare + over, proven_optimal=over == 0)

    def loosely(other):
        found = solve(other, "brute_force")
        return replace(found, bound=found.welfare + over, proven_optimal=over == 0)

    def exactly(other):
        return solve(other, "brute_force")

    stop = Stop(None)
    for i in set(range(4)) - set(best.allocation.task.tolist()):
        exact, found = (winning_bid(market, o, i, 1 + short, s, stop) for o, s in ((best, exactly), (loose, loosely)))
        assert exact.most is None or (found.least <= exact.least and exact.most <= found.most)
    for j in set(range(4)) - set(best.allocation.provider.tolist()):
        exact, found = (trading_cost(market, o, j, s, stop) for o, s in ((best, exactly), (loose, loosely)))
        assert found.least is None or found.least <= max(exact.least or 0, exact.most)
        assert exact.most <= found.most


def test_without_a_bound_nothing_is_claimed(generate):
    market = generate("uniform", 6, 8, 2, 0)
    made = report(market, solve(market, "greedy"), "whitepaper")
    assert made.auction_gap is None and set(made.bids.values()) | set(made.costs.values()) == {Threshold()}


def test_reasons(generate):
    """Who cannot be served, who costs more than it bids, who is outbid; who offers nothing, who is not needed."""
    market = Market(
        demand=[[1, 0], [1, 0], [1, 0], [9, 0]], value=[9 * MICRO, 5 * MICRO, 1, 99 * MICRO], unit_work=[0.0, 0.0],
        alpha=2, beta=0, resource=[[1, 0], [0, 5], [1, 0], [2, 0]], slots=[1, 1, 0, 1],
        cost=[2 * MICRO, 0, 0, 6 * MICRO], ability=np.ones((4, 2)),
    )  # fmt: skip
    made = report(market, solve(market, "brute_force"), "whitepaper")
    assert made.losing == {
        1: "others make more of the same slots",
        2: "its cheapest providers cost 2, and others make more of them",
        3: "a slot of every provider, all that a task can have, lacks 6 requests of type 0",
    }
    assert made.bids[3] == Threshold(never=True)
    assert made.bids[1] == Threshold(6 * MICRO, 6 * MICRO)
    assert made.idle[1] == "it serves nothing that is asked for" and made.idle[2] == "it offers no slot"
    assert made.idle[3] == "others serve the same for less" and made.costs[3] == Threshold(5 * MICRO, 5 * MICRO)


def test_whole_tasks_need_a_provider_of_all_that_they_ask_for():
    market = Market(
        demand=[[3]], value=[9 * MICRO], unit_work=[0.0], alpha=2, beta=0, resource=[[1], [2]], slots=[1, 1],
        cost=[1, 1], ability=np.ones((2, 1)),
    )  # fmt: skip
    made = report(market, solve(market, "brute_force", reading="whole"), "whitepaper")
    assert made.losing == {0: "no provider alone completes what it asks for"}
    assert made.bids == {0: Threshold(never=True)}


def test_reasons_of_bids_that_are_too_low():
    """What the extra cost leaves is said, and that more than the cheapest cover is needed where others want it."""
    market = Market(
        demand=[[1], [1], [1]], value=[9 * MICRO, 3 * MICRO, MICRO // 2], unit_work=[0.0], alpha=2, beta=1,
        resource=[[1]], slots=[1], cost=[4 * MICRO], ability=np.ones((1, 1)),
    )  # fmt: skip
    made = report(market, solve(market, "brute_force"), "whitepaper")
    assert made.losing == {
        1: "it bids 2 after its extra cost, and its cheapest providers cost 4, and others make more of them",
        2: "its extra cost of 1 leaves nothing to bid",
    }
    assert made.bids[1] == Threshold(8 * MICRO, 8 * MICRO)
    market = replace(market, beta=0, value=[4 * MICRO, 3 * MICRO, 2 * MICRO])
    made = report(market, solve(market, "brute_force"), "whitepaper")
    assert made.losing[1] == made.losing[2] == "its cheapest providers cost 4"


@pytest.mark.parametrize("most, proven", [(None, False), (4, False), (3, False), (2, True)])
def test_why_a_provider_is_idle_is_not_claimed_beyond_what_is_proven(monkeypatch, most, proven):
    """At its cost of 3 it may trade in an optimum, unless none has it trade above a cost below."""
    market = Market(
        demand=[[1]], value=[9], unit_work=[0.0], alpha=2, beta=0,
        resource=[[1], [1]], slots=[1, 1], cost=[2, 3], ability=np.ones((2, 1)),
    )  # fmt: skip
    best = solve(market, "brute_force")
    monkeypatch.setattr("auction.explain.report.trading_cost", lambda *_: Threshold(None, most))
    made = report(market, replace(best, bound=best.bound + 5, proven_optimal=False), "whitepaper")
    assert made.idle == {1: "others serve the same for less" if proven else "not in the best allocation found"}
    assert report(market, best, "whitepaper").idle == {1: "others serve the same for less"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(50))
def test_thresholds_of_random_markets_hold_when_solved_again(generate, seed):
    family = ("uniform", "abundant", "scarce", "correlated", "heavy_tailed")[seed % 5]
    market = generate(family, 12, 10, 1 + seed % 4, seed)
    market = replace(market, slots=1 + np.arange(10) % 3) if seed % 2 else market
    made = report(market, solve(market, "column_generation"), "whitepaper")
    assert holds(market, made, "ilp_cpsat")


def test_without_time_the_rest_is_told_and_counted(generate):
    market = generate("scarce", 12, 10, 2, 1)
    outcome = solve(market, "ilp_cpsat")
    made = report(market, replace(outcome, status="interrupted"), "whitepaper")
    assert made.interrupted and made.unasked > 3
    assert set(made.bids.values()) | set(made.costs.values()) == {Threshold()}
    assert not report(market, outcome, "whitepaper", time_limit=1e-9).interrupted


@pytest.mark.parametrize("seed", range(3))
def test_prices_alone_bound_a_threshold_from_below(generate, monkeypatch, seed):
    market = generate("uniform", 8, 10, 2, seed)
    outcome = solve(market, "column_generation")
    known, floors = report(market, outcome, "whitepaper").bids, {}

    def priced(market, outcome, task, first, solve, stop, least=None):
        floors[task] = least
        return Threshold(least)

    monkeypatch.setattr("auction.explain.report.winning_bid", priced)
    report(market, outcome, "whitepaper")
    assert floors and all(0 < floors[i] <= known[i].most for i in floors)
