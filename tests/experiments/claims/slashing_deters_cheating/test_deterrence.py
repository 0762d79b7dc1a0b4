"""The games agree with their closed forms; populations end where those say."""

from fractions import Fraction

import numpy as np
import pytest

from experiments.claims.slashing_deters_cheating.challengers import Delay, Griefing, Inspection
from experiments.claims.slashing_deters_cheating.deterrence import (
    CHEAT,
    PUPPET,
    RULES,
    TASKS,
    Audits,
    OpenLeases,
    imitate,
    loners,
    population,
    stake,
)
from experiments.claims.slashing_deters_cheating.runs import OPEN

TENTH, FIFTH, EIGHTH, NONE = Fraction(1, 10), Fraction(1, 5), Fraction(1, 8), Fraction(0)
KAPPA = Fraction(3, 5)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize(
    "game",
    [
        Audits(TENTH, Fraction(5)),
        Audits(3 * TENTH, Fraction(2), false=FIFTH, share=3 * TENTH, first=Fraction(1, 2), cost=KAPPA),
        Audits(Fraction(1, 50), Fraction(40), NONE, share=Fraction(1)),
    ],
)
def test_one_lease_pays_what_the_closed_form_says(game, rng):
    option = np.repeat(np.arange(4), 20_000)
    payoff = game.play(option, rng).reshape(4, -1)
    error = payoff.std(axis=1) / np.sqrt(20_000) + 1e-12
    assert (np.abs(payoff.mean(axis=1) - np.array(game.expected(), float)) < 4 * error).all()


def test_cheating_on_one_lease_is_worth_the_designs_inequality():
    for p, sigma, q in [(FIFTH, 8, FIFTH), (FIFTH, 6, FIFTH), (FIFTH, 6, NONE), (TENTH, 11, NONE), (TENTH, 10, NONE)]:
        honest, _, cheat, _ = Audits(p, Fraction(sigma), q).expected()
        assert (honest > cheat) == (p * ((1 - q) * (1 + sigma * Fraction(7, 8)) - q) > 1)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("W", [1, 6, 40])
def test_open_leases_pay_what_the_closed_form_says(W, rule, rng):
    game = OpenLeases(TENTH, Fraction(5), W, rule, cost=KAPPA)
    option = np.repeat(np.arange(game.options.size), 4000)
    payoff = game.play(option, rng).reshape(game.options.size, -1)
    gain, expected = payoff.mean(axis=1) - float(1 - game.cost), [float(game.gain(int(k))) for k in game.options]
    assert (np.abs(gain - expected) < 4 * payoff.std(axis=1) / np.sqrt(4000) + 1e-12).all()


def test_leases_between_two_decisions_come_in_whole_lots_of_open_ones():
    assert all(TASKS % W == 0 for W in OPEN)


def test_all_at_once_is_worth_the_designs_inequality():
    game = OpenLeases(FIFTH, Fraction(8), 24, RULES[0], NONE, NONE)
    assert game.gain(24) * 24 == 24 - 24 * FIFTH - (1 - (1 - FIFTH) ** 24) * 8
    assert not game.deterred() and OpenLeases(FIFTH, Fraction(8), 1, RULES[0], NONE, NONE).deterred()
    assert all(OpenLeases(FIFTH, Fraction(8), W, RULES[1]).deterred() for W in (1, 4, 24))
    assert not any(OpenLeases(FIFTH, Fraction(10**6), W, RULES[2]).deterred() for W in (1, 4, 24))


@pytest.mark.parametrize("learn", [population, loners])
@pytest.mark.parametrize("ratio, low, high", [(Fraction(1, 2), 0.9, 1.0), (Fraction(2), 0.0, 0.06)])
def test_learners_end_where_the_closed_form_says(learn, ratio, low, high, rng):
    learned = learn(Audits(TENTH, stake(ratio, TENTH)).play, 3, 200, 200, rng)
    assert low <= learned.share[CHEAT] + learned.share[PUPPET] <= high
    assert learned.share.sum() == pytest.approx(1.0)


def test_imitation_moves_towards_what_pays_in_proportion(rng):
    option = np.arange(20_000) % 2
    moved = [imitate(option, gain * option, 2, rng, 1.0).mean() - 0.5 for gain in (0.2, 0.4)]
    assert moved == pytest.approx([0.05, 0.1], abs=0.01)


def test_voluntary_auditors_circle_the_mixed_equilibrium(rng):
    game = Inspection(12.0, 6.0)
    assert game.equilibrium() == pytest.approx((1 / 6, 1 / 13))
    assert game.simulate(400, 2000, rng) == pytest.approx(game.equilibrium(), rel=0.25)


def test_a_lot_or_a_jackpot_ends_cheating():
    assert Inspection(12.0, 12.0, system=0.08).equilibrium() == (0.0, 0.0)
    assert Inspection(12.0, 12.0, system=0.08, friends=0.2).equilibrium()[0] == pytest.approx(1 / 12)
    assert Inspection(12.0, 12.0, forced=0.05, jackpot=40.0).equilibrium() == (0.0, 1.0)
    assert Inspection(12.0, 12.0, system=0.08, forced=0.05, jackpot=20.0).equilibrium() == (0.0, 0.0)  # c = phi J
    assert Inspection(12.0, 0.5).equilibrium() == (1.0, 0.0)


def test_a_lone_griefer_gains_up_to_the_threshold(rng):
    alone = np.zeros((40_000, 10), dtype=np.int64)
    alone[:, 0] = 1
    for bond, sign in ((0.6, 1), (1.2, -1)):
        game = Griefing(bond)
        payoff, done = game.window(alone, rng)
        gain = payoff[:, 0].mean() - game.margin * game.load
        assert sign * gain > 0 and gain == pytest.approx(game.threshold() - bond, abs=0.08)
        assert (done.sum(axis=1) > 0).all()


@pytest.mark.parametrize("k", [1, 9, 100])
def test_a_budget_for_each_dispute_is_all_that_a_dishonest_challenger_can_use(k, rng):
    for clock in (False, True):
        game = Delay(k, clock)
        finals = [game.simulate(rng) for _ in range(50)]
        assert np.mean(finals) == pytest.approx(game.expected(), rel=0.02)
    assert Delay(k, True).expected() == 600 + k * (4 * 60 + 60 + 20)
    assert Delay(k, False).expected() == 600 + k * 20 * (60 + 1)


@pytest.mark.parametrize("ratio, p", [(Fraction(4, 5), Fraction(1, 20)), (Fraction(6, 5), FIFTH)])
@pytest.mark.parametrize("q", [NONE, FIFTH])
def test_a_stake_is_the_ratios_multiple_of_what_deters(ratio, p, q):
    sigma = stake(ratio, p, q, EIGHTH, KAPPA)
    assert p * ((1 - q) * (1 + sigma * (1 - EIGHTH)) - q * KAPPA) == ratio * KAPPA


def test_the_markets_stake_is_a_little_less_than_a_quarter_above_what_deters():
    assert stake(Fraction(31, 25), FIFTH) == 8
