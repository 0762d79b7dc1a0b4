"""Transcripts: who knows the referee's key derives the verdict again."""

import copy
import json

import numpy as np
import pytest

from verification.adversaries import corrupt_trace
from verification.adversaries.break_dispute import ADVERSARIES
from verification.dispute.party import honest, play
from verification.dispute.record import Entry, Proceedings, recorded
from verification.dispute.transcript import replay, summary, transcript
from verification.encoding.canonical import digest
from verification.encoding.request import request
from verification.encoding.signature import public
from verification.errors import Refusal
from verification.trace import record

REFEREE, FRIEND = 9, 6


@pytest.fixture(scope="module")
def rules(rules):
    return rules()


@pytest.mark.parametrize("name", corrupt_trace.ADVERSARIES)
@pytest.mark.parametrize("tick", [0, 1000])
def test_a_transcript_replays(toy, conducted, referee, rules, name, tick):
    right = record(toy)
    wrong = corrupt_trace.ADVERSARIES[name](right.copy(), np.random.default_rng(3))
    for traces in ((wrong, right), (right, wrong)):
        assert replay(conducted(*traces, tick=tick), toy, referee, rules) == ""


@pytest.mark.parametrize("name", ADVERSARIES)
def test_a_transcript_of_a_broken_protocol_replays(toys, conducted, referee, rules, name):
    wrap, reason = ADVERSARIES[name]
    right = record(toys["tall"])
    content = conducted(corrupt_trace.with_wrong_step(right.copy(), 3, 0, 1), right, wrap)
    assert replay(content, toys["tall"], referee, rules) == ""
    last = content["entries"][-1]["record"]["content"]["verdict"]
    assert name == "silent-at-guard" or last["reason"] == reason


def test_a_deputy_s_part_replays(toys, begun, key, referee, rules):
    """After a budget was spent on what was refused; then the challenger is silent."""
    right = record(toys["small"])
    wrong = corrupt_trace.flipped_bit(right.copy(), np.random.default_rng(0))
    dispute, result, claim = begun(toys["small"], (right.tree.root, wrong.tree.root))
    proceedings = Proceedings(dispute, key(REFEREE))
    with pytest.raises(Refusal):
        proceedings.receive(b"{}", 3)
    proceedings.tick(100)
    proceedings.replace_asserter(public(key(3)), 120)
    proceedings.receive(honest(key(3), right)(dispute), 121)
    proceedings.tick(500)
    content = transcript({}, None, dispute, result, claim, proceedings.entries)
    assert [entry["record"]["content"]["event"] for entry in content["entries"]] == [
        "clock",
        "deputy",
        "message",
        "clock",
    ]
    assert [entry["record"]["content"]["reason"] for entry in content["entries"]] == ["malformed", "", "", "silent"]
    assert replay(content, toys["small"], referee, rules) == ""


def test_proceedings_are_taken_up_again_after_any_record(toys, begun, key, referee, rules):
    """After a crash the same records follow: all is signed in one way alone."""
    right = record(toys["tall"])
    wrong = corrupt_trace.with_wrong_step(right.copy(), 3, 0, 1)
    parties = {"asserter": honest(key(1), wrong), "challenger": honest(key(2), right)}
    dispute, *_ = begun(toys["tall"], (wrong.tree.root, right.tree.root))
    whole = Proceedings(dispute, key(REFEREE))
    play(whole, parties)
    for many in range(len(whole.entries)):
        begun_again, *_ = begun(toys["tall"], (wrong.tree.root, right.tree.root))
        again = Proceedings(begun_again, key(REFEREE))
        for entry in whole.entries[:many]:
            again.receive(entry.message, entry.record.content["tick"])
        stored = json.loads(json.dumps(again.dispute.stored()))
        restarted = Proceedings(type(dispute).restored(toys["tall"], stored), key(REFEREE), again.entries)
        play(restarted, parties)
        assert restarted.entries == whole.entries


