"""Disputes: the leftmost difference is found within the rounds, the cheat loses, an honest party never does."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verification.errors import Refusal
from verification.first.adversaries import corrupt_trace
from verification.first.adversaries.break_protocol import ADVERSARIES
from verification.first.bisection import Dispute, DisputeRules
from verification.first.commitment import header, public
from verification.first.party import honest, play
from verification.first.transcript import bounds, summary
from verification.trace import leaves, record

RULES = DisputeRules(delay=10)


@pytest.fixture(scope="session")
def disputed(key):
    """A dispute between two traces played to its end."""

    def disputed(asserter, challenger, rules=RULES):
        computation = challenger.computation
        dispute = Dispute(computation, header("task", asserter, public(key(1))), public(key(2)), rules)
        play(dispute, honest("asserter", key(1), asserter), honest("challenger", key(2), challenger))
        return dispute

    return disputed


def outcome(dispute):
    return dispute.verdict.winner, dispute.verdict.reason


def leftmost(trace, right):
    """The first node on which two traces differ."""
    pairs = zip(trace.tree.digests, right.tree.digests, strict=True)
    return next((node for node, (a, b) in enumerate(pairs) if a != b), None)


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_a_flipped_bit_in_any_leaf_of_any_node_is_found(toy, disputed, levels):
    right = record(toy)
    for node, shape in enumerate(toy.nodes):
        if right.trees[node] is None:
            continue
        for leaf in range(leaves(shape)):
            trace = record(toy)
            words = trace.leaf(node, leaf).copy()
            words[len(words) // 2] ^= 1
            trace.change(node, leaf, words)
            dispute = disputed(trace, right, DisputeRules(node_levels=levels))
            verdict = dispute.verdict
            assert (verdict.winner, verdict.reason) == ("challenger", "step-wrong")
            assert (verdict.node, verdict.leaf) == (node, leaf)
            nodes, tiles = bounds(toy, node)
            assert dispute.rounds["nodes"] <= -(-nodes // levels) if levels > 1 else nodes
            assert dispute.rounds["leaves"] + dispute.rounds["tiles"] <= tiles
            turned = disputed(right, trace)
            assert (turned.verdict.winner, turned.verdict.reason) == ("asserter", "step-right")


@pytest.mark.parametrize("name", corrupt_trace.ADVERSARIES)
@pytest.mark.parametrize("seed", range(5))
def test_who_corrupts_the_trace_loses_at_the_leftmost_wrong_node(toy, disputed, name, seed):
    """And who accuses an honest asserter with such a trace loses too."""
    right = record(toy)
    trace = corrupt_trace.ADVERSARIES[name](record(toy), np.random.default_rng(seed))
    assert (trace.tree.root, trace.tokens) != (right.tree.root, right.tokens)
    verdict = disputed(trace, right).verdict
    assert verdict.winner == "challenger"
    assert verdict.node == leftmost(trace, right)
    assert verdict.reason in ({"tokens-wrong"} if verdict.node is None else {"step-wrong", "null-wrong"})
    assert disputed(right, trace).verdict.winner == "asserter"


def test_a_wrong_step_is_the_one_recomputed(toy, disputed):
    right = record(toy)
    for node in range(len(toy.nodes)):
        if right.trees[node] is None:
            continue
        for step in range(len(toy.steps(node, 0))):
            trace = corrupt_trace.with_wrong_step(record(toy), node, 0, step)
            verdict = disputed(trace, right).verdict
            assert (verdict.winner, verdict.node, verdict.leaf, verdict.step) == ("challenger", node, 0, step)
            assert verdict.macs == toy.steps(node, 0)[step].macs


def test_a_fault_that_is_masked_in_the_middle_is_found_first(toys, disputed):
    """Nodes 1 and 11 of 15 differ, node 7 agrees: a search by the middle would end at 11, whose inputs are right."""
    toy = toys["small"]
    trace, right = record(toy), record(toy)
    for node in (1, 11):
        corrupt_trace.flip(trace, node, 0)
    assert trace.digest(7) == right.digest(7) and trace.digest(1) != right.digest(1)
    assert disputed(trace, right).verdict.node == 1


def test_a_run_that_ends_early_or_goes_on_is_decided_by_its_guard(toys, make_toy, nulls, disputed):
    goes_on = toys["small"]
    right = record(goes_on)
    short = nulls(record(goes_on), range(10, 15))
    assert outcome(disputed(short, right)) == ("challenger", "null-wrong")
    assert outcome(disputed(right, short)) == ("asserter", "null-right")
    first = nulls(record(goes_on), [1])
    assert disputed(first, right).verdict.reason == "null-wrong"
    assert disputed(right, first).verdict.winner == "asserter"

    ends = toys["ends"]
    ended, long = record(ends), record(make_toy(passes=ends.passes))
    assert ended.trees[-2] is None and long.trees[-2] is not None
    long.computation = ends
    assert disputed(long, ended).verdict.reason == "null-wrong"
    assert disputed(ended, long).verdict.reason == "null-right"
    late = record(ends)  # one node alone stays after the end, two passes after it
    late.trees[20], digests = long.trees[20], late.tree.digests
    digests[20] = long.digest(20)
    late.tree = type(late.tree)(b"".join(digests))
    assert disputed(late, ended).verdict.reason == "null-wrong"
    assert disputed(ended, late).verdict.reason == "null-right"


@pytest.mark.parametrize("tokens", [[], [4], [4, 4, 4, 4], [4, 4, 5], [5, 4, 4]])
def test_other_tokens_than_the_trace_s_lose(toys, disputed, tokens):
    right, other = record(toys["small"]), record(toys["small"])
    assert right.tokens == [4, 4, 4]
    other.tokens = tokens
    assert outcome(disputed(other, right)) == ("challenger", "tokens-wrong")
    assert outcome(disputed(right, other)) == ("asserter", "tokens-right")


def test_where_neither_is_right_the_asserter_loses(toys, disputed):
    one, two = record(toys["small"]), record(toys["small"])
    corrupt_trace.flip(one, 6, 0)
    words = two.leaf(6, 0) + 7
    two.change(6, 0, words)
    assert disputed(one, two).verdict.winner == "challenger"


def test_who_claims_the_same_has_no_dispute(toy, key, refused):
    trace = record(toy)
    dispute = Dispute(toy, header("task", trace, public(key(1))), public(key(2)))
    assert refused(dispute.receive, honest("challenger", key(2), trace)(dispute), 1) == "no-difference"


@settings(max_examples=60)
@given(data=st.data())
def test_an_honest_party_within_the_delay_never_loses(key, toys, data):
    """Whatever the other sends, in any order, with any trace, silence and lateness among it."""
    play_at_random(key, toys, data)


@pytest.mark.slow
@settings(max_examples=10_000)
@given(data=st.data())
def test_an_honest_party_within_the_delay_never_loses_in_ten_thousand_disputes(key, toys, data):
    play_at_random(key, toys, data)


def play_at_random(key, toys, data):
    """One honest party against one that does what the data say."""
    toy = toys[data.draw(st.sampled_from(["smallest", "small", "wide", "ends"]))]
    role = data.draw(st.sampled_from(["asserter", "challenger"]))
    right = record(toy)
    generator = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    cheat = corrupt_trace.ADVERSARIES[data.draw(st.sampled_from(sorted(corrupt_trace.ADVERSARIES)))]
    wrong = cheat(record(toy), generator)
    if (wrong.tree.root, wrong.tokens) == (right.tree.root, right.tokens):
        return
    traces = (right, wrong) if role == "asserter" else (wrong, right)
    dispute = Dispute(toy, header("task", traces[0], public(key(1))), public(key(2)), RULES)
    parties = {"asserter": honest("asserter", key(1), traces[0]), "challenger": honest("challenger", key(2), traces[1])}
    number = {"asserter": 1, "challenger": 2}
    now, sent = 0, []
    while dispute.verdict is None:
        turn = dispute.turn
        if turn == role:
            now += data.draw(st.integers(1, 10))
            dispute.receive(parties[turn](dispute), now)
            continue
        move = data.draw(st.sampled_from(["honest", "honest", "honest", "silent", "again", *sorted(ADVERSARIES)]))
        now += data.draw(st.integers(1, 12)) if move != "silent" else 11
        if move == "silent":
            dispute.tick(now)
            continue
        raw = parties[turn](dispute)
        if move == "again" and sent:
            raw = data.draw(st.sampled_from(sent))
        elif move in ADVERSARIES:
            raw = ADVERSARIES[move][0](turn, key(number[turn]), parties[turn])(dispute)
        if raw is None:
            continue
        sent.append(raw)
        with suppress(Refusal):
            dispute.receive(raw, now)
    assert dispute.verdict.winner == role
    summary(dispute)
