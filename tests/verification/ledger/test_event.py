"""An event's bytes are written down one way, and read back to the same event or not at all."""

import json
from hashlib import sha256

import pytest

from verification.encoding.request import Request
from verification.ledger.event import Event, read_event

REQUEST = Request("deposit", "aa" * 32, {"amount": "5", "n": [1, None, True]}, "bb" * 64, "cc" * 32)
EVENT = Event(
    *(7, 12, REQUEST, (("outside", "free:a", 5),), (("note", "x", {"b": 1}), ("note", "y", None)), ("dd" * 32,)),
    previous="ee" * 32,
)
CONTENT = {
    "blobs": ["dd" * 32],
    "facts": [["note", "x", {"b": 1}], ["note", "y", None]],
    "kind": "deposit",
    "moves": [["outside", "free:a", "5"]],
    "number": 7,
    "previous": "ee" * 32,
    "request": {
        "content": {"amount": "5", "n": [1, None, True]},
        "kind": "deposit",
        "party": "aa" * 32,
        "signature": "bb" * 64,
    },
    "tick": 12,
}


def raw_of(content) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def test_an_event_is_canonical_json_of_its_parts():
    assert EVENT.raw == raw_of(CONTENT)
    assert EVENT.digest == sha256(EVENT.raw).hexdigest()
    assert read_event(EVENT.raw, "cc" * 32) == EVENT


def test_the_genesis_is_signed_for_no_market():
    assert read_event(raw_of(CONTENT | {"number": 0}), "cc" * 32).request.market == ""


@pytest.mark.parametrize(
    "change",
    [
        {"blobs": [1]},
        {"blobs": None},
        {"blobs": ["dd" * 31]},
        {"blobs": ["zz" * 32]},
        {"facts": [["note", "x"]]},
        {"facts": [["note", 1, 2]]},
        {"facts": [["note", "x", 1.0]]},
        {"kind": "withdraw"},
        {"moves": [["outside", "free:a", 5]]},
        {"moves": [["outside", "free:a", "05"]]},
        {"moves": [["outside", "free:a", "+5"]]},
        {"moves": [["outside", "free:a", "0"]]},
        {"moves": [["outside", "free:a", "-5"]]},
        {"moves": [["outside", "free:a", "5.0"]]},
        {"moves": [["outside", "free:a", "9" * 20]]},
        {"moves": [["outside", "free:a", "9" * 5000]]},
        {"moves": [["outside", "5"]]},
        {"moves": {"outside": "5"}},
        {"number": True},
        {"number": "7"},
        {"number": 7.0},
        {"tick": None},
        {"tick": 2**53},
        {"previous": 1},
        {"request": CONTENT["request"] | {"more": 1}},
        {"request": CONTENT["request"] | {"party": 1}},
        {"request": []},
        {"more": 1},
    ],
)
def test_another_event_is_refused(refused, change):
    assert refused(read_event, raw_of(CONTENT | change), "cc" * 32) == "malformed"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        raw_of(CONTENT)[:-1],
        raw_of(CONTENT) + b" ",
        raw_of(CONTENT).replace(b'{"blobs"', b'{"blobs":[],"blobs"'),
        raw_of(CONTENT).replace(b'"tick":12', b'"tick":012'),
        raw_of(CONTENT).replace(b'"tick":12', b'"tick":' + b"9" * 5000),
        raw_of(CONTENT).replace(b'"tick":12', b'"tick":NaN'),
        raw_of(CONTENT).replace(b"note", b"n\\u006fte"),
    ],
)
def test_bytes_of_no_event_are_refused(refused, raw):
    assert refused(read_event, raw, "cc" * 32) == "malformed"