def test_junk_before_a_crash_is_silence_after_it(toys, begun, key, referee, rules):
    """Else who sends it has a transcript that does not follow, of a dispute that it lost."""
    right = record(toys["tall"])
    wrong = corrupt_trace.with_wrong_step(right.copy(), 3, 0, 1)
    dispute, result, claim = begun(toys["tall"], (wrong.tree.root, right.tree.root))
    proceedings = Proceedings(dispute, key(REFEREE))
    with pytest.raises(Refusal, match="JSON"):
        proceedings.receive(b"junk", 1)
    stored = json.loads(json.dumps(dispute.stored()))
    restarted = Proceedings(type(dispute).restored(toys["tall"], stored), key(REFEREE), proceedings.entries)
    play(restarted, {"asserter": lambda dispute: None, "challenger": honest(key(2), right)})
    assert (restarted.dispute.verdict.winner, restarted.dispute.verdict.reason) == ("challenger", "silent")
    content = transcript({"name": "toy"}, None, restarted.dispute, result, claim, restarted.entries)
    assert replay(content, toys["tall"], referee, rules) == ""


def test_a_referee_that_forgets_what_it_refused_records_silence(toys, begun, key):
    right = record(toys["tall"])
    wrong = corrupt_trace.with_wrong_step(right.copy(), 3, 0, 1)
    told = []
    for forgets in (False, True):
        dispute, *_ = begun(toys["tall"], (wrong.tree.root, right.tree.root))
        proceedings = Proceedings(dispute, key(REFEREE))
        with pytest.raises(Refusal, match="JSON"):
            proceedings.receive(b"junk", 1)
        assert dispute.state.refused_message
        if forgets:
            proceedings.forget_refused()
            assert (dispute.state.refused, dispute.state.refused_message) == ("", None)
        proceedings.tick(500)
        [entry] = proceedings.entries
        told.append((entry.message, entry.record.content["message"], entry.record.content["reason"]))
    assert told[0][0] == b"junk" and told[0][1] and told[0][2] == "malformed"
    assert told[1] == (None, None, "silent")


def test_a_summary_numbers_a_step_among_all_of_its_node(toys, disputed):
    right = record(toys["wide"])
    found = summary(disputed(corrupt_trace.with_wrong_step(right.copy(), 1, 2, 1), right).dispute)
    assert found["disputed_node"] == "pass0.layer0" and found["disputed_tile"] == 2 * 5 + 1
    assert (found["winner"], found["loser"], found["reason"]) == ("challenger", "asserter", "step-wrong")


def test_who_plays_on_after_wrong_steps_is_recorded(toys, begun, key, referee, rules):
    """Whoever has the same root gives steps of its own; what the referee recomputed of both is counted."""
    right = record(toys["small"])
    other = corrupt_trace.with_wrong_step(right.copy(), 6, 0, 1)
    false = right.copy()
    false.derived[6, 0] = [words ^ (at == 0) for at, words in enumerate(right.derivation(6, 0))]
    dispute, result, claim = begun(toys["small"], (right.tree.root, other.tree.root))
    proceedings = Proceedings(dispute, key(REFEREE))
    challenger = honest(key(2), other)

    def going_on(asserter):
        while dispute.turn is not None:
            party = asserter if dispute.turn == "asserter" else challenger
            proceedings.receive(party(dispute), dispute.clocks.since)

    going_on(honest(key(1), false))
    assert dispute.absent and dispute.state.refused == "step-wrong"
    proceedings.replace_asserter(public(key(3)), dispute.clocks.since)
    going_on(honest(key(3), right))
    steps = toys["small"].steps(6, 0)
    assert (dispute.verdict.winner, dispute.verdict.reason) == ("asserter", "step-right")
    assert dispute.verdict.macs == steps[0].macs + steps[dispute.verdict.step].macs
    content = json.loads(json.dumps(transcript({}, None, dispute, result, claim, proceedings.entries)))
    assert replay(content, toys["small"], referee, rules) == ""
    for at, entry in enumerate(content["entries"]):
        if entry["message"] is None:
            beside = entry | {"message": content["entries"][0]["message"]}
            changed = content | {"entries": [*content["entries"][:at], beside, *content["entries"][at + 1 :]]}
            assert replay(changed, toys["small"], referee, rules).startswith(f"record {at + 1}: ")


