"""The audit refutes what is broken, not what holds, with the power it computes."""

import math

import numpy as np
import pytest
from scipy import stats

from auction.incentives import privacy_audit
from auction.incentives.privacy_audit import (
    TIGHT_GRID,
    draws_needed,
    lower_bound,
    power,
    privacy_loss,
    ratio_bound,
    tight_neighbours,
)
from auction.mechanisms import private

EPSILONS = (0.3, 1.0, 3.0)


@pytest.mark.parametrize("count, draws", [(0, 7), (1, 7), (7, 7), (300, 1000)])
def test_bounds_are_clopper_and_pearsons(count, draws):
    def exact(alternative):
        test = stats.binomtest(count, draws, 0.5, alternative)
        return test.proportion_ci(0.975, "exact")

    counts = np.array([count])
    assert privacy_audit._lower(counts, draws, 0.025) == pytest.approx(exact("greater").low)
    assert privacy_audit._upper(counts, draws, 0.025) == pytest.approx(exact("less").high)


@pytest.mark.parametrize("p, q, epsilon", [(0.5, 0.1, 0.3), (0.9, 0.2, 0.0), (0.3, 0.3, 0.1)])
def test_power_is_the_sum_over_all_counts(p, q, epsilon):
    draws = 40
    chance = 0.0
    for x in range(draws + 1):
        for y in range(draws + 1):
            refuted = ratio_bound(np.array(x), np.array(y), draws, 0.95) > epsilon
            chance += refuted * stats.binom.pmf(x, draws, p) * stats.binom.pmf(y, draws, q)
    assert power(draws, p, q, epsilon) == pytest.approx(chance, abs=1e-12)


def test_draws_needed_reach_the_power_and_half_of_them_do_not(refusal):
    draws = draws_needed(0.5, 0.5 * math.exp(-2), 1.0)
    assert power(draws, 0.5, 0.5 * math.exp(-2), 1.0) >= 0.9 > power(draws // 2, 0.5, 0.5 * math.exp(-2), 1.0)
    assert "no number of draws" in refusal(draws_needed, 0.5, 0.5 * math.exp(-1), 1.0)


def test_disjoint_draws_are_bounded_by_their_number_and_equal_ones_by_nothing():
    zeros, ones = np.zeros(200, dtype=np.int64), np.ones(200, dtype=np.int64)
    for pair in ((zeros, ones), (ones, zeros)):  # 100 of 100 against 0 of 100
        assert lower_bound(*pair) == pytest.approx(math.log(0.025**0.01 / (1 - 0.025**0.01)))
    assert lower_bound(zeros, zeros) == lower_bound(np.arange(200), np.arange(200)) == 0


def test_the_event_is_tested_on_other_draws_than_those_that_chose_it():
    first, second = np.arange(400), np.arange(400)
    second[:200] += 400  # disjoint in the half that chooses, equal in the other
    assert lower_bound(first, second) == 0


def test_loss_of_known_distributions():
    assert privacy_loss(np.array([0.5, 0.5, 0.0]), np.array([0.25, 0.75, 0.0])) == pytest.approx(math.log(2))
    assert privacy_loss(np.array([1.0, 0.0]), np.array([0.5, 0.5])) == math.inf


def draws_of(epsilon, draws, seed):
    """Numbers of prices drawn by ``private`` in the tight neighbours."""
    rng = np.random.default_rng(seed)
    chances = [private.price_distribution(m, epsilon=epsilon, grid=TIGHT_GRID)[1] for m in tight_neighbours()]
    return [rng.choice(chance.size, draws, p=chance) for chance in chances]


def enough(epsilon, factor):
    """Draws with which a loss of factor * epsilon on the tight neighbours is refuted with chance 0.9; half choose."""
    return 2 * draws_needed(0.5, 0.5 * math.exp(-factor * epsilon), epsilon)


def understated(monkeypatch, factor):
    scale = private.noise_scale
    monkeypatch.setattr(private, "noise_scale", lambda maximum, epsilon: scale(maximum, epsilon) / factor)


@pytest.mark.parametrize("epsilon", EPSILONS)
def test_the_stated_epsilon_stands(epsilon):
    for seed in range(3):
        assert lower_bound(*draws_of(epsilon, enough(epsilon, 1.25), seed)) <= epsilon


@pytest.mark.parametrize("epsilon", EPSILONS)
def test_a_sensitivity_understated_four_times_is_refuted(epsilon, monkeypatch):
    understated(monkeypatch, 4)
    for seed in range(3):
        assert lower_bound(*draws_of(epsilon, 2 * enough(epsilon, 4), seed)) > epsilon


def test_bids_that_are_not_clipped_are_refuted(monkeypatch):
    score = private.scores
    monkeypatch.setattr(private, "scores", lambda market, prices, maximum: score(market, prices, 100 * maximum))
    rng = np.random.default_rng(0)
    chances = [private.price_distribution(m, epsilon=1.0, maximum=20.0, grid=TIGHT_GRID)[1] for m in tight_neighbours()]
    assert lower_bound(*(rng.choice(2, 4000, p=chance) for chance in chances)) > 1.0


@pytest.mark.slow
@pytest.mark.parametrize("epsilon", EPSILONS)
def test_errors_of_both_kinds_are_as_rare_as_stated(epsilon, monkeypatch):
    audits = 2000
    draws = enough(epsilon, 2)
    false = sum(lower_bound(*draws_of(epsilon, draws, seed)) > epsilon for seed in range(audits))
    assert stats.binomtest(false, audits, 0.05, "greater").pvalue > 1e-6
    understated(monkeypatch, 2)
    found = sum(lower_bound(*draws_of(epsilon, draws, seed)) > epsilon for seed in range(audits))
    assert stats.binomtest(found, audits, 0.87, "less").pvalue > 1e-6  # 0.9, less what choosing the event may cost
