"""No edit of a transcript replays, whoever signs it."""

import copy
import json

import numpy as np
import pytest

from verification.adversaries import corrupt_trace
from verification.adversaries.break_dispute import silent_at
from verification.dispute.transcript import replay
from verification.encoding.request import request
from verification.encoding.signature import public
from verification.trace import record

REFEREE, FRIEND = 9, 6


@pytest.fixture(scope="module")
def rules(rules):
    return rules()


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


@pytest.mark.parametrize("name, kind, who", [("result", "order", 1), ("result", "result", 3), ("claim", "order", 2)])
def test_what_another_signed_or_as_something_else_is_no_claim(toys, told, key, referee, rules, name, kind, who):
    content = told[0]
    other = json.loads(request(key(who), kind, content["market"], content[name]["content"]).raw)
    assert "did not sign the result" in replay(content | {name: other}, toys["small"], referee, rules)


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


def test_a_referee_cannot_end_a_clock_before_its_budget(toys, conducted, key, referee, rules):
    right = record(toys["small"])
    wrong = corrupt_trace.flipped_bit(right.copy(), np.random.default_rng(0))
    content = conducted(wrong, right, silent_at("node"))
    clock = next(at for at, entry in enumerate(content["entries"]) if entry["record"]["content"]["event"] == "clock")
    since = content["entries"][clock]["record"]["content"]["clocks"]["since"]

    def early(told):
        told.update(tick=since - 1, clocks={**told["clocks"], "since": since - 1})

    assert "no budget is spent" in replay(resigned(content, key(REFEREE), early, clock), toys["small"], referee, rules)


def test_nobody_is_given_up_before_it_was_awaited(toys, conducted, key, referee, rules):
    right = record(toys["small"])
    wrong = corrupt_trace.flipped_bit(right.copy(), np.random.default_rng(0))
    content = conducted(wrong, right, silent_at("node"))
    assert content["entries"][-1]["record"]["content"]["event"] == "forfeit"
    forged = resigned(
        content, key(REFEREE), lambda told: told.update(tick=told["tick"] - 1), len(content["entries"]) - 1
    )
    assert "is before tick" in replay(forged, toys["small"], referee, rules)
