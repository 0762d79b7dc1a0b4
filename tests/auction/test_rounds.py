"""The loop of rounds against a plain coding of it; what must hold of every history."""

from dataclasses import replace
from fractions import Fraction
from math import isqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auction import solve
from auction.market import AMOUNT_LIMIT, Allocation, Market
from auction.prices import trade_prices
from auction.rounds import (
    CHEATED,
    DONE,
    MISSED,
    NEVER,
    History,
    failing_at_random,
    poisson_arrivals,
    simulate,
)
from auction.welfare import user_utility, welfare

BEST_ORDER = {"backfill": True, "task_order": "ratio", "provider_order": "ratio"}
FATES = st.lists(st.sampled_from((DONE, DONE, MISSED, CHEATED)), min_size=5, max_size=5)  # of up to five providers


def fated(fates):
    """Provider j does in round r what ``fates`` says."""
    return lambda number, allocation: np.array(fates)[number, allocation.provider]


def normalised(column):
    low, high = min(column), max(column)
    return [
        Fraction(1, 2) if low == high else Fraction(1, 100) + Fraction(98, 100) * (x - low) / (high - low)
        for x in column
    ]


def ranked(rows, keys):
    """Rows by key descending, ties by row."""
    return sorted(rows, key=lambda row: (-keys[row], row))


