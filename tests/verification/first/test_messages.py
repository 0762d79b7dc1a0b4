"""The decoder: what was encoded comes back, everything else is refused by name, and nothing else ever happens."""

import json
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from verification.computation import LEAF
from verification.errors import Refusal
from verification.first.bisection import Dispute
from verification.first.commitment import canonical, header, public
from verification.first.messages import BODIES, LIMIT, Opening, decode, encode
from verification.trace import record

DIGEST = st.binary(min_size=32, max_size=32)
PATH = st.lists(DIGEST, max_size=5).map(tuple)
WORDS = st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=9).map(lambda x: np.array(x, np.int32))
OPENING = st.builds(Opening, st.none() | WORDS, PATH, PATH)
CONTENT = {
    "challenge": st.fixed_dictionaries({"root": DIGEST, "tokens": st.lists(st.integers(0, 2**31 - 1), max_size=5)}),
    "descend": st.fixed_dictionaries({"digests": st.lists(DIGEST, min_size=1, max_size=16)}),
    "node": st.fixed_dictionaries({"root": st.none() | DIGEST}),
    "steps": st.fixed_dictionaries({"root": DIGEST, "path": PATH}),
    "open": st.fixed_dictionaries({"inputs": st.lists(OPENING, max_size=3)}),
    "guard": st.fixed_dictionaries({"opening": OPENING}),
    "deliver": st.fixed_dictionaries({"opening": OPENING}),
}
NAMES = st.text(max_size=5) | st.sampled_from(["path", "words", "node"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | DIGEST.map(bytes.hex),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


def same(a, b):
    if isinstance(a, Opening):
        words = (a.words is None and b.words is None) or np.array_equal(a.words, b.words)
        return words and (a.path, a.node) == (b.path, b.node)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b or tuple(a) == tuple(b)


def test_every_type_is_drawn():
    assert CONTENT.keys() == BODIES.keys()


@pytest.mark.parametrize("kind", BODIES)
@given(data=st.data())
def test_what_was_encoded_comes_back(key, kind, data):
    body = data.draw(CONTENT[kind])
    raw = encode(key(1), "asserter", kind, body, 7, "ab" * 32)
    message = decode(raw)
    assert (message.type, message.index, message.previous, message.sender) == (kind, 7, "ab" * 32, "asserter")
    assert all(same(body[name], message.body[name]) for name in body)


@pytest.fixture(scope="module")
def valid(key):
    opening = Opening(np.arange(3, dtype=np.int32), (b"a" * 32,), (b"b" * 32,))
    return encode(key(1), "asserter", "open", {"inputs": [opening]}, 3, "ab" * 32)


def edited(raw, **changes):
    return canonical(json.loads(raw) | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"index": -1},
        {"index": True},
        {"index": "3"},
        {"sender": "referee"},
        {"type": "settle"},
        {"type": 3},
        {"type": "node"},
        {"previous": "ab"},
        {"previous": "AB" * 32},
        {"signature": "00"},
        {"signature": None},
        {"body": None},
        {"body": {"inputs": {}}},
        {"body": {"inputs": [{}] * 65}},
        {"body": {"inputs": [{"node": "", "path": "", "words": ""}]}},
        {"body": {"inputs": [{"node": "", "path": "", "words": "AAA="}]}},
        {"body": {"inputs": [{"node": "", "path": "", "words": "!!!!"}]}},
        {"body": {"inputs": [{"node": "AAAA", "path": "", "words": None}]}},
        {"body": {"inputs": [{"node": 3, "path": "", "words": None}]}},
        {"extra": 1},
    ],
)
def test_a_malformed_message_is_refused(valid, refused, changes):
    assert refused(decode, edited(valid, **changes)) == "malformed"


def test_only_the_canonical_encoding_is_taken(valid, refused):
    assert decode(valid)
    assert refused(decode, valid + b" ") == "malformed"
    assert refused(decode, json.dumps(json.loads(valid)).encode()) == "malformed"
    assert refused(decode, valid[:1] + b'"index":3,' + valid[1:]) == "malformed"


def test_an_oversized_message_is_refused_before_it_is_read(refused):
    assert refused(decode, b"[" * (LIMIT + 1)) == "oversized"


def test_leaves_and_proofs_have_their_greatest_length(key, refused):
    def opened(words, path):
        return encode(key(1), "asserter", "guard", {"opening": Opening(np.zeros(words, np.int32), path)}, 0, "ab" * 32)

    assert decode(opened(LEAF, (b"a" * 32,) * 64))
    assert refused(decode, opened(LEAF + 1, ())) == "malformed"
    assert refused(decode, opened(1, (b"a" * 32,) * 65)) == "malformed"


@given(st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()))
@example(b"[" * 90_000)
@example(b'{"index":' + b"9" * 5000 + b"}")
@example(b"NaN")
@example(b"\xff\xfe")
def test_whatever_comes_is_refused(raw):
    with pytest.raises(Refusal):
        decode(raw)


@given(data=st.data())
def test_a_valid_envelope_around_anything_is_refused_or_read(valid, data):
    kind = data.draw(st.sampled_from(sorted(BODIES)))
    body = data.draw(st.fixed_dictionaries(dict.fromkeys(BODIES[kind], JSON)) | JSON)
    try:
        raw = edited(valid, type=kind, body=body)
    except ValueError:  # NaN has no canonical encoding
        return
    with suppress(Refusal):
        assert decode(raw).body.keys() == BODIES[kind].keys()


@given(data=st.data())
def test_a_message_with_any_byte_changed_changes_no_dispute(key, toys, data):
    toy = toys["small"]
    trace = record(toy)
    dispute = Dispute(toy, header("task", trace, public(key(1))), public(key(2)))
    body = {"root": b"r" * 32, "tokens": [1]}
    raw = bytearray(encode(key(2), "challenger", "challenge", body, 0, dispute.previous))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    before = (dispute.stage, dispute.turn, dispute.index, dispute.previous, dispute.deadline, dispute.verdict)
    with pytest.raises(Refusal):
        dispute.receive(bytes(raw), 1)
    assert before == (dispute.stage, dispute.turn, dispute.index, dispute.previous, dispute.deadline, dispute.verdict)
