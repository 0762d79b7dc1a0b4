"""The protocols judge as their closed forms say; disputes end at the fault; the criterion judges as it reads."""

import numpy as np
import pandas as pd
import pytest

from experiments.claims import several_verifiers_require_full_trust as claim
from experiments.claims.several_verifiers_require_full_trust import chain, protocols


@pytest.mark.parametrize("protocol", claim.PROTOCOLS)
@pytest.mark.parametrize("wrong", [True, False])
@pytest.mark.parametrize("n, q", [(1, 0.3), (4, 0.5), (5, 0.2)])
def test_protocols_misjudge_as_often_as_the_closed_form_says(protocol, wrong, n, q):
    rng, trials = np.random.default_rng(0), 40 if protocol in claim.DISPUTED else 600
    judged = [claim.PROTOCOLS[protocol](rng.random(n) >= q, wrong, rng) for _ in range(trials)]
    expected = claim.expected(protocol, n, q)[0 if wrong else 1]
    error = np.sqrt(expected * (1 - expected) / trials)
    assert abs(np.mean([j.stands == wrong for j in judged]) - expected) <= 4 * error


@pytest.mark.parametrize("fault", [0, 1, 31, claim.STEPS - 1])
def test_a_dispute_ends_at_the_fault_wherever_it_is_and_whoever_is_silent(fault):
    right, wrong = chain.trace(7), chain.trace(7, fault)
    found = protocols.settled(wrong.tree.root, right, wrong)
    assert (found.winner, found.reason, found.node, found.macs) == ("challenger", "step-wrong", fault, 1)
    found = protocols.settled(right.tree.root, wrong, right)
    assert (found.winner, found.reason, found.node) == ("asserter", "step-right", fault)
    assert protocols.settled(right.tree.root, wrong, None).reason == "silent"
    assert protocols.settled(right.tree.root, wrong, None, [right]).winner == "asserter"
    assert protocols.settled(wrong.tree.root, right, None, [wrong, wrong]).winner == "challenger"


def test_one_honest_challenger_among_many_is_enough():
    rng, honest = np.random.default_rng(0), np.arange(20) == 19
    assert not protocols.challenge(honest, True, rng).stands
    assert protocols.challenge(honest & False, True, rng).stands
    assert not protocols.absent(honest, True, rng).stands


def test_false_challenges_cost_the_referee_a_step_each_and_change_nothing():
    assert protocols.challenge(np.zeros(9, dtype=bool), False, np.random.default_rng(0)) == (True, 9)


def test_who_is_right_and_offline_loses_only_if_both_deputies_are_false():
    rng = np.random.default_rng(0)
    for honest, falls in (((0, 0, 1), False), ((0, 0, 0), True), ((0, 1, 1, 1), False), ((0,), True), ((1, 1), False)):
        judged = [protocols.absent(np.array(honest, bool), False, rng).stands for _ in range(5)]
        assert judged == [not falls] * 5
    assert protocols.expected(protocols.ABSENT, 3, 0.5) == pytest.approx((0.125, 0.125))
    assert protocols.expected(protocols.ABSENT, 4, 0.5) == pytest.approx((1 / 16, (4 / 3 + 1) / 16))


def test_who_seldom_looks_seldom_finds():
    rng = np.random.default_rng(0)
    stands = [protocols.challenge(np.ones(3, bool), True, rng, 0.2).stands for _ in range(200)]
    assert np.mean(stands) == pytest.approx(claim.expected(claim.ANY, 3, 0.0, 0.2)[0], abs=0.12)


def test_a_chain_is_a_computation_whose_steps_give_what_its_run_gave():
    computation, seen = chain.Chain(7), []
    (last,) = computation.run(lambda first, outputs: seen.append((first, outputs.words.copy())))
    ((first, words),) = seen
    assert (first, words.size) == (0, claim.STEPS + 1) and words[-1] == words[-2] == last
    for node in range(claim.STEPS + 1):
        inputs = [words[other : other + 1] for step in computation.steps(node, 0) for other, _ in step.sources]
        assert computation.recompute(node, 0, 0, inputs) == words[node : node + 1]


