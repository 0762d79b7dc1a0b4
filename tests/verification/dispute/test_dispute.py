"""Disputes: the leftmost difference is found within the rounds, the cheat loses, faults of the code convict nobody."""

import json
from dataclasses import replace

import numpy as np
import pytest

from verification.adversaries import corrupt_trace
from verification.adversaries.break_dispute import ADVERSARIES, STAGES
from verification.dispute.dispute import identity
from verification.dispute.party import honest
from verification.dispute.referee import linear
from verification.dispute.transcript import bounds
from verification.encoding.request import request
from verification.encoding.signature import public
from verification.trace import leaves, record


def outcome(proceedings):
    verdict = proceedings.dispute.verdict
    return verdict.winner, verdict.reason


def leftmost(trace, right):
    """The first node on which two traces differ."""
    pairs = zip(trace.tree.digests, right.tree.digests, strict=True)
    return next(node for node, (mine, theirs) in enumerate(pairs) if mine != theirs)


@pytest.mark.parametrize(
    ("name", "levels"),
    [("smallest", 2), ("small", 1), ("small", 2), ("small", 3), ("small", 4), ("ends", 2), ("wide", 2), ("tall", 2)],
)
def test_a_flipped_bit_in_any_leaf_of_any_node_is_found(toys, disputed, rules, name, levels):
    toy, right = toys[name], record(toys[name])
    for node, shape in enumerate(toy.nodes):
        if right.trees[node] is None:
            continue
        for leaf in range(leaves(shape)):
            trace = right.copy()
            words = trace.leaf(node, leaf).copy()
            words[len(words) // 2] ^= 1
            trace.change(node, leaf, words)
            dispute = disputed(trace, right, rules=rules(levels=levels)).dispute
            verdict = dispute.verdict
            assert (verdict.winner, verdict.reason) == ("challenger", "step-wrong")
            assert (verdict.node, verdict.leaf) == (node, leaf)
            most, rounds = bounds(toy, node, levels), dispute.state.rounds
            assert rounds.get("descend-nodes", 0) <= most[0]
            assert rounds.get("descend-leaves", 0) + rounds.get("descend-steps", 0) <= most[1]
            assert outcome(disputed(right, trace, rules=rules(levels=levels))) == ("asserter", "step-right")


@pytest.mark.parametrize("name", corrupt_trace.ADVERSARIES)
@pytest.mark.parametrize("seed", range(2))
def test_who_corrupts_the_trace_loses_at_the_leftmost_wrong_node(toy, disputed, name, seed):
    """And who accuses an honest asserter with such a trace loses too."""
    right = record(toy)
    trace = corrupt_trace.ADVERSARIES[name](right.copy(), np.random.default_rng(seed))
    verdict = disputed(trace, right).dispute.verdict
    assert verdict.winner == "challenger"
    assert verdict.node == leftmost(trace, right)
    assert verdict.reason in ("step-wrong", "null-wrong")
    assert disputed(right, trace).dispute.verdict.winner == "asserter"


def test_a_whole_run_recomputed_agrees_with_its_own_root_alone(toy):
    right = record(toy)
    assert linear(right.tree.root.hex(), right) == ""
    for node in range(len(toy.nodes)):
        if right.trees[node] is not None:
            wrong = corrupt_trace.with_wrong_step(right.copy(), node, 0, 0)
            assert "another root" in linear(wrong.tree.root.hex(), right)


def test_a_wrong_step_is_the_one_recomputed(toy, disputed):
    right = record(toy)
    for node in range(len(toy.nodes)):
        if right.trees[node] is None:
            continue
        for step in range(len(toy.steps(node, 0))):
            trace = corrupt_trace.with_wrong_step(right.copy(), node, 0, step)
            verdict = disputed(trace, right).dispute.verdict
            assert (verdict.winner, verdict.node, verdict.leaf, verdict.step) == ("challenger", node, 0, step)
            assert verdict.macs == toy.steps(node, 0)[step].macs


def test_a_fault_that_is_masked_in_the_middle_is_found_first(toys, disputed):
    """Nodes 1 and 11 of 16 differ, node 7 agrees: a search by the middle would end at 11, whose inputs are right."""
    right = record(toys["small"])
    trace = right.copy()
    for node in (1, 11):
        corrupt_trace.flip(trace, node, 0)
    assert trace.digest(7) == right.digest(7) and trace.digest(1) != right.digest(1)
    assert disputed(trace, right).dispute.verdict.node == 1


def test_an_agreed_step_of_another_length_is_no_step(toys, disputed):
    """Both commit to a part of a leaf that has a word too many; who asserts cannot open it."""
    right = record(toys["small"])
    one, two = (corrupt_trace.with_wrong_step(right.copy(), 6, 0, 4) for _ in range(2))
    for trace, last in ((one, 0), (two, 1)):
        results = [np.append(words, 0).astype(np.int32) for words in trace.derivation(6, 0)[:4]]
        trace.derived[6, 0] = [*results, trace.leaf(6, 0) + last]
        trace.change(6, 0, trace.derived[6, 0][-1])
    assert outcome(disputed(one, two)) == ("challenger", "wrong-words")


def test_a_run_that_ends_early_or_goes_on_is_decided_by_its_guard(toys, make_toy, nulls, disputed):
    right = record(toys["small"])
    short = nulls(right.copy(), range(10, 15))
    assert outcome(disputed(short, right)) == ("challenger", "null-wrong")
    assert outcome(disputed(right, short)) == ("asserter", "null-right")
    for never in ([1], [15]):
        first = nulls(right.copy(), never)
        assert outcome(disputed(first, right)) == ("challenger", "null-wrong")
        assert outcome(disputed(right, first)) == ("asserter", "null-right")

    ends = toys["ends"]
    ended, long = record(ends), record(make_toy(passes=ends.passes))
    assert ended.trees[20] is None and long.trees[20] is not None
    long.computation = ends
    assert outcome(disputed(long, ended)) == ("challenger", "null-wrong")
    assert outcome(disputed(ended, long)) == ("asserter", "null-right")
    late = ended.copy()  # one node alone stays after the end, two passes after it
    late.trees[20], digests = long.trees[20], late.tree.digests
    digests[20] = long.digest(20)
    late.tree = type(late.tree)(b"".join(digests))
    assert outcome(disputed(late, ended)) == ("challenger", "null-wrong")
    assert outcome(disputed(ended, late)) == ("asserter", "null-right")


def test_what_was_delivered_is_a_node_and_null_passes_are_opened_as_null(toys, disputed):
    ends = toys["ends"]
    right = record(ends)
    output = len(ends.nodes) - 1
    assert right.leaf(output, 0).tolist() == [*right.tokens, *[-1] * (ends.passes - len(right.tokens))]
    for place in range(ends.passes):
        trace = right.copy()
        words = trace.leaf(output, 0).copy()
        words[place] += 1
        trace.change(output, 0, words)
        assert disputed(trace, right).dispute.verdict.node == output
        assert outcome(disputed(right, trace)) == ("asserter", "step-right")


def test_where_neither_is_right_the_asserter_loses(toys, disputed):
    one, two = record(toys["small"]), record(toys["small"])
    corrupt_trace.flip(one, 6, 0)
    two.change(6, 0, two.leaf(6, 0) + 7)
    assert outcome(disputed(one, two)) == ("challenger", "step-wrong")


def test_agreed_inputs_beyond_their_bounds_count_against_the_asserter(toys, nulls, disputed):
    """Both have the choice before as null, and the asserter a node that reads it."""
    right = record(toys["small"])
    one, two = nulls(right.copy(), [4]), nulls(right.copy(), [4])
    corrupt_trace.flip(two, 5, 0)
    assert outcome(disputed(one, two)) == outcome(disputed(two, one)) == ("challenger", "step-wrong")


class Failing:
    """A computation whose own code fails at a step of a node."""

    def __init__(self, computation, node):
        self.computation, self.node = computation, node

    def __getattr__(self, name):
        return getattr(self.computation, name)

    def recompute(self, node, leaf, step, inputs):
        if node == self.node:
            raise IndexError("a table that was read half")
        return self.computation.recompute(node, leaf, step, inputs)


def test_where_the_referee_s_own_code_fails_nobody_is_convicted(toys, disputed, begun):
    right = record(toys["small"])
    wrong = right.copy()
    corrupt_trace.flip(wrong, 5, 0)
    for mine, theirs in ((right, wrong), (wrong, right)):
        proceedings = disputed(mine, replace(theirs, computation=Failing(toys["small"], 5)))
        assert outcome(proceedings) == (None, "void")
        assert proceedings.dispute.verdict.loser is None
        assert proceedings.entries[-1].record.content["verdict"]["reason"] == "void"


@pytest.mark.parametrize("role", ["asserter", "challenger"])
@pytest.mark.parametrize("name", ADVERSARIES)
def test_who_breaks_the_protocol_loses_for_the_reason_that_is_listed(toys, nulls, disputed, name, role):
    wrap, reason = ADVERSARIES[name]
    right = record(toys["tall"])
    wrong = corrupt_trace.with_wrong_step(right.copy(), 3, 0, 1)
    if name == "silent-at-guard":
        wrong = nulls(right.copy(), [7])
    traces = (wrong, right) if role == "asserter" else (right, wrong)
    found = outcome(disputed(*traces, **{f"wrap_{role}": wrap}))
    winner = "challenger" if role == "asserter" else "asserter"
    if role == "challenger" and name in ("silent-at-guard", "silent-at-open", "forged-proof"):
        assert found[0] == winner  # it never comes to that, or says less that can be forged
    else:
        assert found == (winner, reason)


def test_stages_are_all_that_there_are(toys, nulls, disputed):
    right, seen = record(toys["tall"]), set()

    def watch(key, party):
        def send(dispute):
            seen.add(dispute.state.stage)
            return party(dispute)

        return send

    disputed(corrupt_trace.with_wrong_step(right.copy(), 3, 0, 1), right, wrap_asserter=watch)
    disputed(nulls(right.copy(), [7]), right, wrap_asserter=watch)
    assert seen == set(STAGES)


def changed(content):
    """A message's content with each of its parts changed in turn."""
    for name, value in content.items():
        if isinstance(value, dict):
            yield from (content | {name: other} for other in changed(value))
        elif isinstance(value, list):
            for at, part in enumerate(value):
                others = changed(part) if isinstance(part, dict) else [flipped(part)]
                yield from (content | {name: [*value[:at], other, *value[at + 1 :]]} for other in others)
            yield content | {name: value[:-1]}
            yield content | {name: [*value, *value[:1]]}
        else:
            yield content | {name: flipped(value)}
            yield content | {name: None if value is not None else "0" * 64}


def flipped(value):
    """Another of the same kind."""
    if value is None or isinstance(value, int):
        return (value or 0) + 1
    other = "1" if value[:1] != "1" else "2"
    return other + value[1:] if value else "A" * 43 + "="


def test_each_part_of_each_message_is_held_against_what_was_committed_to(toys, nulls, begun, key, refused):
    """Whoever sends, at every stage; a message that is refused leaves all as it was."""
    tall, ends, stages, tried = record(toys["tall"]), record(toys["ends"]), set(), 0
    for right, wrong in (
        (tall, corrupt_trace.with_wrong_step(tall.copy(), 3, 0, 1)),  # of a leaf
        (tall, corrupt_trace.with_wrong_step(tall.copy(), 3, 0, 4)),  # of other steps
        (tall, nulls(tall.copy(), [7])),
        (ends, corrupt_trace.fewer_tokens(ends.copy(), np.random.default_rng(0))),  # of leaves that are null
    ):
        dispute, *_ = begun(right.computation, (wrong.tree.root, right.tree.root))
        parties = {"asserter": (key(1), wrong), "challenger": (key(2), right)}
        while dispute.turn is not None:
            sender, trace = parties[dispute.turn]
            raw, before = honest(sender, trace)(dispute), dispute.state
            for content in changed(json.loads(raw)["content"]):
                forged = request(sender, dispute.expects, dispute.begin.market, content).raw
                assert refused(dispute.receive, forged, 1), content
                assert replace(dispute.state, refused="", refused_message=None) == before
                tried += 1
            stages.add((dispute.turn, dispute.state.stage))
            dispute.receive(raw, 1)
    assert len(stages) == 2 * 5 + 2 and tried > 200


@pytest.fixture
def awaiting(toys, begun, key):
    """A dispute whose asserter said nothing from a message on; the challenger's trace is wrong."""

    def awaiting(messages):
        right = record(toys["tall"])
        wrong = corrupt_trace.with_wrong_step(right.copy(), 3, 0, 1)
        dispute, *_ = begun(toys["tall"], (right.tree.root, wrong.tree.root))
        parties = {"asserter": honest(key(1), right), "challenger": honest(key(2), wrong)}
        while dispute.state.index < messages or dispute.turn != "asserter":
            dispute.receive(parties[dispute.turn](dispute), 1)
        dispute.tick(dispute.clocks.due)
        assert not dispute.absent
        dispute.tick(dispute.clocks.due + 1)
        assert dispute.absent and dispute.verdict is None
        return dispute, right, parties["challenger"]

    return awaiting


def finish(dispute, asserter, challenger, tick=100):
    while dispute.turn is not None:
        dispute.receive((asserter if dispute.turn == "asserter" else challenger)(dispute), tick)


@pytest.mark.parametrize("messages", range(1, 14, 2))
def test_a_deputy_plays_on_where_the_asserter_was_silent(awaiting, key, refused, messages):
    dispute, right, challenger = awaiting(messages)
    stage = dispute.state.stage
    assert refused(dispute.receive, honest(key(1), right)(dispute), 90) == "not-your-turn"
    dispute.replace_asserter(public(key(3)), 100)
    again = stage in ("descend-steps", "open")
    assert dispute.state.stage == ("steps" if again else stage)
    assert dispute.clocks.asserter == dispute.content["budgets"]["asserter"]
    assert refused(dispute.receive, honest(key(1), right)(dispute), 100) == "stranger"
    finish(dispute, honest(key(3), right), challenger)
    assert (dispute.verdict.winner, dispute.verdict.reason) == ("asserter", "step-right")


def false_steps(key, trace):
    """A deputy that commits to a wrong step of the leaf on which it must play."""
    mine = trace.copy()

    def send(dispute):
        state = dispute.state
        if state.stage == "steps":
            mine.derived[state.node, state.leaf] = results = [words.copy() for words in trace.derivation(3, 0)]
            results[0][0] ^= 1
        return honest(key, mine)(dispute)

    return send


def test_false_deputies_convict_nobody_while_one_is_left(awaiting, key):
    dispute, right, challenger = awaiting(5)
    for number in (3, 4, 5):
        dispute.replace_asserter(public(key(number)), 100)
        finish(dispute, false_steps(key(number), right), challenger)
        assert dispute.absent and dispute.state.refused == "step-wrong"
    dispute.replace_asserter(public(key(6)), 100)
    finish(dispute, honest(key(6), right), challenger)
    assert dispute.verdict.winner == "asserter"


def test_without_deputies_the_silent_asserter_has_lost(awaiting, key, refused):
    dispute, right, challenger = awaiting(5)
    dispute.forfeit()
    assert (dispute.verdict.winner, dispute.verdict.reason) == ("challenger", "silent")
    assert refused(dispute.replace_asserter, public(key(3)), 100) == refused(dispute.forfeit) == "over"
    other, *_ = awaiting(5)
    other.replace_asserter(public(key(3)), 100)
    assert refused(other.replace_asserter, public(key(4)), 100) == refused(other.forfeit) == "not-your-turn"
    finish(other, false_steps(key(3), right), challenger)
    other.forfeit()
    assert (other.verdict.winner, other.verdict.reason) == ("challenger", "step-wrong")


def test_a_challenger_that_vanishes_while_a_deputy_plays_has_lost(awaiting, key):
    dispute, right, _ = awaiting(5)
    dispute.replace_asserter(public(key(3)), 100)
    dispute.receive(honest(key(3), right)(dispute), 100)
    dispute.tick(dispute.clocks.due + 1)
    assert (dispute.verdict.winner, dispute.verdict.reason) == ("asserter", "silent")


def test_who_claims_the_same_has_no_dispute(toy, begun, refused):
    root = record(toy).tree.root
    assert refused(begun, toy, (root, root)) == "no-difference"


def test_a_dispute_is_about_one_computation(toys, make_toy, begun, refused):
    another = {"computation": identity(make_toy(seed=6))}
    assert refused(begun, toys["small"], (bytes(32), bytes([1]) * 32), begin=another) == "other-computation"


def test_messages_out_of_turn_and_of_strangers_change_nothing(toys, begun, key, refused):
    right, wrong = record(toys["small"]), record(toys["small"])
    corrupt_trace.flip(wrong, 6, 0)
    dispute, *_ = begun(toys["small"], (wrong.tree.root, right.tree.root))
    before = dispute.state
    assert refused(dispute.receive, honest(key(2), right)(dispute), 1) == "not-your-turn"
    assert refused(dispute.receive, honest(key(7), right)(dispute), 1) == "stranger"
    assert dispute.state == before
    assert refused(dispute.receive, b"", 1) == "malformed"
    assert dispute.state.refused == "malformed"
    assert replace(dispute.state, refused="", refused_message=None) == before
    first = honest(key(1), wrong)(dispute)
    assert refused(dispute.receive, first, 10**6) == "not-your-turn"
    assert dispute.absent

    other, *_ = begun(toys["small"], (wrong.tree.root, right.tree.root), begin={"claim": "0" * 64})
    assert refused(other.receive, first, 1) == "other-dispute"
    kind = request(key(1), "resign", other.begin.market, {"index": 1, "previous": other.begin.name})
    assert refused(other.receive, kind.raw, 1) == "unexpected-kind"
    node = request(key(1), "node", other.begin.market, {"index": 1, "previous": other.begin.name, "root": None})
    assert refused(other.receive, node.raw, 1) == "unexpected-kind"


def test_the_chain_names_messages_and_not_their_bytes(toys, begun, key, refused):
    """A signature in another spelling is none, and so nobody can hand in a message that its sender does not know."""
    right, wrong = record(toys["small"]), record(toys["small"])
    corrupt_trace.flip(wrong, 6, 0)
    dispute, *_ = begun(toys["small"], (wrong.tree.root, right.tree.root))
    raw = honest(key(1), wrong)(dispute)
    signature = raw.split(b'"signature":"')[1][:128]
    assert refused(dispute.receive, raw.replace(signature, signature.upper()), 1) == "wrong-signature"
    dispute.receive(raw, 1)
    assert refused(dispute.receive, raw, 1) == "not-your-turn"
