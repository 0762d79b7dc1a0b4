"""What must hold of every history of rounds; arrivals and failures as they are drawn."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auction import solve
from auction.allocation import Allocation
from auction.market import Market
from auction.prices import trade_prices
from auction.rounds import CHEATED, MISSED, NEVER, History, failing_at_random, poisson_arrivals, simulate
from auction.welfare import user_utility, welfare

BEST_ORDER = {"backfill": True, "task_order": "ratio", "provider_order": "ratio"}


@pytest.fixture(scope="module")
def busy(generate):
    """A market at a load at which not everyone is served, and when its tasks arrive."""
    market = generate("classes", 150, 25, 3, seed=4)
    return market, poisson_arrivals(150, 150 / 600, np.random.default_rng(4))


def run(busy, **changed) -> History:
    market, arrival = busy
    how = {"rounds": 20, "perform": failing_at_random(25, 0.15, 0.05, seed=2), "options": BEST_ORDER}
    return simulate(market, arrival, **how | changed)


@pytest.mark.parametrize("options", [{}, BEST_ORDER], ids=["printed order", "best order"])
@pytest.mark.parametrize("reading", ["bundle", "whole"])
def test_what_holds_of_every_history(busy, reading, options):
    market, arrival = busy
    history = run(busy, reading=reading, options=options)
    served = history.served >= 0
    assert served.any() and not served.all() and history.failures.any() and (history.removed >= 0).any()
    assert (history.payment <= market.net_bid)[served].all() and (history.utility >= 0).all()
    assert not history.payment[~served].any() and not history.utility[~served].any()
    assert (history.paid == history.received).all()
    assert history.paid.sum() == history.payment.sum() == history.receipt.sum()
    assert (history.entered == np.minimum(arrival // 30, 20)).all() and (history.served >= history.entered)[
        served
    ].all()
    assert (history.failures <= history.waited).all()
    assert (history.delay[served] > 30 * history.waited[served]).all()
    assert (history.delay[served] <= 30 * (history.waited[served] + 1)).all() and np.isinf(history.delay[~served]).all()
    present = [np.count_nonzero(history.entered <= number) for number in range(20)]
    assert history.waiting.tolist() == [
        k - np.count_nonzero(served & (history.served <= r)) for r, k in enumerate(present)
    ]
    assert ((history.first_failed >= 0) == (history.failures > 0)).all()
    assert ((history.ranked_by > market.value) == (history.failures > 0)).all()
    assert history.starving(5).tolist() == np.flatnonzero(history.waited > 5).tolist()


def test_welfare_is_what_was_completed_less_every_slot_taken(busy):
    market, spent = busy[0], []
    chances = failing_at_random(25, 0.15, 0.05, seed=2)

    def watched(number, allocation):
        spent.append(market.cost[allocation.provider].sum())
        return chances(number, allocation)

    history = run(busy, perform=watched)
    for number, gained in enumerate(history.welfare):
        assert gained == market.net_bid[history.served == number].sum() - spent[number]
    assert 0 < history.in_vain.sum() < sum(spent) and not run(busy, perform=None).in_vain.any()
    surpluses = history.utility.sum() + history.receipt.sum() - sum(spent)
    assert history.welfare.sum() == surpluses


def test_same_seed_same_history(busy):
    first, again, other = (run(busy, perform=failing_at_random(25, 0.2, 0.0, seed)) for seed in (1, 1, 2))
    assert (first.served == again.served).all() and (first.payment == again.payment).all()
    assert (first.served != other.served).any()
    shuffled = [run(busy, seed=seed, options={"task_order": "random"}).served.tolist() for seed in (0, 0, 1)]
    assert shuffled[0] == shuffled[1] != shuffled[2]


@settings(max_examples=60)
@given(st.from_type(Market))
def test_one_round_without_failures_is_the_auction(market):
    history = simulate(market, np.zeros(market.tasks), rounds=1)
    outcome = solve(market, "bid_density")
    payment, receipt = trade_prices(market, outcome.allocation)
    assert history.payment.tolist() == payment.tolist() and history.receipt.tolist() == receipt.tolist()
    assert history.utility.tolist() == user_utility(market, outcome.allocation, payment).tolist()
    assert history.welfare.tolist() == [outcome.welfare] == [welfare(market, outcome.allocation)]
    assert history.waiting.tolist() == [market.tasks - np.unique(outcome.allocation.task).size]


def test_with_supply_for_everyone_whoever_wins_one_auction_is_served_at_once(generate):
    drawn = generate("uniform", 60, 40, 2, seed=1)
    market = replace(drawn, slots=np.full(40, 100))
    history = simulate(market, poisson_arrivals(60, 0.1, np.random.default_rng(0)), rounds=60, options=BEST_ORDER)
    alone = solve(market, "bid_density", options=BEST_ORDER).allocation
    wins = np.isin(np.arange(60), alone.task)
    assert 0 < np.count_nonzero(wins) < 60
    assert (history.served == np.where(wins, history.entered, NEVER)).all() and not history.waited[wins].any()
    assert set(history.starving(0)) == set(np.flatnonzero(~wins))
    assert history.payment.tolist() == trade_prices(market, alone)[0].tolist()


def test_tasks_that_arrive_after_the_last_round_take_no_part(busy):
    arrival = np.where(np.arange(150) % 2, 1e308, busy[1])
    history = simulate(busy[0], arrival, rounds=20, seconds=0.01)
    late = arrival >= 0.2
    assert late[1::2].all() and (history.entered[late] == 20).all() and (history.served[late] == NEVER).all()
    assert not history.waited[late].any() and history.waiting[-1] + (history.served != NEVER).sum() == (~late).sum()


def test_poisson_arrivals_have_their_rate():
    arrival = poisson_arrivals(20_000, 4.0, np.random.default_rng(0))
    gaps = np.diff(arrival)
    assert (gaps > 0).all() and arrival[-1] == pytest.approx(5000, rel=0.03)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.03)
    assert poisson_arrivals(0, 1.0, np.random.default_rng(0)).size == 0


def test_failures_have_their_chance_and_do_not_depend_on_the_auction():
    everyone = Allocation.of(np.zeros(1000), np.arange(1000))
    perform = failing_at_random(1000, np.linspace(0, 0.4, 1000), 0.1, seed=3)
    became = np.array([perform(number, everyone) for number in range(200)])
    assert np.mean(became == CHEATED) == pytest.approx(0.1, rel=0.05)
    assert np.mean(became == MISSED) == pytest.approx(0.2, rel=0.05)
    assert np.mean(became[:, :100] == MISSED) < 0.05 < np.mean(became[:, 900:] == MISSED)
    assert (perform(7, Allocation.of([0, 1], [3, 500])) == became[7, [3, 500]]).all()


@pytest.mark.parametrize(
    "changed, part",
    [
        ({"rounds": 0}, "rounds: 0"),
        ({"seconds": 0.0}, "seconds: 0"),
        ({"seconds": float("nan")}, "seconds: nan"),
        ({"raise_factor": 0.9}, "raise_factor: 0.9"),
        ({"raise_factor": float("inf")}, "raise_factor: inf"),
        ({"patience": 0}, "patience: 0"),
        ({"reading": "half"}, "unknown reading 'half'"),
        ({"options": {"order": "x"}}, "unknown option 'order'"),
        ({"options": {"task_order": "x"}}, "task_order"),
    ],
)
def test_bad_input_is_refused_in_one_line(busy, refusal, changed, part):
    assert part in refusal(run, busy, **changed)


def test_bad_arrivals_and_chances_are_refused(busy, refusal):
    market, arrival = busy
    assert "arrival" in refusal(simulate, market, arrival[1:], rounds=3)
    assert "arrival[0]" in refusal(simulate, market, -arrival, rounds=3)
    assert "rate: 0" in refusal(poisson_arrivals, 3, 0.0, np.random.default_rng(0))
    assert "count: -1" in refusal(poisson_arrivals, -1, 1.0, np.random.default_rng(0))
    assert "missed" in refusal(failing_at_random, 3, 1.5, 0.0, 0)
    assert "cheated" in refusal(failing_at_random, 3, 0.5, [0.1, 0.2], 0)
    assert "sum" in refusal(failing_at_random, 3, 0.5, 0.6, 0)