def test_events_are_those_of_the_protocol(toys, begun, key, referee, rules):
    """One of another name, however right its record is otherwise, follows from nothing."""
    right = record(toys["small"])
    wrong = corrupt_trace.flipped_bit(right.copy(), np.random.default_rng(0))
    for event in ("clock", "pause"):
        dispute, result, claim = begun(toys["small"], (wrong.tree.root, right.tree.root))
        proceedings = Proceedings(dispute, key(REFEREE))
        told = recorded(dispute, event, 0, None, [])
        proceedings.entries.append(Entry(request(key(REFEREE), "record", dispute.begin.market, told)))
        play(proceedings, {"asserter": honest(key(1), wrong), "challenger": honest(key(2), right)})
        content = json.loads(json.dumps(transcript({}, None, dispute, result, claim, proceedings.entries)))
        refusal = "no budget is spent" if event == "clock" else "there is no event 'pause'"
        assert refusal in replay(content, toys["small"], referee, rules)


def test_the_same_root_in_another_result_is_another_claim(toys, told, key, referee, rules):
    content = told[0]
    signed = copy.deepcopy(content["result"]["content"])
    signed["header"]["lease"] = "44" * 32
    other = json.loads(request(key(1), "result", content["market"], signed).raw)
    assert "another result's header" in replay(content | {"result": other}, toys["small"], referee, rules)


def test_a_verifier_s_result_is_a_claim(toys, begun, key, referee, rules, refused):
    right = record(toys["small"])
    wrong = corrupt_trace.flipped_bit(right.copy(), np.random.default_rng(0))
    _, result, _ = begun(toys["small"], (wrong.tree.root, right.tree.root))
    header = {**result.content["header"], "lease": "33" * 32, "root": right.tree.root.hex(), "provider": public(key(2))}
    for changes in ({}, {"root": "0" * 64}, {"market": "0" * 64}, {"provider": public(key(1))}, {"lease": "44" * 32}):
        claim = request(key(2), "result", result.market, {"header": header | changes, "output": "22" * 32, "path": ""})
        named = digest(["claim", "33" * 32])
        dispute, *_ = begun(toys["small"], (wrong.tree.root, right.tree.root), begin={"claim": named})
        proceedings = Proceedings(dispute, key(REFEREE))
        play(proceedings, {"asserter": honest(key(1), wrong), "challenger": honest(key(2), right)})
        content = transcript({}, None, dispute, result, claim, proceedings.entries)
        assert bool(replay(content, toys["small"], referee, rules)) == bool(changes)


@pytest.mark.parametrize("of", ["header", "claim"])
@pytest.mark.parametrize("part", ["root", "market", "provider", "challenger", "header"])
def test_a_dispute_is_about_what_its_claims_say(toys, begun, key, referee, rules, of, part):
    """A referee that begins one over other claims than the parties', whose names it gives, is noticed."""
    right = record(toys["small"])
    wrong = corrupt_trace.flipped_bit(right.copy(), np.random.default_rng(0))
    roots = wrong.tree.root, right.tree.root
    _, result, claim = begun(toys["small"], roots)
    signed, named = result.content, {}
    if of == "header":
        header = signed["header"] | {part: "0" * 64}
        result = request(key(1), "result", result.market, signed | {"header": header})
        claim = request(key(8), "claim", claim.market, claim.content | {"header": digest(header)})
        named = {"header": digest(header)}
    elif part in claim.content:
        claim = request(key(8), "claim", claim.market, claim.content | {part: "0" * 64})
    dispute, *_ = begun(toys["small"], roots, begin=named | {"claim": claim.name})
    proceedings = Proceedings(dispute, key(REFEREE))
    play(proceedings, {"asserter": honest(key(1), wrong), "challenger": honest(key(2), right)})
    content = transcript({}, None, dispute, result, claim, proceedings.entries)
    holds = part not in ({"root", "market", "provider"} if of == "header" else {"root", "header", "challenger"})
    assert (replay(content, toys["small"], referee, rules) == "") == holds