SHARES = {claim.ONE: (0.30, 0.3), claim.ALL: (0.96, 0.0), claim.MAJORITY: (0.10, 0.1), claim.ANY: (0.001, 0.0)}
SHARES[claim.ABSENT] = (0.001, 0.05)


def results(any_one=((0, 0), (0, 0)), others=1.0, few=0.0):
    """Misjudged shares: of ``any one may challenge`` with m = 1 and n - 1, each of wrong and of right results."""
    counted = [
        (claim.ANY, n, m, wrong, misjudged)
        for n in (5, 9)
        for m, pair in zip((1, n - 1), any_one, strict=True)
        for wrong, misjudged in zip((True, False), pair if n == 9 else (0, 0), strict=True)
    ]
    for protocol in (claim.ALL, claim.MAJORITY, claim.ABSENT, claim.ONE):
        misjudged = 0.0 if protocol == claim.ONE else others
        counted += [(protocol, n, m, wrong, misjudged) for n in (5, 9) for m in (1, n - 1) for wrong in (True, False)]
    counted += [(protocol, n, 2, True, few) for protocol in claim.PROTOCOLS for n in (5, 9)]
    shares = [
        (protocol, n, q, wrong, pair[not wrong] if (n, q) == (9, 0.3) else 0.5, 6.3 if (n, q) == (9, 0.3) else 99.0)
        for protocol, pair in SHARES.items()
        for n in (3, 9)
        for q in (0.1, 0.3)
        for wrong in (True, False)
    ]
    return {
        "counted": pd.DataFrame(counted, columns=["protocol", "n", "dishonest", "wrong", "misjudged"]),
        "shares": pd.DataFrame(shares, columns=["protocol", "n", "q", "wrong", "misjudged", "recomputations"]),
    }


@pytest.mark.parametrize("few", [0.0, 1.0])
@pytest.mark.parametrize(
    "any_one, others, verdict",
    [
        (((0, 0), (0, 0)), 1.0, "refuted"),
        (((0, 0), (0, 0)), 0.0, "refuted"),
        (((0, 0), (1e-3, 0)), 1e-3, "qualified"),
        (((0, 0), (0, 1e-3)), 1e-3, "qualified"),  # a right result that falls counts as well
        (((1e-3, 0), (1.0, 0)), 1e-3, "upheld"),
        (((0, 1e-3), (1.0, 0)), 1e-3, "upheld"),
    ],
)
def test_the_criterion_judges_protocols_with_several_verifiers(any_one, others, verdict, few):
    assert claim.check(results(any_one, others, few)).verdict == verdict


def test_by_the_words_before_an_offline_provider_s_results_count():
    assert claim.whoever_is_offline(results(others=0.0)) == "refuted"
    found = results()
    assert claim.check(found).verdict == "refuted" and claim.whoever_is_offline(found) == "upheld"
    absent = (found["counted"]["protocol"] == claim.ABSENT) & (found["counted"]["dishonest"] == 1)
    found["counted"].loc[absent, "misjudged"] = 0
    assert claim.whoever_is_offline(found) == "qualified"


def test_the_figure_is_that_of_nine_verifiers_of_whom_30_percent_are_dishonest():
    verdict = claim.check(results())
    assert verdict.figure == (
        "with 30 % of nine verifiers dishonest a wrong result stands in 0.1% of trials if any one may challenge, 10% "
        "under majority, 30% with one verifier, 96% if all must agree"
    )
    assert "are dishonest, here in 5.0% of trials" in verdict.explanation
    assert "A right result costs 6.3 recomputations" in verdict.explanation


def test_protocols_of_disputes_are_tried_less_often_than_those_of_votes(tiny):
    shares = tiny("several_verifiers_require_full_trust")["shares"]
    often, seldom = claim.GRID["tiny"]
    assert often > seldom
    for (protocol, *_), trials in shares.groupby(["protocol", "n", "q", "wrong"]).size().items():
        assert trials == (seldom if protocol in (claim.ANY, claim.ABSENT) else often), protocol
