"""The games agree with their closed forms; populations end where those say."""

import numpy as np
import pytest

from experiments.claims.slashing_deters_cheating.challengers import Delay, Griefing, Inspection
from experiments.claims.slashing_deters_cheating.deterrence import (
    CHEAT,
    RULES,
    Audits,
    OpenTasks,
    imitate,
    loners,
    population,
)
from experiments.claims.slashing_deters_cheating.runs import stake


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize(
    "game", [Audits(0.1, 5), Audits(0.3, 2, false=0.2, burnt=0.25, first=0.5), Audits(0.02, 40, burnt=0.0)]
)
def test_one_task_pays_what_the_closed_form_says(game, rng):
    option = np.repeat(np.arange(4), 20_000)
    payoff = game.play(option, rng).reshape(4, -1)
    error = payoff.std(axis=1) / np.sqrt(20_000) + 1e-12
    assert (np.abs(payoff.mean(axis=1) - game.expected()) < 4 * error).all()


def test_cheating_on_one_task_is_worth_the_designs_inequality():
    for p, S in [(0.1, 5.6), (0.1, 5.7), (0.02, 32.0), (0.02, 32.4)]:
        honest, cheat, *_ = Audits(p, S).expected()
        assert (honest > cheat) == (p * 0.9 * (1 + S) > 0.6)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("W", [1, 6, 40])
def test_open_tasks_pay_what_the_closed_form_says(W, rule, rng):
    game = OpenTasks(0.1, 5.0, W, rule)
    option = np.repeat(np.arange(game.options.size), 4000)
    payoff = game.play(option, rng).reshape(game.options.size, -1)
    gain = payoff.mean(axis=1) - (game.payment - game.cost)
    assert (np.abs(gain - game.gain(game.options)) < 4 * payoff.std(axis=1) / np.sqrt(4000) + 1e-12).all()


def test_all_at_once_is_worth_the_designs_inequality():
    game = OpenTasks(0.05, 15.0, 24, RULES[0])
    q, W = 0.05 * 0.9, 24
    assert game.gain(np.array([W]))[0] * W == pytest.approx(W * 0.6 - W * q - (1 - (1 - q) ** W) * 15.0)
    assert not game.deterred() and OpenTasks(0.05, 15.0, 1, RULES[0]).deterred()
    assert all(OpenTasks(0.05, 15.0, W, rule).deterred() for rule in RULES[1:])


@pytest.mark.parametrize("learn", [population, loners])
@pytest.mark.parametrize("ratio, low, high", [(0.5, 0.9, 1.0), (2.0, 0.0, 0.05)])
def test_learners_end_where_the_closed_form_says(learn, ratio, low, high, rng):
    learned = learn(Audits(0.1, stake(ratio, 0.1)).play, 2, 200, 200, rng)
    assert low <= learned.share[CHEAT] <= high
    assert learned.share.sum() == pytest.approx(1.0)


def test_imitation_moves_towards_what_pays_in_proportion(rng):
    option = np.arange(20_000) % 2
    moved = [imitate(option, gain * option, 2, rng, 1.0).mean() - 0.5 for gain in (0.2, 0.4)]
    assert moved == pytest.approx([0.05, 0.1], abs=0.01)


def test_voluntary_auditors_circle_the_mixed_equilibrium(rng):
    game = Inspection(12.0, 6.0)
    assert game.equilibrium() == pytest.approx((0.6 / 0.9 / 6.0, 0.6 / (0.9 * 13.0)))
    assert game.simulate(400, 2000, rng) == pytest.approx(game.equilibrium(), rel=0.25)


def test_the_system_or_a_jackpot_ends_cheating():
    assert Inspection(12.0, 12.0, system=0.06).equilibrium() == (0.0, 0.0)
    assert Inspection(12.0, 12.0, forced=0.05, jackpot=20.0).equilibrium() == (0.0, 1.0)
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


def test_disputes_in_sequence_add_up_and_at_once_overlap(rng):
    for k, parallel in ((1, False), (1, True), (9, False), (9, True), (40, True)):
        game = Delay(k, parallel)
        finals, late = zip(*(game.simulate(rng) for _ in range(50)), strict=True)
        assert np.mean(finals) == pytest.approx(game.expected(), rel=0.02) and not any(late)
    assert all(Delay(80, True).simulate(rng)[1] for _ in range(10))
