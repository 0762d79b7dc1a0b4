"""Transcripts replay, and one that was changed anywhere does not."""

import json
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.errors import InputError
from verification.first.adversaries import break_protocol, corrupt_trace
from verification.first.bisection import Dispute, DisputeRules
from verification.first.commitment import commit, public
from verification.first.party import honest, play
from verification.first.transcript import replay, transcript
from verification.trace import record


@pytest.fixture(scope="module")
def written(key):
    """The transcript of a dispute over a corrupted trace, as JSON gives it back."""

    def written(toy, corrupt, wrap=None):
        trace = corrupt(record(toy), np.random.default_rng(3))
        opened = commit("task", trace, key(1), bytes(32))
        dispute = Dispute(toy, opened.header, public(key(2)), DisputeRules(delay=7))
        asserter = honest("asserter", key(1), trace)
        if wrap is not None:
            asserter = wrap("asserter", key(1), asserter)
        events = play(dispute, asserter, honest("challenger", key(2), record(toy)))
        return json.loads(json.dumps(transcript({"name": "toy"}, opened, dispute, events)))

    return written


@pytest.mark.parametrize("name", corrupt_trace.ADVERSARIES)
def test_a_transcript_replays(toy, written, name):
    content = written(toy, corrupt_trace.ADVERSARIES[name])
    assert content["verdict"]["winner"] == "challenger"
    assert replay(content, toy) == ""


@pytest.mark.parametrize("name", ["silent-at-open", "garbage", "wrong-key", "forged-proof"])
def test_a_transcript_of_a_broken_protocol_replays(toys, written, name):
    wrap, reason = break_protocol.ADVERSARIES[name]
    content = written(toys["tall"], corrupt_trace.wrong_tile, wrap)
    assert content["verdict"]["reason"] == reason
    assert replay(content, toys["tall"]) == ""


@pytest.mark.parametrize(
    "field", ["winner", "loser", "disputed_node", "disputed_tile", "rounds_node", "bytes", "reason"]
)
def test_another_verdict_does_not_follow(toys, written, field):
    content = written(toys["small"], corrupt_trace.flipped_bit)
    content["verdict"][field] = "other"
    assert field in replay(content, toys["small"])


@given(data=st.data())
def test_a_message_changed_dropped_or_moved_is_noticed(toys, written, data):
    content = written(toys["small"], corrupt_trace.flipped_bit)
    events = content["events"]
    at = data.draw(st.integers(0, len(events) - 1))
    match data.draw(st.sampled_from(["drop", "swap", "edit", "late"])):
        case "drop":
            del events[at]
        case "swap":
            events.insert(data.draw(st.sampled_from([i for i in range(len(events)) if i != at])), events.pop(at))
        case "edit":
            raw = events[at]["message"]
            where = data.draw(st.integers(0, len(raw) - 1))
            events[at]["message"] = raw[:where] + chr(ord(raw[where]) ^ 1) + raw[where + 1 :]
        case "late":
            for event in events[at:]:
                event["at"] += 100
    assert replay(content, toys["small"])


def test_a_commitment_of_another_task_does_not_hold(toys, make_toy, written):
    content = written(toys["small"], corrupt_trace.flipped_bit)
    assert "does not hold" in replay(content, make_toy(seed=6))
    content["seal"] = "0" * 64
    assert "does not hold" in replay(content, toys["small"])


@pytest.mark.parametrize(
    "changes", [{"events": [3]}, {"events": [{}]}, {"events": None}, {"rules": {"pace": 3}}, {"commitment": {}}]
)
def test_what_is_no_transcript_is_bad_input(toys, written, changes):
    content = written(toys["small"], corrupt_trace.flipped_bit) | changes
    with pytest.raises(InputError):
        replay(content, toys["small"])


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("rules", {"delay": "x"}),
        ("rules", {"delay": -1}),
        ("rules", {"delay": 2**62}),
        ("rules", {"node_levels": 0}),
        ("rules", {"tile_levels": 60}),
        ("rules", {"tile_levels": True}),
        ("rules", {"more": 1}),
        ("commitment", {"header": {}}),
        ("commitment", {"nonce": 5}),
        ("commitment", {"nonce": "zz"}),
    ],
)
def test_rules_and_commitments_of_other_types_are_refused(toys, written, part, changes):
    content = written(toys["small"], corrupt_trace.flipped_bit)
    content[part] |= changes
    with pytest.raises(InputError):
        replay(content, toys["small"])


@pytest.mark.parametrize("value", [None, 5, 2**70, [], {}, "\udcff", [None], {"a": 5}, True])
@pytest.mark.parametrize("name", ["task", "model", "graph", "input", "terms", "tokens", "nodes", "root", "provider"])
def test_headers_of_any_content_are_refused_or_do_not_follow(toys, written, name, value):
    content = written(toys["small"], corrupt_trace.flipped_bit)
    content["commitment"]["header"][name] = value
    with suppress(InputError):
        assert "does not hold" in replay(content, toys["small"])


@pytest.mark.parametrize(
    "event",
    [
        None,
        "at",
        {},
        {"at": "1"},
        {"at": -1},
        {"at": 2**62},
        {"at": True},
        {"at": 1.5},
        {"at": 1, "message": 5},
        {"at": 1, "message": "\u20ac"},
        {"at": 1, "message": "\udcff"},
        {"at": 1, "refused": None},
        {"at": 1, "more": 1},
    ],
)
def test_events_of_other_types_are_refused(toys, written, event):
    content = written(toys["small"], corrupt_trace.flipped_bit)
    content["events"].append(event)
    with pytest.raises(InputError, match="messages and times|of bytes"):
        replay(content, toys["small"])
    for changes in ({"events": {"at": 1}}, {"verdict": []}, {"challenger": 5}):
        with pytest.raises(InputError):
            replay(content | changes, toys["small"])


def test_what_does_not_follow_is_said_in_few_words(toys, written):
    content = written(toys["small"], corrupt_trace.flipped_bit)
    content["verdict"]["winner"] = "x" * 10**6
    assert len(replay(content, toys["small"])) < 200
    content["events"][0]["refused"] = "x" * 10**6
    assert len(replay(content, toys["small"])) < 200
