"""The protocols judge as their closed forms say; bisection finds the fault; the criterion judges as it reads."""

import numpy as np
import pandas as pd
import pytest

from experiments.claims import several_verifiers_require_full_trust as claim


@pytest.mark.parametrize("protocol", claim.PROTOCOLS)
@pytest.mark.parametrize("wrong", [True, False])
@pytest.mark.parametrize("n, q", [(1, 0.3), (4, 0.5), (5, 0.2)])
def test_protocols_misjudge_as_often_as_the_closed_form_says(protocol, wrong, n, q):
    rng, trials = np.random.default_rng(0), 600
    judged = [claim.trial(claim.PROTOCOLS[protocol], rng.random(n) >= q, wrong, rng) for _ in range(trials)]
    expected = claim.expected(protocol, n, q)[0 if wrong else 1]
    error = np.sqrt(expected * (1 - expected) / trials)
    assert abs(np.mean([j.stands == wrong for j in judged]) - expected) <= 4 * error


@pytest.mark.parametrize("fault", [0, 1, 31, claim.STEPS - 1])
def test_one_honest_challenger_among_many_is_enough_wherever_the_fault_is(fault):
    rng, honest = np.random.default_rng(0), np.arange(20) == 19
    assert not claim.challenge(claim.trace(7, fault), honest, True, rng).stands
    assert claim.challenge(claim.trace(7, fault), ~(honest | True), True, rng).stands


def test_false_challenges_cost_the_referee_a_step_each_and_change_nothing():
    judged = claim.challenge(claim.trace(7), np.zeros(9, dtype=bool), False, np.random.default_rng(0))
    assert judged == (True, 9)


def test_who_seldom_looks_seldom_finds():
    rng = np.random.default_rng(0)
    stands = [claim.trial(claim.challenge, np.ones(3, bool), True, rng, looking=0.2).stands for _ in range(800)]
    assert np.mean(stands) == pytest.approx(claim.expected(claim.ANY, 3, 0.0, 0.2)[0], abs=0.06)


@pytest.mark.parametrize(
    "single, most, verdict", [(0.0, 0.0, "refuted"), (0.0, 0.1, "qualified"), (0.1, 1.0, "upheld")]
)
def test_the_criterion_judges_as_it_reads(single, most, verdict):
    results = claim.run("tiny")
    rows = [(claim.ANY, 5, 1, True, single), (claim.ANY, 5, 4, True, most), (claim.ALL, 5, 1, True, 1.0)]
    rows += [(claim.ALL, 5, 4, True, 1.0), (claim.ONE, 5, 1, True, 0.0), (claim.ONE, 5, 4, True, 0.0)]
    counted = pd.DataFrame(rows, columns=results["counted"].columns)
    assert claim.check(results | {"counted": counted}).verdict == verdict
