"""Transcripts: who knows the referee's key derives the verdict again, and no edit of one replays."""

import copy
import json

import numpy as np
import pytest

from verification.adversaries import corrupt_trace
from verification.adversaries.break_dispute import ADVERSARIES, silent_at
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


@pytest.fixture(scope="module")
def conducted(begun, key):
    """A dispute that was conducted to its end, as its transcript: JSON that was written and read."""

    def conducted(mine, theirs, wrap=lambda key, party: party, **options):
        dispute, result, claim = begun(mine.computation, (mine.tree.root, theirs.tree.root), **options)
        proceedings = Proceedings(dispute, key(REFEREE))
        asserter, challenger = wrap(key(1), honest(key(1), mine)), honest(key(2), theirs)
        play(proceedings, {"asserter": asserter, "challenger": challenger})
        content = transcript({"name": "toy"}, None, dispute, result, claim, proceedings.entries)
        return json.loads(json.dumps(content))

    return conducted


@pytest.fixture(scope="module")
def referee(key):
    return public(key(REFEREE))


@pytest.fixture(scope="module")
def told(toys, conducted):
    """The transcript of a dispute that a message decides, and of one in which nobody is left to play for the asserter,
    whose step is wrong."""
    right = record(toys["small"])
    wrong = corrupt_trace.with_wrong_step(right.copy(), 6, 0, 1)
    return conducted(right, wrong), conducted(wrong, right, tick=40)


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


def test_a_summary_numbers_a_step_among_all_of_its_node(toys, disputed):
    right = record(toys["wide"])
    found = summary(disputed(corrupt_trace.with_wrong_step(right.copy(), 1, 2, 1), right).dispute)
    assert found["disputed_node"] == "pass0.layer0" and found["disputed_tile"] == 2 * 5 + 1
    assert (found["winner"], found["loser"], found["reason"]) == ("challenger", "asserter", "step-wrong")


def flipped(value):
    """Another value of the same kind."""
    if isinstance(value, str):
        return ("1" if value[:1] != "1" else "2") + value[1:]
    if isinstance(value, bool) or value is None:
        return 1
    if isinstance(value, int):
        return value + 1
    if isinstance(value, list):
        return value + value[:1] if value else [1]
    return value | {"more": 1}


def places(content, above=()):
    """Where each value stands, all objects and lists among them."""
    yield above
    parts = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for name, part in parts:
        yield from places(part, (*above, name))


def edited(content, place, edit):
    changed = copy.deepcopy(content)
    *above, last = place
    at = changed
    for name in above:
        at = at[name]
    edit(at, last)
    return changed


@pytest.mark.parametrize("which", [0, 1])
def test_every_edited_value_is_noticed(toys, told, referee, rules, which):
    """Of messages, ticks, reasons, clocks, verdicts, signatures, keys: all but what names the computation."""
    content, edits = told[which], 0
    for place in places(content):
        if not place or place[0] in ("task", "genesis"):
            continue
        changed = edited(content, place, lambda at, name: at.__setitem__(name, flipped(at[name])))
        assert replay(changed, toys["small"], referee, rules), place
        edits += 1
    assert edits > 300


def test_every_part_that_is_removed_added_or_moved_is_noticed(toys, told, referee, rules):
    content, other = told
    entries = content["entries"]
    for at, entry in enumerate(entries):
        others = [e for e in entries if e is not entry]
        assert replay(content | {"entries": others}, toys["small"], referee, rules)
        assert replay(content | {"entries": [*entries[:at], entry, *entries[at:]]}, toys["small"], referee, rules)
        swapped = [*others[: at - 1], entry, *others[at - 1 :]]
        assert not at or replay(content | {"entries": swapped}, toys["small"], referee, rules)
        for foreign in other["entries"]:
            assert replay(
                content | {"entries": [*entries[:at], foreign, *entries[at + 1 :]]}, toys["small"], referee, rules
            )
        without = entry | {"message": None}
        assert replay(
            content | {"entries": [*entries[:at], without, *entries[at + 1 :]]}, toys["small"], referee, rules
        )
    assert "no verdict" in replay(content | {"entries": entries[:-1]}, toys["small"], referee, rules)
    for name in ("begin", "result", "claim"):
        changed = content | {name: other[name]}
        assert replay(changed, toys["small"], referee, rules), name


def test_another_referee_s_records_do_not_count(toys, told, key, referee, rules):
    content = told[0]
    stranger = public(key(FRIEND))
    assert "another referee" in replay(content, toys["small"], stranger, rules)
    assert "not begun by this referee" in replay(content | {"referee": stranger}, toys["small"], stranger, rules)
    others = resigned(content, key(FRIEND), lambda told: None, 0)
    assert "not signed by this referee" in replay(others, toys["small"], referee, rules)


def test_a_dispute_of_another_market_is_none_of_this_one(toys, told, referee, rules):
    assert "not signed" in replay(told[0] | {"market": "ef" * 32}, toys["small"], referee, rules)


