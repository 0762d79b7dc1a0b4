"""Messages of a dispute: one strict schema each, and none that may be sent is larger than the limit."""

from base64 import b64encode

import numpy as np
import pytest

from verification.computation import LEAF, SOURCES
from verification.dispute.messages import BEGIN, KINDS, LARGEST_OPEN, MOST_SOURCES, Opening, opening
from verification.dispute.party import honest
from verification.encoding.request import LIMIT, request
from verification.encoding.schema import LONGEST_PROOF, read
from verification.trace import record

DIGEST = "0a" * 32
CHAIN = {"index": 3, "previous": DIGEST}
OPENING = {"node": "", "path": b64encode(bytes(64)).decode(), "words": b64encode(bytes(8)).decode()}
GOOD = {
    "descend": {"digests": [DIGEST] * 4},
    "node": {"root": None},
    "guard": {"opening": OPENING},
    "steps": {"root": DIGEST, "path": ""},
    "open": {"inputs": [OPENING, OPENING | {"words": None}]},
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_read(kind):
    found = read(KINDS[kind], CHAIN | GOOD[kind])
    assert found["index"] == 3 and found.keys() == CHAIN.keys() | GOOD[kind].keys()


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("descend", {"index": -1}),
        ("descend", {"index": 2**53}),
        ("descend", {"index": True}),
        ("descend", {"index": "3"}),
        ("descend", {"previous": DIGEST.upper()}),
        ("descend", {"previous": None}),
        ("descend", {"digests": [DIGEST] * 17}),
        ("descend", {"digests": [DIGEST[:-1]]}),
        ("descend", {"digests": {"0": DIGEST}}),
        ("descend", {"more": 1}),
        ("node", {"root": ""}),
        ("node", {"root": bytes(32).hex().upper() + "A"}),
        ("guard", {"opening": None}),
        ("guard", {"opening": OPENING | {"more": ""}}),
        ("guard", {"opening": OPENING | {"path": b64encode(bytes(33)).decode()}}),
        ("guard", {"opening": OPENING | {"node": b64encode(bytes(32 * 65)).decode()}}),
        ("guard", {"opening": OPENING | {"words": ""}}),
        ("guard", {"opening": OPENING | {"words": b64encode(bytes(6)).decode()}}),
        ("guard", {"opening": OPENING | {"words": b64encode(bytes(4 * LEAF + 4)).decode()}}),
        ("guard", {"opening": OPENING | {"words": "AAAAAB=="}}),
        ("steps", {"path": None}),
        ("open", {"inputs": [OPENING] * 9}),
        ("open", {"inputs": [None]}),
    ],
)
def test_other_contents_are_malformed(refused, kind, changes):
    assert refused(read, KINDS[kind], CHAIN | GOOD[kind] | changes) == "malformed"
    assert refused(read, KINDS[kind], GOOD[kind]) == "malformed"


def test_an_opening_is_read_as_it_was_written():
    made = Opening(np.array([-1, 2**31 - 1], np.int32), (bytes([1]) * 32,), (bytes([2]) * 32, bytes([3]) * 32))
    found = opening(made.plain())
    assert np.array_equal(found.words, made.words) and (found.path, found.node) == (made.path, made.node)
    assert opening(Opening(None, ()).plain()).words is None


@pytest.mark.parametrize(
    "changes",
    [
        {"roots": {"asserter": DIGEST.upper(), "challenger": DIGEST}},
        {"roots": {"asserter": "zz" * 32, "challenger": DIGEST}},
        {"roots": {"asserter": DIGEST}},
        {"asserter": "01" + "00" * 31},
        {"challenger": "00" * 32},
        {"rules": {"delta": 0, "levels": 2, "message_limit": 96_000}},
        {"rules": {"delta": 3, "levels": 0, "message_limit": 96_000}},
        {"rules": {"delta": 3, "levels": 60, "message_limit": 96_000}},
        {"rules": {"delta": 3, "levels": 2, "message_limit": LARGEST_OPEN - 1}},
        {"budgets": {"asserter": -1, "challenger": 1}},
        {"tick": 1.5},
        {"head": None},
        {"more": 1},
    ],
)
def test_what_begins_no_dispute(toys, begun, refused, changes):
    """Roots in another spelling and keys of small order among it."""
    roots = (bytes(32), bytes([1]) * 32)
    assert read(BEGIN, begun(toys["small"], roots)[0].begin.content)["tick"] == 0
    assert refused(begun, toys["small"], roots, begin=changes) == "malformed"


def test_the_largest_opening_of_any_step_of_any_computation_is_within_the_limit(key):
    """As many sources as a step may read, of as many words as a leaf may have, with proofs as long as one may be."""
    proof = tuple([b"\xff" * 32] * LONGEST_PROOF)
    largest = Opening(np.full(LEAF, -1, np.int32), proof, proof).plain()
    content = {"index": 2**53 - 1, "previous": DIGEST, "inputs": [largest] * SOURCES}
    assert SOURCES == MOST_SOURCES and read(KINDS["open"], content)
    made = request(key(1), "open", DIGEST, content)
    assert 86_000 < len(made.raw) <= LARGEST_OPEN < LIMIT


def test_a_long_output_makes_no_message_larger(make_toy, begun, key):
    """What was delivered is no part of a claim: it is a node, and of a leaf one step alone is opened."""
    toy = make_toy(width=1, layers=0, passes=64)
    right, wrong = record(toy), record(toy)
    words = wrong.leaf(len(toy.nodes) - 1, 0).copy()
    words[40] += 1
    wrong.change(len(toy.nodes) - 1, 0, words)
    dispute, *_ = begun(toy, (wrong.tree.root, right.tree.root))
    parties, most = {"asserter": honest(key(1), wrong), "challenger": honest(key(2), right)}, 0
    while dispute.turn is not None:
        raw = parties[dispute.turn](dispute)
        most = max(most, len(raw))
        dispute.receive(raw, 1)
    assert dispute.state.refused == "step-wrong"
    assert most < 8 * 700