def rounded_root(total):
    """The square root to 9 decimals, half up: ties of the true root with a half do not occur here."""
    nano = isqrt(total.numerator * 4 * 10**18 // total.denominator)
    return (nano + 1) // 2


def density(columns, inverted=()):
    shares = [normalised(column) for column in columns]
    return [
        rounded_root(sum((1 / share[row] ** 2 if k in inverted else share[row] ** 2) for k, share in enumerate(shares)))
        for row in range(len(columns[0]))
    ]


def reference(market, entered, fates, raise_factor, printed, patience, best_order):
    """Round by round, task by task: served, first_failed, failures, payment, receipt, removed."""
    m, n, types = market.tasks, market.providers, range(market.types)
    C, s, c = market.demand.tolist(), market.resource.tolist(), market.cost.tolist()
    v, e, psi = market.value.tolist(), market.extra_cost.tolist(), market.ability.tolist()
    raised, served, first_failed, failures, payment = list(v), [NEVER] * m, [NEVER] * m, [0] * m, [0] * m
    receipt, removed = [0] * n, [NEVER] * n
    for number, fate in enumerate(fates):
        pool = [i for i in range(m) if entered[i] <= number < entered[i] + patience and served[i] == NEVER]
        there = [j for j in range(n) if removed[j] == NEVER]
        if not pool or not there:
            continue
        if best_order:
            by_task = {i: Fraction(raised[i], sum(C[i])) for i in pool}
            price = {j: Fraction(c[j], sum(s[j])) for j in there}
            queue = sorted(there, key=lambda j: (price[j], j))
        else:
            by_task = dict(
                zip(pool, density([*([C[i][k] for i in pool] for k in types), [raised[i] for i in pool]]), strict=True)
            )
            columns = [[Fraction(s[j][k]) for j in there] for k in types] + [
                [Fraction(psi[j][k]) for j in there] for k in types
            ]
            queue = ranked(there, dict(zip(there, density(columns, inverted=types), strict=True)))
        left = {j: market.slots.tolist()[j] for j in there}
        start, out = 0, []
        for i in ranked(pool, by_task):
            bid = (raised[i] if printed else v[i]) - e[i]
            q, taken, position = list(C[i]), [], 0 if best_order else start
            while any(q) and position < len(queue):
                j = queue[position]
                if left[j] and any(q[k] and s[j][k] for k in types):
                    taken.append(j)
                    q = [max(0, q[k] - s[j][k]) for k in types]
                position += any(q)
            spent = sum(c[j] for j in taken)
            if any(q) or spent > bid:
                continue
            start = position
            for j in taken:
                left[j] -= 1
            if any(fate[j] != DONE for j in taken):
                first_failed[i] = first_failed[i] if failures[i] else number
                failures[i] += 1
                raised[i] += round(raised[i] * (raise_factor - 1))
                out += [j for j in taken if fate[j] == CHEATED]
                continue
            served[i], payment[i] = number, (spent + bid) // 2
            units = {j: sum(s[j]) for j in taken}
            half = payment[i] - spent
            parts = {j: half * units[j] // sum(units.values()) for j in taken}
            parts[min(taken)] += half - sum(parts.values())
            for j in taken:
                receipt[j] += c[j] + parts[j]
        for j in out:
            removed[j] = number
    return served, first_failed, failures, payment, receipt, removed


def offering(market):
    """A market all of whose slots complete something: the reference divides by their units."""
    return market.tasks and market.providers and market.resource.any(axis=1).all()


def agree(market, entered, fates, factor, printed, patience, best_order):
    history = simulate(
        market,
        30.0 * np.array(entered, dtype=float) + 7,
        rounds=len(fates),
        perform=fated(fates),
        raise_factor=factor,
        printed=printed,
        patience=patience,
        options=BEST_ORDER if best_order else {},
    )
    expected = reference(market, entered, fates, factor, printed, patience, best_order)
    for name, column in zip(
        ("served", "first_failed", "failures", "payment", "receipt", "removed"), expected, strict=True
    ):
        assert getattr(history, name).tolist() == column, name
    return history


@pytest.mark.parametrize("best_order", [False, True])
@pytest.mark.parametrize("printed", [False, True])
@settings(max_examples=150)
@given(
    st.from_type(Market).filter(offering),
    st.lists(st.integers(0, 2), min_size=4, max_size=4),
    st.lists(FATES, min_size=5, max_size=5),
    st.sampled_from((1.0, 1.5, 4.0)),
    st.sampled_from((1, 3, 5)),
)
def test_the_loop_is_that_of_the_docstring(best_order, printed, market, entered, fates, factor, patience):
    agree(market, entered[: market.tasks], fates, factor, printed, patience, best_order)


@pytest.mark.parametrize("best_order", [False, True])
@pytest.mark.parametrize("printed", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_the_loop_of_larger_markets(generate, best_order, printed, seed):
    rng = np.random.default_rng(seed)
    market = generate("uniform", 40, 12, 2, seed)
    market = replace(market, resource=np.maximum(market.resource, 1))
    entered = np.sort(rng.integers(0, 10, 40)).tolist()
    fates = rng.choice((DONE, MISSED, CHEATED), (12, 12), p=(0.7, 0.28, 0.02)).tolist()
    history = agree(market, entered, fates, 3.0, printed, 6, best_order)
    assert (history.failures > 1).any() and (history.served[history.failures > 0] != NEVER).any()


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


def test_a_task_ranked_higher_pays_by_the_bid_it_came_with():
    # Two tasks, one slot a round. Task 1 is worth more and fails first; then task 0 would still be behind it. Task 2,
    # worth most, comes in round 1: only the raise puts task 1 before it.
    market = Market(
        demand=[[1], [1], [1]],
        value=[10_000_000, 20_000_000, 25_000_000],
        unit_work=[0.0],
        alpha=2,
        beta=1,
        resource=[[1]],
        slots=[1],
        cost=[1_000_000],
        ability=[[0.5]],
    )
    fates = fated([[MISSED], [DONE], [DONE], [DONE]])
    for factor, printed, served, price in ((1.0, False, 2, 10.0), (1.5, False, 1, 10.0), (1.5, True, 1, 15.0)):
        history = simulate(market, [0, 0, 31], rounds=4, perform=fates, raise_factor=factor, printed=printed)
        assert history.served.tolist() == [3, served, 3 - served]
        assert history.payment[1] == price * 1_000_000 and history.failures.tolist() == [0, 1, 0]
        assert history.ranked_by[1] == 20_000_000 * factor and history.first_failed.tolist() == [NEVER, 0, NEVER]
        assert history.in_vain.tolist() == [1_000_000, 0, 0, 0] and history.welfare[0] == -1_000_000


def test_the_printed_raise_can_cost_more_than_the_task_is_worth():
    market = Market(
        demand=[[1]],
        value=[10_000_000],
        unit_work=[0.0],
        alpha=2,
        beta=1,
        resource=[[1]],
        slots=[1],
        cost=[8_000_000],
        ability=[[0.5]],
    )
    fates = fated([[MISSED], [MISSED], [DONE]])
    history = simulate(market, [0], rounds=3, perform=fates, printed=True)
    assert history.payment.tolist() == [(8_000_000 + 21_500_000) // 2]
    assert history.utility.tolist() == [9_000_000 - 14_750_000]


def test_a_cheat_is_removed_and_one_that_missed_its_time_stays():
    market = Market(
        demand=[[1], [1]],
        value=[20_000_000, 20_000_000],
        unit_work=[0.0],
        alpha=2,
        beta=1,
        resource=[[1], [1]],
        slots=[1, 1],
        cost=[1, 1],
        ability=[[0.5], [0.5]],
    )
    history = simulate(market, [0, 0], rounds=3, perform=fated([[CHEATED, MISSED], [DONE, MISSED], [DONE, DONE]]))
    assert history.removed.tolist() == [0, NEVER]
    assert sorted(history.failures.tolist()) == [1, 2] and sorted(history.served.tolist()) == [NEVER, 2]


def test_patience_ends():
    market = Market(
        demand=[[1]],
        value=[1_000_000],
        unit_work=[0.0],
        alpha=2,
        beta=1,
        resource=[[1]],
        slots=[1],
        cost=[9],
        ability=[[0.5]],
    )
    forever, gone = (simulate(market, [40.0], rounds=6, patience=patience) for patience in (None, 2))
    assert forever.waiting.tolist() == [0, 1, 1, 1, 1, 1] and forever.waited.tolist() == [5]
    assert gone.waiting.tolist() == [0, 1, 1, 0, 0, 0] and gone.waited.tolist() == [2]


@pytest.mark.parametrize("value", [AMOUNT_LIMIT - 4_000_000, 2**61, 2**52])
def test_raised_values_never_leave_int64(value):
    market = Market(
        demand=[[1], [1]],
        value=[value - 1_000_000, 1_000_000],
        unit_work=[0.0],
        alpha=2,
        beta=1,
        resource=[[1], [1]],
        slots=[1, 1],
        cost=[0, 0],
        ability=[[0.5], [0.5]],
    )
    history = simulate(
        market, [0, 0], rounds=9, perform=failing_at_random(2, 1.0, 0.0, 0), raise_factor=1000, printed=True
    )
    assert history.failures.tolist() == [9, 9]
    assert (history.ranked_by >= market.value).all() and history.ranked_by.sum() < AMOUNT_LIMIT
    unraised = simulate(market, [0, 0], rounds=2, perform=failing_at_random(2, 1.0, 0.0, 0), raise_factor=1)
    assert unraised.ranked_by.tolist() == market.value.tolist()


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