def test_other_rules_or_another_computation_than_the_market_s_do_not_hold(
    toys, make_toy, told, conducted, referee, rules
):
    content, small = told[0], toys["small"]
    other = type(rules)
    for changes in ({"delta": 4}, {"levels": 3}, {"message_limit": 95_000}):
        assert "by the rules" in replay(content, small, referee, other(**changes))
    assert "another computation" in replay(content, make_toy(seed=6), referee, rules)
    right = record(small)
    wrong = corrupt_trace.flipped_bit(right.copy(), np.random.default_rng(0))
    for given in ({"asserter": 23, "challenger": 17}, {"asserter": 12, "challenger": 12}):
        assert "no work limit" in replay(conducted(wrong, right, begin={"budgets": given}), small, referee, rules)


def resigned(content, key, edit, at):
    """A transcript whose referee forges: one record's content edited, all from there on signed and chained anew."""
    changed = copy.deepcopy(content)
    edit(changed["entries"][at]["record"]["content"])
    previous = None
    for number, entry in enumerate(changed["entries"]):
        told = entry["record"]["content"]
        if number not in (0, at):
            told["previous"] = previous
        made = request(key, "record", changed["market"], told)
        entry["record"] = json.loads(made.raw)
        previous = made.name
    return changed


@pytest.mark.parametrize(
    "edit",
    [
        lambda told: told.update(verdict={**told["verdict"], "winner": "challenger"}),
        lambda told: told.update(verdict={**told["verdict"], "reason": "step-wrong"}),
        lambda told: told.update(verdict={**told["verdict"], "macs": 1}),
        lambda told: told.update(verdict=None),
        lambda told: told.update(reason="silent"),
        lambda told: told.update(message="0" * 64),
        lambda told: told.update(number=1),
        lambda told: told.update(previous="0" * 64),
        lambda told: told.update(begin="0" * 64),
        lambda told: told.update(asserter=told["begin"]),
        lambda told: told.update(event="forfeit"),
        lambda told: told.update(event="clock"),
        lambda told: told.update(event=["message"]),
        lambda told: told.update(clocks={**told["clocks"], "challenger": 3}),
        lambda told: told.update(tick=told["tick"] + 1),
        lambda told: told.update(tick=-1),
        lambda told: told.update(more=1),
        lambda told: told.pop("reason"),
    ],
)
def test_a_referee_that_signs_what_does_not_follow_is_noticed(toys, told, key, referee, rules, edit):
    """But that it calls a message late, or keeps one back: only the parties' own copies show that."""
    content = told[0]
    assert replay(resigned(content, key(REFEREE), lambda told: None, 0), toys["small"], referee, rules) == ""
    forged = resigned(content, key(REFEREE), edit, len(content["entries"]) - 1)
    assert replay(forged, toys["small"], referee, rules)


def test_a_referee_cannot_end_a_clock_before_its_budget(toys, conducted, key, referee, rules):
    right = record(toys["small"])
    wrong = corrupt_trace.flipped_bit(right.copy(), np.random.default_rng(0))
    content = conducted(wrong, right, silent_at("node"))
    clock = next(at for at, entry in enumerate(content["entries"]) if entry["record"]["content"]["event"] == "clock")
    since = content["entries"][clock]["record"]["content"]["clocks"]["since"]

    def early(told):
        told.update(tick=since - 1, clocks={**told["clocks"], "since": since - 1})

    assert "no budget is spent" in replay(resigned(content, key(REFEREE), early, clock), toys["small"], referee, rules)


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


def test_nobody_is_given_up_before_it_was_awaited(toys, conducted, key, referee, rules):
    right = record(toys["small"])
    wrong = corrupt_trace.flipped_bit(right.copy(), np.random.default_rng(0))
    content = conducted(wrong, right, silent_at("node"))
    assert content["entries"][-1]["record"]["content"]["event"] == "forfeit"
    forged = resigned(
        content, key(REFEREE), lambda told: told.update(tick=told["tick"] - 1), len(content["entries"]) - 1
    )
    assert "is before tick" in replay(forged, toys["small"], referee, rules)


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


@pytest.mark.parametrize("name, kind, who", [("result", "order", 1), ("result", "result", 3), ("claim", "order", 2)])
def test_what_another_signed_or_as_something_else_is_no_claim(toys, told, key, referee, rules, name, kind, who):
    content = told[0]
    other = json.loads(request(key(who), kind, content["market"], content[name]["content"]).raw)
    assert "did not sign the result" in replay(content | {name: other}, toys["small"], referee, rules)


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


@pytest.mark.parametrize("name", ["market", "referee", "begin", "result", "claim", "entries"])
@pytest.mark.parametrize("value", [None, 5, 2**70, 1.5, "", "x", "\udcff", [], [None], {}, {"a": 5}, True, [[]] * 3])
def test_transcripts_of_any_content_do_not_follow(toys, told, referee, rules, name, value):
    sentence = replay(told[0] | {name: value}, toys["small"], referee, rules)
    assert sentence and len(sentence) < 400
    assert replay(value, toys["small"], referee, rules)


@pytest.mark.parametrize("part", ["record", "message"])
@pytest.mark.parametrize("value", [None, 5, 2**70, "x", "AAAA", [], {}, {"content": [], "kind": "record"}, True])
def test_entries_of_any_content_do_not_follow(toys, told, referee, rules, part, value):
    content = copy.deepcopy(told[0])
    content["entries"][2][part] = value
    assert replay(content, toys["small"], referee, rules).startswith("record 3: ")
